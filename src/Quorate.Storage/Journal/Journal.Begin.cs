namespace Quorate.Storage;

/// <summary>From what recovery read to a journal that serves: the ring, the table, the partitions, and the opening (storage.md §2.3).</summary>
public sealed partial class Journal
{
    private readonly List<BatchOp> _atOpening = []; // what recovery decided and must say: a log that its snapshot replaces

    internal void Load(JournalRecovery recovery)
    {
        _table.Reset(recovery.Needed);
        foreach (var batch in recovery.Live)
        {
            ref var place = ref _table.Add(batch.Header.Number);
            place.Segment = batch.Segment;
            place.RegionAt = batch.Header.Offset + batch.Header.RegionOffset;
            place.RegionLength = batch.Header.RegionLength;
            _written += batch.Header.Length;
            place.Upto = _written;
            if (batch.Header.Is(BatchFlags.Opening)) _durableOpening = batch.Header.Number;
        }
        foreach (var p in recovery.Partitions.Values) Partition(p.Facts.Partition).Load(p);
        LoadRing(recovery);
        Damage = recovery.Damage;
        _nextNumber = recovery.Highest + 1;
        _lastNumber = recovery.Named;
        _lastChecksum = recovery.NamedChecksum;
        _durableNumber = recovery.Highest;
        _durableNeeded = recovery.Needed;
        _lastIsEmpty = true;
    }

    private void LoadRing(JournalRecovery recovery)
    {
        foreach (var segment in recovery.Segments)
        {
            _nextSegment = Math.Max(_nextSegment, segment.Number + 1);
            if (segment.LastBatch >= recovery.Needed && segment.LastBatch > 0)
            {
                int at = _ring.Count;
                while (at > 0 && _ring[at - 1].LastBatch > segment.LastBatch) at--;
                _ring.Insert(at, segment);
            }
            else if (segment.Length == _options.SegmentBytes && _spares.Count < SparesAtMost)
            {
                segment.LastBatch = 0;
                _spares.Add(segment);
            }
            else
            {
                segment.File.Dispose();
                _disk.Delete(segment.Path);
            }
        }
        long before = _written - (long)Math.Max(0, _ring.Count - 1) * _options.SegmentBytes;
        foreach (var segment in _ring)
        {
            segment.Before = before;
            before += segment.Length;
            segment.Used = segment.Length;
        }
        if (recovery.Top is { } top) top.Segment.Used = (int)Math.Min(top.Segment.Length, top.Header.Offset + top.Header.Length);
#if MUTANTS
        if (Mutants.On(Mutant.OpeningOverTheCut) && recovery.TopIsTorn) recovery.Top!.Segment.Used = (int)recovery.Top.Header.Offset;
#endif
    }

    /// <summary>The state of a partition is a snapshot's, which its log does not reach or contradicts: said in the opening.</summary>
    internal void SwitchAtOpening(int partition, in SnapshotIdentity snapshot, ConfigurationAt? configuration)
    {
        var log = Partition(partition);
        AddAtOpening(log, new BatchOp { Partition = partition, Kind = OpKind.Switch, Snapshot = snapshot });
        if (configuration is not null) AddAtOpening(log, new BatchOp { Partition = partition, Kind = OpKind.Configuration, First = configuration.Index, Configuration = configuration.Configuration });
        log.EmptyTo(snapshot);
    }

    /// <summary>A whole snapshot holds what is damaged in the log below it: the log begins there, and the mark loses those entries.</summary>
    internal void BeginAtOpening(int partition, in SnapshotIdentity snapshot)
    {
        var log = Partition(partition);
        AddAtOpening(log, new BatchOp { Partition = partition, Kind = OpKind.LogBegin, First = snapshot.Index, Term = snapshot.Term, Snapshot = snapshot });
        log.BeginTo(snapshot);
    }

    /// <summary>A staged run is damaged from this index on: a later stage must not be read as going on behind it.</summary>
    internal void CutStagedAtOpening(PartitionLog log, long first) => AddAtOpening(log, new BatchOp { Partition = log.Number, Kind = OpKind.Cut, Flag = true, First = first });

    private void AddAtOpening(PartitionLog log, in BatchOp op)
    {
        log.Facts.Apply(op);
        _atOpening.Add(op);
    }

    /// <summary>
    /// Writes the opening without runs, in a write and a sync of its own, before Start. Its number is one above the highest found anywhere; it names the highest that it does not cut:
    /// whatever stands between the two is cut for ever, however it reads later. It stands directly behind the highest batch found; nothing is written over a cut one, it is the evidence.
    /// </summary>
    internal void WriteOpening(JournalRecovery recovery)
    {
        var records = new ByteWriter(1024);
        int count = 0;
        foreach (var p in _partitions) count += p.Facts.WriteTo(records);
        foreach (var op in _atOpening)
        {
            op.Write(records);
            count++;
        }
        if (recovery.Top is { } top && !recovery.TopIsTorn && top.Header.Is(BatchFlags.Recovery) && SaysTheSame(top.Header, records))
        {
            foreach (var p in _partitions) p.Written.CopyFrom(p.Facts);
            return; // it was written again already (§2.2)
        }
#if MUTANTS
        if (Mutants.On(Mutant.NoOpeningAfterRecovery) && recovery.Highest > 0)
        {
            _nextNumber = recovery.Named + 1;
            foreach (var p in _partitions) p.Written.CopyFrom(p.Facts);
            return;
        }
#endif
        ulong number = recovery.Highest + 1;
#if MUTANTS
        if (Mutants.On(Mutant.OpeningTakesTheCutNumber)) number = recovery.Named + 1;
#endif
        var h = new BatchHeader { Flags = BatchFlags.Opening | BatchFlags.Recovery, Number = number, Previous = recovery.Named, PreviousChecksum = recovery.NamedChecksum };
#if MUTANTS
        if (Mutants.On(Mutant.OpeningNamesTheTorn) && recovery.TopIsTorn) (h.Previous, h.PreviousChecksum) = (recovery.Highest, recovery.Top!.Header.Checksum);
#endif
        h.Needed = Math.Min(_table.Trim(number), _durableOpening == 0 ? number : _durableOpening);
        int headerLength = BatchHeader.FixedBytes + records.Length, room = BatchHeader.RoundUp(headerLength);
        var segment = PlaceOpening(2 * room);
        h.Segment = segment.Number;
        h.Offset = segment.Used;
        h.Length = 2 * room;
        h.RegionOffset = Batch.RoundUp8(headerLength);
        h.WriteFixed(_header, _key);
        _header.Bytes(records.Written);
        h.Seal(_header, count);
        var bytes = new byte[h.Length];
        _header.Written.CopyTo(bytes);
        _header.Written.CopyTo(bytes.AsSpan(room));
        segment.File.Write(h.Offset, bytes);
        segment.File.Sync();
        segment.Used += h.Length;
        segment.LastBatch = number;
        ref var place = ref _table.Add(number);
        place.Segment = segment;
        place.Upto = _written += h.Length;
        foreach (var p in _partitions) p.Written.CopyFrom(p.Facts);
        _nextNumber = number + 1;
        _lastNumber = _durableNumber = _durableOpening = number;
        _lastChecksum = h.Checksum;
        _durableNeeded = h.Needed;
    }

    private Segment PlaceOpening(int length)
    {
        if (_ring.Count > 0 && _ring[^1].Used + length <= _ring[^1].Length) return _ring[^1];
        if (_spares.Count == 0)
        {
            var make = new MakeSegment(_folder, _nextSegment++, _options.SegmentBytes, _options.Level);
            make.Run(_disk);
            _spares.Add(make.Made!);
        }
        var segment = _spares[0];
        _spares.RemoveAt(0);
        segment.Used = 0;
        segment.Before = _written;
        _ring.Add(segment);
        return segment;
    }

    private static bool SaysTheSame(BatchHeader header, ByteWriter records)
    {
        var own = new ByteWriter(records.Length);
        foreach (ref readonly var op in header.Ops.AsSpan()) op.Write(own);
        return own.Written.SequenceEqual(records.Written);
    }
}
