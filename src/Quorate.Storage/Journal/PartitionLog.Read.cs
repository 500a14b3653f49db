namespace Quorate.Storage;

/// <summary>Reading entries: from the recent bytes, else from the segment through a window that is read ahead.</summary>
public sealed partial class PartitionLog
{
    private const int WindowBytes = 256 * 1024;
    private byte[] _window = [];
    private ulong _windowBatch;
    private int _windowAt, _windowLength;

    public bool TryRead(long index, out EntryView entry)
    {
        entry = default;
        if (index <= Map.BeginIndex || index > Map.Last || !Map.TryTermOf(index, out ulong term)) return false;
        return TryRead(_positions[index], index, term, (int)Map.BytesOf(index, index), out entry);
    }

    /// <summary>An entry of a staged run (storage.md §1.4).</summary>
    public bool TryReadStaged(long index, out EntryView entry)
    {
        entry = default;
        foreach (var s in _staged)
            if (index >= s.First && index < s.First + s.Positions.Count) return TryRead(s.Positions[(int)(index - s.First)], index, s.Term, s.Lengths[(int)(index - s.First)], out entry);
        return false;
    }

    private bool TryRead(Position position, long index, ulong term, int payloadBytes, out EntryView entry)
    {
        entry = default;
        if (position.IsDamaged) return false;
        ulong number = _journal.Table.NumberOf(position.Batch);
        ref var place = ref _journal.Table[number];
        ReadOnlySpan<byte> record;
        if (place.Chunk is { } chunk)
        {
            record = chunk.Bytes.AsSpan(place.ChunkAt + (int)position.Offset);
            if (!EntryRecord.TryReadHead(record, Number, index, out int length, out uint checksum, out var kind)) return false;
            entry = new EntryView { Index = index, Term = term, Kind = kind, Checksum = checksum, Payload = record.Slice(EntryRecord.HeadBytes, length) };
            return true;
        }
        int need = EntryRecord.BytesOf(payloadBytes);
        if (!TryWindow(number, ref place, (int)position.Offset, need, out record)) return false;
        if (!EntryRecord.TryReadHead(record, Number, index, out int bytes, out uint sum, out var what) || EntryRecord.HeadBytes + bytes > record.Length) return false;
        var payload = record.Slice(EntryRecord.HeadBytes, bytes);
        if (Crc32C.Of(payload) != sum) return false; // gone bad since: the asker must fetch it elsewhere
        entry = new EntryView { Index = index, Term = term, Kind = what, Checksum = sum, Payload = payload };
        return true;
    }

    /// <summary>The bytes of a batch's region from an offset on, at least <paramref name="need"/> of them. A batch's number is never used twice, so the window cannot be stale.</summary>
    private bool TryWindow(ulong number, ref BatchPlace place, int offset, int need, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (place.Segment is null || offset + need > place.RegionLength) return false;
        if (_windowBatch != number || offset < _windowAt || offset + need > _windowAt + _windowLength)
        {
            int length = Math.Min(Math.Max(need, WindowBytes), place.RegionLength - offset);
            if (_window.Length < length) _window = new byte[Math.Max(length, Math.Min(WindowBytes, place.RegionLength))];
            _windowBatch = 0;
            if (!JournalScan.TryRead(place.Segment.File, place.RegionAt + offset, _window.AsSpan(0, length)))
            {
                // An unreadable block counts as a bad one (§1.3); one that stands behind the entry spoils only the reading ahead.
                length = need;
                if (!JournalScan.TryRead(place.Segment.File, place.RegionAt + offset, _window.AsSpan(0, length))) return false;
            }
            _windowBatch = number;
            _windowAt = offset;
            _windowLength = length;
        }
        bytes = _window.AsSpan(offset - _windowAt, _windowLength - (offset - _windowAt));
        return true;
    }
}
