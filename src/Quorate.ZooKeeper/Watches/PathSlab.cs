namespace Quorate.ZooKeeper;

/// <summary>Keeps path bytes in pieces of 16 x 2^k inside chunks of 64 KiB, and gives freed pieces out again: a watch costs no object.</summary>
internal sealed class PathSlab
{
    private const int ChunkBytes = 64 * 1024;
    private const int SmallestBits = 4;
    private const int LargestBits = 16;

    private readonly List<byte[]> _chunks = [];
    private readonly List<int>[] _free = new List<int>[LargestBits - SmallestBits + 1];
    private readonly List<byte[]?> _large = [];
    private readonly List<int> _freeLarge = [];
    private int _used = ChunkBytes;

    public PathSlab()
    {
        for (int i = 0; i < _free.Length; i++) _free[i] = [];
    }

    /// <summary>Copies the bytes and returns their handle. Longer ones than a chunk get an array of their own, named by a negative handle.</summary>
    public int Keep(ReadOnlySpan<byte> bytes)
    {
        int k = Class(bytes.Length);
        if (k < 0) return KeepLarge(bytes);
        int handle;
        var free = _free[k];
        if (free.Count > 0)
        {
            handle = free[^1];
            free.RemoveAt(free.Count - 1);
        }
        else
        {
            handle = Cut(1 << (k + SmallestBits));
        }
        bytes.CopyTo(_chunks[handle >> 12].AsSpan((handle & 0xfff) << SmallestBits));
        return handle;
    }

    public ReadOnlySpan<byte> At(int handle, int length) =>
        handle < 0 ? _large[~handle].AsSpan(0, length) : _chunks[handle >> 12].AsSpan((handle & 0xfff) << SmallestBits, length);

    public void Free(int handle, int length)
    {
        if (handle < 0)
        {
            _large[~handle] = null;
            _freeLarge.Add(~handle);
        }
        else
        {
            _free[Class(length)].Add(handle);
        }
    }

    private static int Class(int length)
    {
        int bits = SmallestBits;
        while (bits <= LargestBits && 1 << bits < length) bits++;
        return bits > LargestBits ? -1 : bits - SmallestBits;
    }

    private int KeepLarge(ReadOnlySpan<byte> bytes)
    {
        if (_freeLarge.Count == 0)
        {
            _large.Add(bytes.ToArray());
            return ~(_large.Count - 1);
        }
        int slot = _freeLarge[^1];
        _freeLarge.RemoveAt(_freeLarge.Count - 1);
        _large[slot] = bytes.ToArray();
        return ~slot;
    }

    /// <summary>A new piece from the newest chunk; what is left of a chunk that is too small for it goes to the free lists.</summary>
    private int Cut(int size)
    {
        if (ChunkBytes - _used < size)
        {
            for (int bits = LargestBits; bits >= SmallestBits && _chunks.Count > 0; bits--)
            {
                if (ChunkBytes - _used < 1 << bits) continue;
                _free[bits - SmallestBits].Add(Handle(_chunks.Count - 1, _used));
                _used += 1 << bits;
            }
            _chunks.Add(GC.AllocateUninitializedArray<byte>(ChunkBytes));
            _used = 0;
        }
        int handle = Handle(_chunks.Count - 1, _used);
        _used += size;
        return handle;
    }

    private static int Handle(int chunk, int offset) => (chunk << 12) | (offset >> SmallestBits);
}
