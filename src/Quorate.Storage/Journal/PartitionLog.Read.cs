using System.Globalization;

namespace Quorate.Storage;

/// <summary>Reading entries: at once from the recent bytes, else by an <see cref="EntryFetch"/>. Only recovery waits for the disk.</summary>
public sealed partial class PartitionLog
{
    private const int NotedAtMost = 64;
    private readonly List<Position> _noted = []; // bad records that were named

    public EntryRead Read(long index, out EntryView entry)
    {
        entry = default;
        return TryLocate(index, staged: false, out var position, out ulong term, out _) ? Read(position, index, term, out entry) : EntryRead.Gone;
    }

    /// <summary>An entry of a staged run (storage.md §1.4).</summary>
    public EntryRead ReadStaged(long index, out EntryView entry)
    {
        entry = default;
        return TryLocate(index, staged: true, out var position, out ulong term, out _) ? Read(position, index, term, out entry) : EntryRead.Gone;
    }

    /// <summary>The same for recovery, and whoever may wait for a disk.</summary>
    internal bool TryReadNow(long index, out EntryView entry, bool staged = false)
    {
        entry = default;
        if (!TryLocate(index, staged, out var position, out ulong term, out int payloadBytes)) return false;
        var read = Read(position, index, term, out entry);
        if (read != EntryRead.Later) return read == EntryRead.Here;
        ref var place = ref PlaceOf(position);
        var record = new byte[EntryRecord.BytesOf(payloadBytes)];
        return position.Offset + record.Length <= place.RegionLength && JournalScan.TryRead(place.Segment!.File, place.RegionAt + position.Offset, record) && TryView(record, Number, index, term, out entry);
    }

    internal ref BatchPlace PlaceOf(Position position) => ref _journal.Table[_journal.Table.NumberOf(position.Batch)];

    internal void Submit(ReadEntriesWork work) => _journal.Submit(work);

    /// <summary>Where the log says that an entry stands; false when it says nothing of it.</summary>
    internal bool TryLocate(long index, bool staged, out Position position, out ulong term, out int payloadBytes)
    {
        (position, term, payloadBytes) = (default, 0, 0);
        if (!staged)
        {
            if (index <= Map.BeginIndex || index > Map.Last || !Map.TryTermOf(index, out term)) return false;
            (position, payloadBytes) = (_positions[index], (int)Map.BytesOf(index, index));
            return true;
        }
        foreach (var s in _staged)
        {
            if (index < s.First || index >= s.First + s.Positions.Count) continue;
            (position, term, payloadBytes) = (s.Positions[(int)(index - s.First)], s.Term, s.Lengths[(int)(index - s.First)]);
            return true;
        }
        return false;
    }

    /// <summary>A whole record's bytes as an entry; false when they are not this entry's, or not whole.</summary>
    internal static bool TryView(ReadOnlySpan<byte> record, int partition, long index, ulong term, out EntryView entry)
    {
        entry = default;
        if (!EntryRecord.TryReadHead(record, partition, index, out int length, out uint checksum, out var kind) || EntryRecord.HeadBytes + length > record.Length) return false;
        var payload = record.Slice(EntryRecord.HeadBytes, length);
        if (Crc32C.Of(payload) != checksum) return false; // gone bad since: the asker must fetch it elsewhere
        entry = new EntryView { Index = index, Term = term, Kind = kind, Checksum = checksum, Payload = payload };
        return true;
    }

    /// <summary>Names a record that has gone bad since it was written, once: file and offset (storage.md §2.1).</summary>
    internal void NoteBad(long index, Position position)
    {
        if (_noted.Contains(position)) return;
        if (_noted.Count == NotedAtMost) _noted.RemoveAt(0);
        _noted.Add(position);
        ref var place = ref PlaceOf(position);
        _journal.NoteDamage(string.Create(CultureInfo.InvariantCulture, $"partition {Number}: entry {index} is damaged since it was written: file {place.Segment?.Path}, offset {place.RegionAt + position.Offset}, batch {_journal.Table.NumberOf(position.Batch)}"));
    }

    private EntryRead Read(Position position, long index, ulong term, out EntryView entry)
    {
        entry = default;
        if (position.IsDamaged) return EntryRead.Gone;
        ref var place = ref PlaceOf(position);
        if (place.Chunk is not { } chunk) return place.Segment is null ? EntryRead.Gone : EntryRead.Later;
        var record = chunk.Bytes.AsSpan(place.ChunkAt + (int)position.Offset);
        if (!EntryRecord.TryReadHead(record, Number, index, out int length, out uint checksum, out var kind)) return EntryRead.Gone;
        entry = new EntryView { Index = index, Term = term, Kind = kind, Checksum = checksum, Payload = record.Slice(EntryRecord.HeadBytes, length) };
        return EntryRead.Here;
    }
}
