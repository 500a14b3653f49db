namespace Quorate.Storage;

/// <summary>A piece of the newest batches' bytes, in memory. Reused when its last batch is old enough.</summary>
internal sealed class Chunk(int size)
{
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(size);
    public int Used { get; set; }
    public ulong FirstBatch { get; set; }
    public ulong LastBatch { get; set; }
}

/// <summary>Where a live batch stands.</summary>
internal struct BatchPlace
{
    public Segment? Segment;      // null while it gathers or waits
    public long RegionAt;         // of its region in the segment's file
    public int RegionLength;
    public int Live;              // entries that live in it
    public Chunk? Chunk;          // its region in memory, while it is recent
    public int ChunkAt;
    public long Upto;             // bytes of journal up to its end, counted from the start of this run
}

/// <summary>
/// The batches that the live log lies in, by number; its first one with a live entry is "the oldest batch still needed" as far as entries go (storage.md §1.5).
/// Numbers that were never written stand in it empty.
/// </summary>
internal sealed class BatchTable
{
    private BatchPlace[] _places = new BatchPlace[256];
    private int _head, _count;

    public ulong First { get; private set; } = 1;

    /// <summary>One above the highest number in it.</summary>
    public ulong End => First + (ulong)_count;

    public void Reset(ulong first)
    {
        Array.Clear(_places);
        _head = _count = 0;
        First = first;
    }

    public bool Has(ulong number) => number >= First && number < End;

    public ref BatchPlace this[ulong number] => ref _places[(_head + (int)(number - First)) & (_places.Length - 1)];

    /// <summary>The number of a batch from the low half that a position keeps: fewer than 2^32 batches are live at once.</summary>
    public ulong NumberOf(uint low) => First + (uint)(low - (uint)First);

    /// <summary>Adds numbers up to and including this one.</summary>
    public ref BatchPlace Add(ulong number)
    {
        while (End <= number)
        {
            if (_count == _places.Length) Grow();
            _places[(_head + _count) & (_places.Length - 1)] = default;
            _count++;
        }
        return ref this[number];
    }

    /// <summary>Forgets batches without live entries below <paramref name="limit"/> and returns the oldest number that stays (at most the limit).</summary>
    public ulong Trim(ulong limit)
    {
        while (_count > 0 && First < limit && _places[_head].Live == 0)
        {
            _places[_head] = default;
            _head = (_head + 1) & (_places.Length - 1);
            _count--;
            First++;
        }
        if (_count == 0 && First < limit) First = limit;
        return Math.Min(First, limit);
    }

    private void Grow()
    {
        var grown = new BatchPlace[_places.Length * 2];
        for (int i = 0; i < _count; i++) grown[i] = _places[(_head + i) & (_places.Length - 1)];
        _places = grown;
        _head = 0;
    }
}
