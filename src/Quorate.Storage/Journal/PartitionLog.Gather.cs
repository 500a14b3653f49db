namespace Quorate.Storage;

/// <summary>Taking in what a core persists: records and bytes go straight into the batch that gathers, the map and the positions follow (storage.md §1.4).</summary>
public sealed partial class PartitionLog
{
    /// <summary>A run that is live and not yet in the log.</summary>
    private sealed record StagedRun(long First, ulong Term, List<Position> Positions, List<int> Lengths)
    {
        /// <summary>Configurations among them, which rule once the run is adopted.</summary>
        public List<ConfigurationAt> Configurations { get; } = [];
    }

    private readonly List<StagedRun> _staged = [];
    private ulong _runBatch; // where the last run of this partition can still grow
    private int _runOp;

    /// <summary>Takes one Persist, in the order of tickets.</summary>
    public void Gather(in Verb persist, ReadOnlySpan<Entry> entries)
    {
        switch (persist.Persist)
        {
            case PersistKind.Promise:
                GatherFact(new BatchOp { Kind = OpKind.Promise, Promise = persist.Promise }, urgent: true);
                break;
            case PersistKind.Append:
                GatherRun(OpKind.Append, persist.First, persist.Term, entries);
                break;
            case PersistKind.Put:
                Invariant.That(persist.First <= Map.Last + 1 && persist.First > Map.BeginIndex, "APutLeavesNoHole");
                GatherRun(OpKind.Put, persist.First, persist.Term, entries);
                break;
            case PersistKind.Stage:
                GatherRun(OpKind.Stage, persist.First, persist.Term, entries);
                break;
            case PersistKind.Stamp:
                GatherFact(new BatchOp { Kind = OpKind.Stamp, First = persist.First, Last = persist.Last, Term = persist.Term }, urgent: false);
                Stamp(persist.First, persist.Last, persist.Term);
                break;
            case PersistKind.Cut:
                GatherFact(new BatchOp { Kind = OpKind.Cut, First = persist.First }, urgent: true);
                Truncate(persist.First - 1);
                break;
            case PersistKind.Switch:
                GatherSwitch(persist);
                break;
            case PersistKind.LogBegin:
                Invariant.That(persist.First >= Map.BeginIndex, "TheBeginOfALogNeverFalls");
                GatherFact(new BatchOp { Kind = OpKind.LogBegin, First = persist.First, Term = persist.Term, Snapshot = persist.Snapshot }, urgent: true);
                BeginAt(persist.First, persist.Term);
                break;
            default:
                throw new InvariantException("ACorePersistsWhatJournalsKnow", $"kind {persist.Persist}");
        }
        (_journal.Current ?? _journal.Gathering(0, 0)).Touch(this, persist.Ticket);
    }

    private void GatherFact(in BatchOp op, bool urgent)
    {
        int variable = op.Configuration?.Encode().Length ?? 0;
        var batch = _journal.Gathering(0, 1, variable);
        ref var added = ref batch.Add(Number, op.Kind, variable);
        added = op with { Partition = Number };
        batch.Urgent |= urgent;
        _facts.Apply(added);
        if (op.Kind != OpKind.Promise && op.Kind != OpKind.Configuration) _runBatch = 0;
    }

    private void GatherSwitch(in Verb persist)
    {
        var snapshot = persist.Snapshot;
        if (snapshot.IsNone)
        {
            GatherAdoption();
            return;
        }
        Invariant.That(snapshot.Index >= Map.BeginIndex, "TheBeginOfALogNeverFalls");
        bool keepTail = persist.KeepTail && Map.Matches(snapshot.Index, snapshot.Term); // what is written is what is done: recovery must not keep a tail that went
        GatherFact(new BatchOp { Kind = OpKind.Switch, Flag = keepTail, Snapshot = snapshot }, urgent: true);
        if (_journal.InstalledConfiguration(Number, persist.Body) is { } at) GatherFact(new BatchOp { Kind = OpKind.Configuration, First = at.Index, Configuration = at.Configuration }, urgent: true);
        if (keepTail) BeginAt(snapshot.Index, snapshot.Term);
        else EmptyAt(snapshot.Index, snapshot.Term);
        BaseLost = false;
        SnapshotIs(snapshot, WrittenMark);
        _journal.Switched(Number, persist.Body);
    }

    private void GatherRun(OpKind kind, long first, ulong term, ReadOnlySpan<Entry> entries)
    {
        if (kind == OpKind.Append && entries.Length == 0) GatherFact(new BatchOp { Kind = OpKind.Cut, First = first }, urgent: true);
        if (kind == OpKind.Append)
        {
            Invariant.That(first <= Map.Last + 1 && first > Map.BeginIndex, "AnAppendJoinsTheLog");
            if (first <= Map.Last) Truncate(first - 1);
        }
        else _runBatch = 0;
        for (int i = 0; i < entries.Length; i++)
        {
            ref readonly var payload = ref entries[i];
            GatherEntry(kind, first + i, term, payload.Kind, payload.Payload.Checksum, payload.Payload.Span, staged: kind == OpKind.Stage);
        }
    }

    /// <summary>One entry's record behind the partition's open run, or in a new one.</summary>
    private void GatherEntry(OpKind kind, long index, ulong term, EntryKind what, uint checksum, ReadOnlySpan<byte> payload, bool staged)
    {
        Invariant.That(payload.Length <= _journal.Options.MaxEntryBytes, "AnEntryIsWithinMaxEntryBytes");
        int bytes = EntryRecord.BytesOf(payload.Length);
        var configuration = what == EntryKind.Configuration && kind != OpKind.Moved ? ClusterConfiguration.Decode(payload) : null;
        var batch = _journal.Gathering(bytes, configuration is null ? 1 : 2, configuration is null ? 0 : payload.Length);
        int at = batch.RegionLength;
        EntryRecord.Write(_journal.TakeRegion(batch, bytes), Number, index, what, checksum, payload);
        batch.Ordinary |= kind != OpKind.Moved;
        batch.Urgent |= kind == OpKind.Moved;
        CountWritten(bytes);
        if (!TryGrowRun(batch, kind, index, term, at, bytes))
        {
            ref var op = ref batch.Add(Number, kind);
            op.Flag = staged && kind == OpKind.Moved;
            op.First = op.Last = index;
            op.Term = term;
#if MUTANTS
            if (kind == OpKind.Moved && Mutants.On(Mutant.MovedUnderOldStamp) && !staged && _born.TryGetValue(index, out ulong born)) op.Term = born;
            if (Mutants.On(Mutant.MovedStagedAsLog)) op.Flag = false;
#endif
            op.Offset = at;
            op.Length = bytes;
            _runBatch = batch.Number;
            _runOp = batch.OpCount - 1;
            if (kind == OpKind.Append) _facts.Apply(op);
        }
        if (!staged && kind != OpKind.Append) _facts.Apply(new BatchOp { Kind = kind, First = index, Last = index });
        Place(kind, index, term, payload.Length, new Position((uint)batch.Number, (uint)at), batch.Number, staged);
        if (configuration is null) return;
        if (staged)
        {
            _staged[^1].Configurations.Add(new ConfigurationAt(index, configuration)); // said when it is adopted
            return;
        }
        ref var said = ref batch.Add(Number, OpKind.Configuration, payload.Length);
        said.First = index;
        said.Configuration = configuration;
        _facts.Apply(said);
    }

    private bool TryGrowRun(Batch batch, OpKind kind, long index, ulong term, int at, int bytes)
    {
        if (_runBatch != batch.Number) return false;
        ref var run = ref batch.Ops[_runOp];
        if (run.Kind != kind || run.Term != term || run.Last != index - 1 || run.Offset + run.Length != at) return false;
        run.Last = index;
        run.Length += bytes;
        return true;
    }

#if MUTANTS
    private readonly SortedDictionary<long, ulong> _born = []; // the term that an index was written under
#endif

    /// <summary>The map and the positions follow one record.</summary>
    private void Place(OpKind kind, long index, ulong term, int payloadBytes, Position position, ulong number, bool staged)
    {
        _journal.Table[number].Live++;
#if MUTANTS
        if (kind != OpKind.Moved) _born[index] = term;
#endif
        if (staged)
        {
            if (kind == OpKind.Moved) MoveStaged(index, position);
            else Stage(index, term, payloadBytes, position);
            return;
        }
        if (index == Map.Last + 1)
        {
            if (Map.IsEmpty && _positions.Count == 0) _positions.Reset(index);
            Map.Append(term, payloadBytes);
            _positions.Append(position);
            return;
        }
        Release(_positions[index]);
        _positions[index] = position;
        _unordered = true;
        if (!Map.Matches(index, term) || Map.BytesOf(index, index) != payloadBytes) Rewrite(index, index, term, payloadBytes);
    }

    private void Truncate(long last)
    {
        if (last >= Map.Last) return;
        for (long i = Math.Max(last, Map.BeginIndex) + 1; i <= Map.Last; i++) Release(_positions[i]);
        _positions.DropLast(Map.Last - Math.Max(last, Map.BeginIndex));
        Map.TruncateAfter(Math.Max(last, Map.BeginIndex));
    }

    private void BeginAt(long index, ulong term)
    {
        if (index > Map.Last)
        {
            EmptyAt(index, term);
            return;
        }
        long gone = index - Map.BeginIndex;
        if (gone <= 0) return;
        for (long i = Map.First; i <= index; i++) Release(_positions[i]);
        _positions.DropFirst(gone);
        Map.BeginAt(index);
    }

    private void EmptyAt(long index, ulong term)
    {
        for (long i = Map.First; i <= Map.Last; i++) Release(_positions[i]);
        Map.Reset(index, term);
        _positions.Reset(index + 1);
        _unordered = false;
    }

    private void Release(Position position)
    {
        if (!position.IsDamaged) _journal.Table[_journal.Table.NumberOf(position.Batch)].Live--;
    }
}
