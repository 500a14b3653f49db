using Quorate.Storage;

namespace Quorate.Runtime.Replica;

/// <summary>What stands on the disk only: it is asked for, the turn goes on, and what it was for is done when it is here (DESIGN §4).</summary>
public sealed partial class ReplicaHost
{
    /// <summary>Payload bytes and entries that are fetched at once to be applied.</summary>
    private const long ApplyFetchBytes = 256 * 1024;
    private const int ApplyFetchEntries = 4096;

    private readonly DelayedSends _delayed;
    private readonly EntryFetch _applying;

    /// <summary>The next entry to apply is on its way from the disk; the bell rings when it is here.</summary>
    private bool ApplyWaits => _applying.IsReading && _applying.Covers(_sessions.AppliedIndex + 1);

    private bool SendDelayed()
    {
        bool sent = false;
        while (_delayed.Any && _delayed.TryTake(out var to, out var message, out var entries)) sent |= Write(to, message, entries);
        return sent;
    }

    private void TellDelayed()
    {
        while (_delayed.News() is { } news) Tell(_now, news);
    }

    /// <summary>The next entry to apply. False: its bytes are not here yet.</summary>
    private bool TryNext(out EntryView entry)
    {
        long index = _sessions.AppliedIndex + 1;
        var read = _applying.Read(index, out entry);
        if (read == EntryRead.Later && !_applying.IsReading)
        {
            _applying.Begin(index, Math.Min(Math.Min(_deliverTo, _log.Map.LastWithin(index, ApplyFetchBytes)), index + ApplyFetchEntries - 1));
            read = _applying.Read(index, out entry);
        }
        if (read == EntryRead.Gone) throw new InvariantException("DeliveredReadable", $"entry {index} was delivered and cannot be read from the journal");
        return read == EntryRead.Here;
    }
}
