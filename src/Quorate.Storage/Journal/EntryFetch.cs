namespace Quorate.Storage;

/// <summary>
/// Entries of one range, fetched from the segments beside the work, and handed out as the log hands out its recent ones. One range at a time; its buffer is used again.
/// What the log says of an entry when it is asked for counts, not what it said when the read began: an entry that was written again, moved or cut since is the log's to answer for. A batch's number is never
/// used twice, so that an equal position is the same record.
/// </summary>
public sealed class EntryFetch : IEntrySource
{
    private readonly PartitionLog _log;
    private readonly ReadEntriesWork _work;
    private readonly bool _staged;
    private (Position Position, int At)[] _entries = [];
    private long _first;
    private int _count;

    public EntryFetch(PartitionLog log)
        : this(log, staged: false)
    {
    }

    internal EntryFetch(PartitionLog log, bool staged)
    {
        _log = log;
        _staged = staged;
        _work = new ReadEntriesWork(this);
    }

    /// <summary>The disk has it; nothing can be begun.</summary>
    public bool IsReading { get; private set; }

    /// <summary>It was fetched, or is on its way.</summary>
    public bool Covers(long index) => index >= _first && index < _first + _count;

    /// <summary>Begins to fetch a range, in the place of what it held. What is recent is copied now: it may be gone when the rest is here.</summary>
    public void Begin(long first, long last)
    {
        Invariant.That(!IsReading, "OneRangeAtATime");
        _work.Clear();
        _first = first;
        _count = 0;
        for (long i = first; i <= last; i++)
        {
            if (_count == _entries.Length) Array.Resize(ref _entries, Math.Max(64, _entries.Length * 2));
            _entries[_count++] = Locate(i);
        }
        if (_work.Pieces.Length == 0) return;
        IsReading = true;
        _log.Submit(_work);
    }

    public EntryRead Read(long index, out EntryView entry)
    {
        entry = default;
        if (Covers(index) && _log.TryLocate(index, _staged, out var position, out ulong term, out int payloadBytes) && _entries[index - _first] is var held && held.At >= 0 && held.Position == position)
        {
            if (IsReading) return EntryRead.Later;
            if (PartitionLog.TryView(_work.Bytes.AsSpan(held.At, EntryRecord.BytesOf(payloadBytes)), _log.Number, index, term, out entry)) return EntryRead.Here;
            _log.NoteBad(index, position);
            return EntryRead.Gone;
        }
        return _staged ? _log.ReadStaged(index, out entry) : _log.Read(index, out entry);
    }

    /// <summary>The read has ended, well or not: each record says by its checksum.</summary>
    internal void Arrived()
    {
        IsReading = false;
        if (_work.Failure is not null) _work.Bytes.AsSpan(0, _work.Length).Clear();
    }

    private (Position Position, int At) Locate(long index)
    {
        if (!_log.TryLocate(index, _staged, out var position, out _, out int payloadBytes) || position.IsDamaged) return (Position.Damaged, -1);
        int bytes = EntryRecord.BytesOf(payloadBytes);
        ref var place = ref _log.PlaceOf(position);
        if (place.Chunk is { } chunk)
        {
            int at = _work.Take(bytes);
            chunk.Bytes.AsSpan(place.ChunkAt + (int)position.Offset, bytes).CopyTo(_work.Bytes.AsSpan(at));
            return (position, at);
        }
        if (place.Segment is null || position.Offset + bytes > place.RegionLength) return (Position.Damaged, -1);
        return (position, _work.Add(place.Segment, place.RegionAt + position.Offset, bytes));
    }
}
