namespace Quorate.Simulation.Core;

/// <summary>
/// What a crash now would leave of one directory's log and promise, and what is on its way to the disk behind that: kept from the very verbs and tickets, beside the storage and without it.
/// After a start the storage must have come back to the durable part and a prefix of the rest, nothing else (storage.md §2).
/// </summary>
internal sealed class CoreShadow
{
    private readonly List<Written> _pending = [];

    public LogMap Log { get; private set; } = new();
    public Promise Promise { get; private set; }

    public void OnPersist(in Verb verb, ReadOnlySpan<Entry> entries)
    {
        var lengths = new int[entries.Length];
        for (int i = 0; i < lengths.Length; i++) lengths[i] = entries[i].Payload.Length;
        _pending.Add(new Written(verb, lengths));
    }

    public void OnDurable(Ticket upTo)
    {
        int done = 0;
        while (done < _pending.Count && _pending[done].Verb.Ticket <= upTo)
        {
            (Log, Promise) = After(Log, Promise, _pending[done]);
            done++;
        }
        _pending.RemoveRange(0, done);
    }

    /// <summary>RecoveryIsAPrefix: what was durable, and of what was not the first part.</summary>
    public void OnRecovered(int node, LogMap log, in Promise promise, in SnapshotIdentity snapshot)
    {
        var (mine, held) = (Log.Copy(), Promise);
        int tried = 0;
        while (!(held == promise && (Same(Based(mine, snapshot), log) || (tried < _pending.Count && PartOf(mine, _pending[tried], log, snapshot)))))
        {
            if (tried == _pending.Count)
                throw new BreachException("RecoveryIsAPrefix", $"n{node}: durable was log {Log.BeginIndex}..{Log.Last} of term {Log.LastTerm}, {Promise}; recovered {log.BeginIndex}..{log.Last} of term {log.LastTerm}, {promise}, snapshot {snapshot.Index}; under way: {string.Join(", ", _pending.Select(p => $"{p.Verb.Persist} {p.Verb.First} x{p.Lengths.Length} t{p.Verb.Term} {(p.Verb.Persist == PersistKind.Promise ? p.Verb.Promise : null)}"))}");
            (mine, held) = After(mine, held, _pending[tried++]);
        }
        Reset(log, promise);
    }

    public void Reset(LogMap log, in Promise promise)
    {
        _pending.Clear();
        Log = log.Copy();
        Promise = promise;
    }

    // A long append takes several batches: its first entries may be there, in order.
    private static bool PartOf(LogMap mine, in Written next, LogMap log, in SnapshotIdentity snapshot)
    {
        if (next.Verb.Persist != PersistKind.Append || log.Last < next.Verb.First || log.Last >= next.Verb.First + next.Lengths.Length) return false;
        var part = mine.Copy();
        (part, _) = After(part, default, next with { Lengths = next.Lengths[..(int)(log.Last - next.Verb.First + 1)] });
        return Same(Based(part, snapshot), log);
    }

    // An own snapshot may be ahead of the own log: what was committed by others was applied before the own disk held it. Then it is the base.
    private static LogMap Based(LogMap log, in SnapshotIdentity snapshot)
    {
        if (snapshot.IsNone || snapshot.Index < log.BeginIndex || log.Matches(snapshot.Index, snapshot.Term)) return log;
        var based = new LogMap();
        based.Reset(snapshot.Index, snapshot.Term);
        return based;
    }

    private static bool Same(LogMap a, LogMap b)
    {
        if (a.Last != b.Last || a.LastTerm != b.LastTerm) return false;
        for (long i = Math.Max(a.BeginIndex, b.BeginIndex); i <= a.Last;)
        {
            if (!a.TryTermOf(i, out ulong x) || !b.TryTermOf(i, out ulong y) || x != y) return false;
            i++;
        }
        return true;
    }

    private static (LogMap, Promise) After(LogMap log, Promise promise, in Written written)
    {
        var v = written.Verb;
        switch (v.Persist)
        {
            case PersistKind.Promise:
                promise = v.Promise;
                break;
            case PersistKind.Append:
                log.TruncateAfter(v.First - 1);
                foreach (int length in written.Lengths) log.Append(v.Term, length);
                break;
            case PersistKind.Cut:
                log.TruncateAfter(v.First - 1);
                break;
            case PersistKind.Switch when v.KeepTail:
                log.BeginAt(v.Snapshot.Index);
                break;
            case PersistKind.Switch:
                log.Reset(v.Snapshot.Index, v.Snapshot.Term);
                break;
            case PersistKind.LogBegin:
                if (v.First <= log.Last && log.Matches(v.First, v.Term)) log.BeginAt(v.First);
                else log.Reset(v.First, v.Term);
                break;
            default:
                break;
        }
        return (log, promise);
    }

    private readonly record struct Written(Verb Verb, int[] Lengths);
}
