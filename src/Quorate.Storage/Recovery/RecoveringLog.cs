namespace Quorate.Storage;

/// <summary>A stretch of a recovered log: one run, or what later runs left of it.</summary>
internal readonly record struct Extent(long First, long Last, ulong Term, ulong Batch, RunBytes? Bytes, int Skip)
{
    public bool IsDamaged => Bytes is null;

    public Extent From(long index) => this with { First = index, Skip = Skip + (int)(index - First) };

    public Extent UpTo(long index) => this with { Last = index };
}

/// <summary>
/// A partition's log while its batches are read again in order. It may begin in the middle: what stands below the oldest batch still needed is ignored, and everything that lived there is needed by nothing.
/// </summary>
internal sealed class RecoveringLog
{
    private readonly List<Extent> _log = [];
    private readonly List<Extent> _staged = [];

    public IReadOnlyList<Extent> Log => _log;
    public IReadOnlyList<Extent> Staged => _staged;

    public void Apply(in BatchOp op, ulong batch, RunBytes? bytes)
    {
        switch (op.Kind)
        {
            case OpKind.Append:
                Forget(_log, op.First, long.MaxValue);
                Insert(_log, new Extent(op.First, op.Last, op.Term, batch, bytes, 0));
                break;
            case OpKind.Put:
                Insert(_log, new Extent(op.First, op.Last, op.Term, batch, bytes, 0));
                break;
            case OpKind.Moved:
                Insert(op.Flag ? _staged : _log, new Extent(op.First, op.Last, op.Term, batch, bytes, 0));
                break;
            case OpKind.Stage:
                Forget(_staged, op.First, long.MaxValue);
                Insert(_staged, new Extent(op.First, op.Last, op.Term, batch, bytes, 0));
                break;
            case OpKind.Stamp:
                Stamp(op.First, op.Last, op.Term);
                break;
            case OpKind.Cut:
                Forget(op.Flag ? _staged : _log, op.First, long.MaxValue);
                break;
            case OpKind.Switch when op.Snapshot.IsNone:
                Adopt();
                break;
            case OpKind.Switch:
                Forget(_log, long.MinValue, op.Flag ? op.Snapshot.Index : long.MaxValue);
                break;
            case OpKind.LogBegin or OpKind.Facts:
                Forget(_log, long.MinValue, op.First);
                break;
            case OpKind.Mark:
                foreach (var m in op.Mark!) MarkDamaged(m, batch);
                break;
        }
    }

    /// <summary>A number below the begin of nothing: every index up to it goes.</summary>
    public void Begin(long index) => Forget(_log, long.MinValue, index);

    /// <summary>The first index at which the log from <paramref name="first"/> on has a hole; 0 when there is none.</summary>
    public long HoleFrom(long first)
    {
        foreach (var e in _log)
        {
            if (e.First != first) return first;
            first = e.Last + 1;
        }
        return 0;
    }

    /// <summary>An entry of a mark is damaged, however it reads now. Where its own batch still says so, that one names the place; where it is gone, the opening does.</summary>
    private void MarkDamaged(in DamagedEntry m, ulong batch)
    {
        foreach (var e in _log)
            if (e.IsDamaged && e.Term == m.Term && e.First <= m.Index && e.Last >= m.Index) return;
        if (_log.Count > 0 && _log[^1] is { IsDamaged: true } last && last.Batch == batch && last.Term == m.Term && last.Last == m.Index - 1) _log[^1] = last.UpTo(m.Index);
        else Insert(_log, new Extent(m.Index, m.Index, m.Term, batch, null, 0));
    }

    private void Stamp(long first, long last, ulong term)
    {
        for (int i = 0; i < _log.Count; i++)
        {
            var e = _log[i];
            if (e.Last < first || e.First > last) continue;
            _log.RemoveAt(i);
            if (e.First < first) _log.Insert(i++, e.UpTo(first - 1));
            var inner = e.First < first ? e.From(first) : e;
            _log.Insert(i, (inner.Last > last ? inner.UpTo(last) : inner) with { Term = term });
            if (e.Last > last) _log.Insert(i + 1, e.From(last + 1));
        }
    }

    private void Adopt()
    {
        if (_staged.Count == 0) return;
        Forget(_log, _staged[0].First, long.MaxValue);
        _log.AddRange(_staged);
        _staged.Clear();
    }

    /// <summary>Puts an extent over what stands there.</summary>
    private static void Insert(List<Extent> into, in Extent extent)
    {
        Forget(into, extent.First, extent.Last);
        int at = into.Count;
        while (at > 0 && into[at - 1].First > extent.First) at--;
        into.Insert(at, extent);
    }

    private static void Forget(List<Extent> from, long first, long last)
    {
        if (from.Count == 0 || from[^1].Last < first) return;
        for (int i = from.Count - 1; i >= 0; i--)
        {
            var e = from[i];
            if (e.First > last) continue;
            if (e.Last < first) break;
            from.RemoveAt(i);
            if (e.Last > last) from.Insert(i, e.From(last + 1));
            if (e.First < first) from.Insert(i, e.UpTo(first - 1));
        }
    }
}
