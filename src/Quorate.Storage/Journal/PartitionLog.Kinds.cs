namespace Quorate.Storage;

/// <summary>The kinds of record that Raft does not use (storage.md §1.4), and what the journal writes again by itself.</summary>
public sealed partial class PartitionLog
{
    /// <summary>Writes every live entry that stands at or below a batch again at the head, under its newest stamp (§1.5).</summary>
    internal void Move(ulong upTo)
    {
        for (long i = Map.First; i <= Map.Last; i++)
        {
            var position = _positions[i];
            if (position.IsDamaged || _journal.Table.NumberOf(position.Batch) > upTo) continue;
            if (!TryRead(i, out var entry)) continue; // gone bad since it was written: it keeps its place, and its segment
            GatherEntry(OpKind.Moved, i, entry.Term, entry.Kind, entry.Checksum, entry.Payload, staged: false);
        }
        _runBatch = 0; // a staged run must not grow out of one of the log
        foreach (var s in _staged)
            for (int k = 0; k < s.Positions.Count; k++)
                if (_journal.Table.NumberOf(s.Positions[k].Batch) <= upTo && TryReadStaged(s.First + k, out var entry))
                    GatherEntry(OpKind.Moved, s.First + k, entry.Term, entry.Kind, entry.Checksum, entry.Payload, staged: true);
        _runBatch = 0;
    }

    private void Stamp(long first, long last, ulong term)
    {
        Invariant.That(first > Map.BeginIndex && last <= Map.Last && first <= last, "AStampNamesEntriesOfTheLog");
        for (long i = first; i <= last; i++) Rewrite(i, i, term, (int)Map.BytesOf(i, i));
    }

    /// <summary>Gives an index in the middle another term and length: the map's tail is built again.</summary>
    private void Rewrite(long index, long last, ulong term, int payloadBytes)
    {
        var tail = Map.Copy();
        Map.TruncateAfter(index - 1);
        for (long i = index; i <= tail.Last; i++)
        {
            tail.TryTermOf(i, out ulong old);
            bool changed = i <= last;
            Map.Append(changed ? term : old, changed ? payloadBytes : (int)tail.BytesOf(i, i));
        }
    }

    private void Stage(long index, ulong term, int payloadBytes, Position position)
    {
        DropStagedFrom(index);
        var run = _staged.Count > 0 ? _staged[^1] : null;
        if (run is null || run.Term != term || run.First + run.Positions.Count != index)
        {
            Invariant.That(run is null || run.First + run.Positions.Count == index, "StagedRunsAreContiguous");
            run = new StagedRun(index, term, [], []);
            _staged.Add(run);
        }
        run.Positions.Add(position);
        run.Lengths.Add(payloadBytes);
    }

    /// <summary>A stage that begins inside of what is staged replaces that from there on.</summary>
    private void DropStagedFrom(long index)
    {
        while (_staged.Count > 0 && _staged[^1] is var run && run.First + run.Positions.Count > index)
        {
            Release(run.Positions[^1]);
            run.Positions.RemoveAt(run.Positions.Count - 1);
            run.Lengths.RemoveAt(run.Lengths.Count - 1);
            if (run.Positions.Count == 0) _staged.RemoveAt(_staged.Count - 1);
        }
    }

    private void MoveStaged(long index, Position position)
    {
        foreach (var s in _staged)
        {
            if (index < s.First || index >= s.First + s.Positions.Count) continue;
            int k = (int)(index - s.First);
            Release(s.Positions[k]);
            s.Positions[k] = position;
        }
    }

    /// <summary>The staged runs become the log from their first index on.</summary>
    private void AdoptStaged()
    {
        if (_staged.Count == 0) return;
        Truncate(_staged[0].First - 1);
        foreach (var s in _staged)
            for (int k = 0; k < s.Positions.Count; k++)
            {
                Invariant.That(s.First + k == Map.Last + 1, "AStagedRunJoinsTheLog");
                if (_positions.Count == 0) _positions.Reset(s.First + k);
                Map.Append(s.Term, s.Lengths[k]);
                _positions.Append(s.Positions[k]);
            }
        _staged.Clear();
    }
}
