namespace Quorate.Storage;

/// <summary>The kinds of record that Raft does not use (storage.md §1.4), and what the journal writes again by itself.</summary>
public sealed partial class PartitionLog
{
    private void Stamp(long first, long last, ulong term)
    {
        Invariant.That(first > Map.BeginIndex && last <= Map.Last && first <= last, "AStampNamesEntriesOfTheLog");
        Rewrite(first, last, term);
    }

    /// <summary>Gives indexes in the middle another term (and, where it is one, another length): the map's tail is built again.</summary>
    private void Rewrite(long first, long last, ulong term, int payloadBytes = -1)
    {
        var tail = Map.Copy();
        Map.TruncateAfter(first - 1);
        for (long i = first; i <= tail.Last; i++)
        {
            tail.TryTermOf(i, out ulong old);
            bool changed = i <= last;
            Map.Append(changed ? term : old, changed && payloadBytes >= 0 ? payloadBytes : (int)tail.BytesOf(i, i));
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
            run.Configurations.RemoveAll(c => c.Index >= run.First + run.Positions.Count);
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

    /// <summary>
    /// Cut here and adopt what is staged. The cut names its index, because recovery may find the staged run moved away and would not know where it began; and the configurations in it are said now.
    /// All of it in one batch, so that a crash leaves both or neither (storage.md §1.4: one record).
    /// </summary>
    private void GatherAdoption()
    {
        if (_staged.Count == 0)
        {
            GatherFact(new BatchOp { Kind = OpKind.Switch }, urgent: true);
            return;
        }
        var configurations = new List<ConfigurationAt>();
        int variable = 0;
        foreach (var s in _staged)
            foreach (var c in s.Configurations)
            {
                if (c.Index <= Map.BeginIndex) continue;
                configurations.Add(c);
                variable += c.Configuration.Encode().Length;
            }
        _journal.Gathering(0, 2 + configurations.Count, variable);
#if MUTANTS
        if (!Mutants.On(Mutant.AdoptionUnsaid))
#endif
        GatherFact(new BatchOp { Kind = OpKind.Cut, First = _staged[0].First }, urgent: true);
        GatherFact(new BatchOp { Kind = OpKind.Switch }, urgent: true);
        foreach (var c in configurations) GatherFact(new BatchOp { Kind = OpKind.Configuration, First = c.Index, Configuration = c.Configuration }, urgent: true);
        AdoptStaged();
    }

    /// <summary>The staged runs become the log from their first index on.</summary>
    private void AdoptStaged()
    {
        Truncate(_staged[0].First - 1);
        _unordered = true;
        foreach (var s in _staged)
            for (int k = 0; k < s.Positions.Count; k++)
            {
                if (s.First + k <= Map.BeginIndex)
                {
                    Release(s.Positions[k]); // a snapshot holds it by now
                    continue;
                }
                Invariant.That(s.First + k == Map.Last + 1, "AStagedRunJoinsTheLog");
                if (_positions.Count == 0) _positions.Reset(s.First + k);
                Map.Append(s.Term, s.Lengths[k]);
                _positions.Append(s.Positions[k]);
            }
        _staged.Clear();
    }
}
