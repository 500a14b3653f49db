namespace Quorate.Storage;

/// <summary>Sealing a batch: place, opening, both headers, and off to the disk (storage.md §1.2 to §1.5).</summary>
public sealed partial class Journal
{
    private readonly BatchHeader _sealing = new();

    /// <summary>Submits the next batch when none is being written: N+1 is written only after N's sync returned (§1.2).</summary>
    private void SubmitNext()
    {
        if (_writing is not null) return;
        if (!_closed.TryPeek(out var batch))
        {
            if (_gathering is null) return;
            batch = _gathering;
        }
        _held = !TryPlace(batch, out var segment);
        if (_held) return;
        if (_closed.Count > 0) _closed.Dequeue();
        else _gathering = null;
        if (segment != _ring[^1]) EnterSegment(segment, batch);
        Seal(batch, segment);
        _writing = batch;
        _write.Segment = segment;
        _write.Bytes = batch.Chunk.Bytes;
        _write.Start = batch.Start;
        _write.Length = batch.Length;
        _write.Offset = segment.Used - batch.Length;
        _write.Failure = null;
        _emptyAt = Instant.Never;
        _lastIsEmpty = false;
#if MUTANTS
        if (Mutants.On(Mutant.AcknowledgeBeforeSync)) Report(batch);
#endif
        _disk.Submit(DiskQueue.Journal, _write);
        if (batch.Opening) ConsiderMoves();
    }

    private void EnterSegment(Segment segment, Batch batch)
    {
        _spares.Remove(segment);
        segment.Used = 0;
        segment.Before = _written;
        _ring.Add(segment);
        batch.Opening = true;
    }

    private void Seal(Batch batch, Segment segment)
    {
        var h = _sealing;
        h.Flags = (batch.Opening ? BatchFlags.Opening : 0) | (batch.IsEmptyBatch ? BatchFlags.Empty : 0);
        h.Segment = segment.Number;
        h.Offset = segment.Used;
        h.Number = batch.Number;
        h.Previous = _lastNumber;
        h.PreviousChecksum = _lastChecksum;
        // Never above the newest opening whose sync had returned before this header was written (§1.5).
        h.Needed = batch.SealedNeeded = Math.Min(batch.Needed, _durableOpening);
#if MUTANTS
        if (Mutants.On(Mutant.PromiseLeavesWithSegment)) h.Needed = batch.SealedNeeded = batch.Needed;
        if (Mutants.On(Mutant.OpeningCountsItself)) h.Needed = batch.SealedNeeded = Math.Min(batch.Needed, batch.Opening ? batch.Number : _durableOpening);
        if (Mutants.On(Mutant.NeededCountsOwnBatch)) h.Needed = batch.SealedNeeded = Math.Min(_table.Trim(batch.Number), batch.Opening ? batch.Number : _durableOpening);
#endif
        h.RegionLength = batch.RegionLength;
        h.WriteFixed(_header, _key);
        int records = batch.Opening ? WriteFacts(_header) : 0;
        var region = batch.Chunk.Bytes.AsSpan(batch.RegionStart, batch.RegionLength);
        foreach (ref var op in batch.Ops)
        {
            if (op.HasBytes) op.Checksum = Crc32C.Of(region.Slice(op.Offset, op.Length));
            op.Write(_header);
            _partitions[IndexOf(op.Partition)].Written.Apply(op);
        }
        records += batch.OpCount;
        Frame(batch, h, records);
        ref var place = ref _table[batch.Number];
        place.Segment = segment;
        place.RegionAt = h.Offset + h.RegionOffset;
        place.RegionLength = batch.RegionLength;
        segment.Used += batch.Length;
        segment.LastBatch = batch.Number;
        _written += batch.Length;
        place.Upto = _written;
        _lastNumber = batch.Number;
        _lastChecksum = h.Checksum;
        int shares = batch.TouchedCount;
        foreach (ref readonly var t in batch.Touched) t.Log.CountWritten((batch.Length - batch.RegionLength) / shares);
    }

    /// <summary>Puts the header before and behind the region, in one contiguous piece of memory.</summary>
    private void Frame(Batch batch, BatchHeader h, int records)
    {
        int front = Batch.RoundUp8(_header.Length), back = BatchHeader.RoundUp(_header.Length);
        int room = Math.Max(batch.FrontRoom, front);
        int backAt = BatchHeader.RoundUp(room + batch.RegionLength);
        batch.Length = backAt + back;
        if (front > batch.FrontRoom || batch.Start + batch.Length > (batch.Limit > 0 ? batch.Limit : batch.Chunk.Bytes.Length)) MoveToLarger(batch, room, batch.Length);
        Invariant.That(h.Offset + batch.Length <= _ring[^1].Length, "ABatchFitsItsSegment");
        h.RegionOffset = batch.FrontRoom;
        h.Length = batch.Length;
        h.Seal(_header, records);
        var bytes = batch.Chunk.Bytes.AsSpan(batch.Start, batch.Length);
        _header.Written.CopyTo(bytes);
        bytes[_header.Length..batch.FrontRoom].Clear();
        bytes[(batch.FrontRoom + batch.RegionLength)..].Clear();
#if MUTANTS
        if (!Mutants.On(Mutant.HeaderBehindLeftOut))
#endif
        _header.Written.CopyTo(bytes[backAt..]);
        batch.Chunk.Used = Math.Max(batch.Chunk.Used, batch.Start + batch.Length);
    }

    /// <summary>An opening's facts, as the batches before it left them: never what later ones, still gathering, have changed.</summary>
    private int WriteFacts(ByteWriter into)
    {
        int records = 0;
        foreach (var p in _partitions)
        {
#if MUTANTS
            if (Mutants.On(Mutant.PromiseLeavesWithSegment)) continue;
            if (Mutants.On(Mutant.FactsFromWhatGathers))
            {
                records += p.Facts.WriteTo(into);
                continue;
            }
#endif
            records += p.Written.WriteTo(into);
        }
        return records;
    }

    private int IndexOf(int partition)
    {
        int low = 0, high = _partitions.Count - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_partitions[middle].Number < partition) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
