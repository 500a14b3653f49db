namespace Quorate.Storage;

/// <summary>What the journal writes again by itself, so that a small partition does not keep the oldest segment (storage.md §1.5, §3.2).</summary>
public sealed partial class PartitionLog
{
    /// <summary>Payload bytes and entries that are fetched at once.</summary>
    private const long FetchBytes = 256 * 1024;
    private const int FetchEntries = 4096;

    private ulong _movesUpTo; // 0: nothing moves
    private EntryFetch? _moving, _movingStaged;

    /// <summary>
    /// Writes every live entry that stands at or below a batch again at the head, under its newest stamp (§1.5). What is not recent is read first; until all of it is here the partition keeps its old place, and each
    /// entry is taken from the log as it stands when it is gathered.
    /// </summary>
    internal void Move(ulong upTo)
    {
        _movesUpTo = upTo;
        if (!GoOnMoving()) _journal.MoveLater(this);
    }

    /// <summary>False: some of it is on its way from the disk.</summary>
    internal bool GoOnMoving()
    {
        bool done = MoveLog() && MoveStaged();
        _runBatch = 0; // nothing else grows out of a moved run
        if (done) _movesUpTo = 0;
        return done;
    }

    private bool MoveLog()
    {
        for (long i = Map.First; i <= Map.Last; i++)
        {
            if (!Moves(_positions[i])) continue;
            var read = (_moving ?? (IEntrySource)this).Read(i, out var entry);
            if (read == EntryRead.Later)
            {
                _moving ??= new EntryFetch(this);
                if (!_moving.IsReading) _moving.Begin(i, Math.Min(Map.LastWithin(i, FetchBytes), i + FetchEntries - 1));
                read = _moving.Read(i, out entry);
            }
            if (read == EntryRead.Later) return false;
            if (read == EntryRead.Here) GatherEntry(OpKind.Moved, i, entry.Term, entry.Kind, entry.Checksum, entry.Payload, staged: false);
            // One that has gone bad since it was written keeps its place, and its segment.
        }
        _runBatch = 0; // a staged run must not grow out of one of the log
        return true;
    }

    private bool MoveStaged()
    {
        foreach (var s in _staged)
            for (int k = 0; k < s.Positions.Count; k++)
            {
                if (!Moves(s.Positions[k])) continue;
                long i = s.First + k;
                var read = _movingStaged?.Read(i, out var entry) ?? ReadStaged(i, out entry);
                if (read == EntryRead.Later)
                {
                    _movingStaged ??= new EntryFetch(this, staged: true);
                    if (!_movingStaged.IsReading) _movingStaged.Begin(i, StagedWithin(s, k));
                    read = _movingStaged.Read(i, out entry);
                }
                if (read == EntryRead.Later) return false;
                if (read == EntryRead.Here) GatherEntry(OpKind.Moved, i, entry.Term, entry.Kind, entry.Checksum, entry.Payload, staged: true);
            }
        return true;
    }

    private static long StagedWithin(StagedRun run, int first)
    {
        int last = first;
        for (long bytes = run.Lengths[first]; last + 1 < run.Lengths.Count && bytes + run.Lengths[last + 1] <= FetchBytes; last++) bytes += run.Lengths[last + 1];
        return run.First + last;
    }

    private bool Moves(Position position) => !position.IsDamaged && _journal.Table.NumberOf(position.Batch) <= _movesUpTo;
}
