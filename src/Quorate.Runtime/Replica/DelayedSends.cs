using Quorate.Storage;

namespace Quorate.Runtime.Replica;

/// <summary>
/// Messages whose log entries stand on the disk only (DESIGN §4: a peer that lags must not hold up a heartbeat or others' requests by a read). They are fetched a few at a time beside the work, and leave in the
/// order in which they were asked for, peer by peer. The core's own limits of what is in flight bound how many wait.
/// </summary>
public sealed class DelayedSends
{
    private const int FetchesAtOnce = 4;

    private readonly List<Waiting> _waiting = [];
    private readonly EntryFetch[] _fetches = new EntryFetch[FetchesAtOnce];
    private readonly Waiting?[] _owners = new Waiting?[FetchesAtOnce];
    private readonly List<ReplicaId> _news = [], _told = [];

    private sealed class Waiting(ReplicaId to, ProtocolMessage message)
    {
        public readonly ReplicaId To = to;
        public readonly ProtocolMessage Message = message;
    }

    public DelayedSends(PartitionLog log)
    {
        for (int i = 0; i < FetchesAtOnce; i++) _fetches[i] = new EntryFetch(log);
    }

    public bool Any => _waiting.Count > 0;

    /// <summary>Something waits for this peer: every range behind it waits, too.</summary>
    public bool Has(ReplicaId to)
    {
        foreach (var w in _waiting)
            if (w.To == to) return true;
        return false;
    }

    /// <summary>Whether the message must stand behind what waits for its peer.</summary>
    public bool HoldsUp(ReplicaId to, ProtocolMessage message) => _waiting.Count > 0 && message.Range is var range && range.Last >= range.First && Has(to);

    public void Add(ReplicaId to, ProtocolMessage message)
    {
        _waiting.Add(new Waiting(to, message));
        if (!_news.Contains(to)) _news.Add(to);
    }

    /// <summary>What waits for a peer is meant for nobody any more: its link changed, or the core begins anew with it.</summary>
    public void Drop(ReplicaId to)
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
            if (_waiting[i].To == to) Remove(i);
    }

    /// <summary>Begins what reads it may, and takes the first message whose entries are here. <paramref name="entries"/> is good until the next call.</summary>
    public bool TryTake(out ReplicaId to, out ProtocolMessage message, out IEntrySource entries)
    {
        BeginReads();
        for (int i = 0; i < _waiting.Count; i++)
        {
            int at = Array.IndexOf(_owners, _waiting[i]);
            if (at < 0 || _fetches[at].IsReading || !IsFirst(i)) continue;
            (to, message, entries) = (_waiting[i].To, _waiting[i].Message, _fetches[at]);
            Remove(i);
            return true;
        }
        (to, message, entries) = (default, null!, null!);
        return false;
    }

    /// <summary>What the core is to hear of a peer; each time that something is added, and once when nothing waits any more.</summary>
    public Delayed? News()
    {
        while (_news.Count > 0)
        {
            var to = _news[^1];
            _news.RemoveAt(_news.Count - 1);
            if (!Has(to)) continue;
            if (!_told.Contains(to)) _told.Add(to);
            return new Delayed(to, waits: true);
        }
        for (int i = 0; i < _told.Count; i++)
        {
            var to = _told[i];
            if (Has(to)) continue;
            _told.RemoveAt(i);
            return new Delayed(to, waits: false);
        }
        return null;
    }

    private void BeginReads()
    {
        foreach (var w in _waiting)
        {
            if (Array.IndexOf(_owners, w) >= 0) continue;
            int free = 0;
            while (free < FetchesAtOnce && (_owners[free] is not null || _fetches[free].IsReading)) free++;
            if (free == FetchesAtOnce) return;
            _owners[free] = w;
            _fetches[free].Begin(w.Message.Range.First, w.Message.Range.Last);
        }
    }

    private bool IsFirst(int at)
    {
        for (int i = 0; i < at; i++)
            if (_waiting[i].To == _waiting[at].To) return false;
        return true;
    }

    private void Remove(int at)
    {
        int fetch = Array.IndexOf(_owners, _waiting[at]);
        if (fetch >= 0) _owners[fetch] = null;
        _waiting.RemoveAt(at);
    }
}
