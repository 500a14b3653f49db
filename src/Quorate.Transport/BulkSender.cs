namespace Quorate.Transport;

internal enum BulkStep : byte
{
    Begin = 1,
    Bytes = 2,
    End = 3,
    Abort = 4,
}

/// <summary>
/// Bodies to one peer, one at a time. A chunk is pulled only when little else is unsent on the link, so that no heartbeat waits behind more than one,
/// and only within a window that the receiver confirms, so that a receiver with a slow disk is not flooded.
/// </summary>
internal sealed class BulkSender
{
    private readonly List<IBulkSource> _waiting = [];
    private IBulkSource? _current;
    private uint _number;
    private long _offset, _confirmed;
    private bool _ended;

    public bool Idle => _current == null && _waiting.Count == 0;

    public void Add(IBulkSource source) => _waiting.Add(source);

    /// <summary>Adds at most one chunk. Returns in how many micros it wants to be asked again, or Never.</summary>
    public long Pump(Connection connection)
    {
        if (_current == null)
        {
            if (_waiting.Count == 0) return Instant.Never;
            Begin(connection);
        }
        if (_ended) return Instant.Never;
        if (connection.Unsent >= LinkLimits.BulkBelowBytes) return LinkLimits.BulkRetryMicros;
        var source = _current!;
        if (_offset < source.Length)
        {
            if (_offset - _confirmed >= LinkLimits.BulkWindowBytes) return LinkLimits.BulkRetryMicros;
            if (!Chunk(connection, source, out bool later)) return later ? LinkLimits.BulkRetryMicros : LinkLimits.BulkPaceMicros;
        }
        if (_offset == source.Length)
        {
            var output = connection.Output;
            Frame.End(output, Start(output, BulkStep.End));
            connection.Flush();
            _ended = true;
            return Instant.Never;
        }
        return LinkLimits.BulkPaceMicros;
    }

    /// <summary>What the receiver says of a body; false when it cannot be true.</summary>
    public bool Confirmed(uint number, long received, bool whole)
    {
        if (_current == null || number != _number) return true;     // of a body that was broken off meanwhile
        if (received < _confirmed || received > _offset || (whole && !_ended)) return false;
        _confirmed = received;
        if (whole) Finish(true);
        return true;
    }

    /// <summary>A half of the link dropped, so confirmations may be lost: whatever is under way or waits is not known to be delivered. <paramref name="standing"/> is our outgoing connection when that half still stands.</summary>
    public void Fail(Connection? standing)
    {
        int waiting = _waiting.Count;
        if (_current != null && standing != null)
        {
            Frame.End(standing.Output, Start(standing.Output, BulkStep.Abort));
            standing.Flush();
        }
        if (_current != null) Finish(false);
        for (int i = 0; i < waiting; i++)
        {
            var source = _waiting[0];
            _waiting.RemoveAt(0);
            source.Done(false);
        }
    }

    private void Begin(Connection connection)
    {
        _current = _waiting[0];
        _waiting.RemoveAt(0);
        _number++;
        _offset = _confirmed = 0;
        _ended = false;
        Invariant.That(_current.Header.Length <= 64 * 1024, "BulkHeaderFits");
        var output = connection.Output;
        int start = Start(output, BulkStep.Begin);
        output.Int64(_current.Length);
        output.Sized(_current.Header);
        Frame.End(output, start);
        connection.Flush();
    }

    /// <summary>False when the source has nothing yet, or failed; the body is then broken off on both sides.</summary>
    private bool Chunk(Connection connection, IBulkSource source, out bool later)
    {
        var output = connection.Output;
        int start = Start(output, BulkStep.Bytes);
        output.Int64(_offset);
        int wanted = (int)Math.Min(Limits.BulkChunkBytes, source.Length - _offset), head = output.Length;
        int read = source.Read(_offset, output.Take(wanted));
        later = read == 0;
        if (later)
        {
            output.Length = start;
            return false;
        }
        if (read < 0 || read > wanted)
        {
            output.Length = start;
            Frame.End(output, Start(output, BulkStep.Abort));
            connection.Flush();
            Finish(false);
            return false;
        }
        output.Length = head + read;
        Frame.End(output, start);
        connection.Flush();
        _offset += read;
        return true;
    }

    private int Start(ByteWriter output, BulkStep step)
    {
        int start = Frame.Begin(output, FrameKind.Bulk);
        output.Byte((byte)step);
        output.UInt32(_number);
        return start;
    }

    private void Finish(bool delivered)
    {
        var source = _current!;
        _current = null;
        source.Done(delivered);
    }
}
