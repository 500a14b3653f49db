namespace Quorate.Simulation;

/// <summary>What stands behind a name of the simulated disk: the bytes that every reader sees, the bytes that a power cut leaves, and the writes between the two.</summary>
internal sealed class SimFile
{
    private const int SectorBytes = 512;
    private readonly List<(long Offset, byte[]? Bytes, long Length)> _unsynced = []; // no bytes: a change of length
    private byte[] _cache = [], _durable = [];

    public long Length { get; private set; }
    public long DurableLength { get; private set; }
    public bool HasUnsynced => _unsynced.Count > 0;

    /// <summary>4 KiB blocks that cannot be read (EIO).</summary>
    public List<long> Unreadable { get; } = [];

    public int Read(long offset, Span<byte> into, bool pastCache)
    {
        // Past the cache a reader sees what reached the device; writing back what is dirty before it is what O_DIRECT does as well.
        if (pastCache && !HasUnsynced) return Copy(_durable, DurableLength, offset, into);
        return Copy(_cache, Length, offset, into);
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        Put(ref _cache, offset, bytes);
        Length = Math.Max(Length, offset + bytes.Length);
        long end = offset + bytes.Length;
        if (Unreadable.Count > 0) Unreadable.RemoveAll(b => b >= offset && b + Limits.BlockBytes <= end); // a device writes a bad block elsewhere
        _unsynced.Add((offset, bytes.ToArray(), 0));
    }

    public void SetLength(long length)
    {
        Resize(ref _cache, Length, length);
        Length = length;
        _unsynced.Add((0, null, length));
    }

    public void Sync()
    {
        foreach (var (offset, bytes, length) in _unsynced) Apply(offset, bytes, length);
        _unsynced.Clear();
    }

    /// <summary>A sync that failed: some of it reached the device, and the pages are called clean, so that no later sync writes them (raft.md §15.2).</summary>
    public void FailSync(ref Prng chance)
    {
        Lose(ref chance);
    }

    /// <summary>The power went: any subset of the sectors that were not synced is there, and the readers' view is what is left.</summary>
    public void CutPower(ref Prng chance)
    {
        Lose(ref chance);
        Length = DurableLength;
        _cache = _durable.AsSpan(0, (int)Math.Min(_durable.Length, DurableLength)).ToArray();
    }

    public void Flip(long offset, int bit)
    {
        if (offset < DurableLength) _durable[offset] ^= (byte)(1 << bit);
        if (offset < Length) _cache[offset] ^= (byte)(1 << bit);
    }

    private void Lose(ref Prng chance)
    {
        double keep = chance.Below(4) switch { 0 => 0, 1 => 1, 2 => 0.5, _ => 0.05 + 0.9 * chance.Below(1000) / 1000 };
        foreach (var (offset, bytes, length) in _unsynced)
        {
            if (bytes is null)
            {
                if (chance.Chance(keep)) Apply(0, null, length);
                continue;
            }
            for (long at = 0; at < bytes.Length;)
            {
                int piece = (int)Math.Min(bytes.Length - at, SectorBytes - (offset + at) % SectorBytes);
                if (chance.Chance(keep)) Apply(offset + at, bytes.AsSpan((int)at, piece));
                at += piece;
            }
        }
        _unsynced.Clear();
    }

    private void Apply(long offset, byte[]? bytes, long length)
    {
        if (bytes is not null)
        {
            Apply(offset, bytes);
            return;
        }
        Resize(ref _durable, DurableLength, length);
        DurableLength = length;
    }

    private void Apply(long offset, ReadOnlySpan<byte> bytes)
    {
        Put(ref _durable, offset, bytes);
        DurableLength = Math.Max(DurableLength, offset + bytes.Length);
    }

    private static int Copy(byte[] from, long length, long offset, Span<byte> into)
    {
        int count = (int)Math.Max(0, Math.Min(into.Length, length - offset));
        int held = (int)Math.Max(0, Math.Min(count, from.Length - offset));
        if (held > 0) from.AsSpan((int)offset, held).CopyTo(into);
        into[held..count].Clear();
        return count;
    }

    private static void Put(ref byte[] into, long offset, ReadOnlySpan<byte> bytes)
    {
        long end = offset + bytes.Length;
        if (end > into.Length) Array.Resize(ref into, (int)Math.Max(end, Math.Min(into.Length * 2L, 1 << 26)));
        bytes.CopyTo(into.AsSpan((int)offset));
    }

    private static void Resize(ref byte[] bytes, long from, long to)
    {
        if (to < from && to < bytes.Length) bytes.AsSpan((int)to, (int)Math.Min(from, bytes.Length) - (int)to).Clear();
    }
}
