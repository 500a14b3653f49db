using System.Buffers.Binary;
using System.Numerics;

namespace Quorate.Primitives.Tree;

/// <summary>
/// Names and data in slabs of up to 1 MiB, in size classes with free lists threaded through the free pieces; what is larger than 64 KiB has an array of its own.
/// A reference is the address / 8 (so 32 GiB fit) or the number of the own array; which of the two, the length says. Pieces of one class are never given to another: a tree keeps the room of its fullest hour.
/// </summary>
internal sealed class ByteSlabs
{
    /// <summary>Bytes of the largest piece within a slab.</summary>
    public const int MaxPiece = 64 * 1024;

    private const int SlabBits = 20;
    private const int FirstSlabBits = 16;
    private const int UnitBits = 3;
    private const int Classes = 52;
    private readonly uint[] _free = new uint[Classes];
    private byte[][] _slabs = [];
    private int _slabCount, _used;
    private byte[]?[] _own = new byte[4][];
    private int[] _ownFree = new int[4];
    private int _ownCount = 1, _ownFreeCount;

    /// <summary>Bytes taken from the collector.</summary>
    public long Reserved { get; private set; }

    public Span<byte> Span(uint at, int length) =>
        length == 0 ? default
        : length > MaxPiece ? _own[at].AsSpan(0, length)
        : _slabs[at >> (SlabBits - UnitBits)].AsSpan((int)(at << UnitBits) & ((1 << SlabBits) - 1), length);

    public uint Store(ReadOnlySpan<byte> bytes)
    {
        uint at = Allocate(bytes.Length);
        bytes.CopyTo(Span(at, bytes.Length));
        return at;
    }

    /// <summary>Stores bytes in the place of others; in the very same piece where the class is the same.</summary>
    public uint Replace(uint at, int length, ReadOnlySpan<byte> bytes)
    {
        bool same = length > 0 && bytes.Length > 0 && length <= MaxPiece && bytes.Length <= MaxPiece && ClassOf(length) == ClassOf(bytes.Length);
        if (!same)
        {
            Free(at, length);
            at = Allocate(bytes.Length);
        }
        bytes.CopyTo(Span(at, bytes.Length));
        return at;
    }

    public void Free(uint at, int length)
    {
        if (length == 0) return;
        if (length > MaxPiece)
        {
            Reserved -= _own[at]!.Length;
            _own[at] = null;
            if (_ownFreeCount == _ownFree.Length) Array.Resize(ref _ownFree, _ownFreeCount * 2);
            _ownFree[_ownFreeCount++] = (int)at;
        }
        else Thread(at, ClassOf(length));
    }

    public void Clear()
    {
        Array.Clear(_free);
        _slabs = [];
        _own = new byte[4][];
        _slabCount = _used = _ownFreeCount = 0;
        _ownCount = 1;
        Reserved = 0;
    }

    private uint Allocate(int length)
    {
        if (length == 0) return 0;
        if (length > MaxPiece) return AllocateOwn(length);
        int c = ClassOf(length);
        uint head = _free[c];
        if (head != 0)
        {
            _free[c] = BinaryPrimitives.ReadUInt32LittleEndian(Span(head, 4));
            return head;
        }
        int size = SizeOf(c);
        if (_slabCount == 0 || _used + size > _slabs[_slabCount - 1].Length) NextSlab();
        uint at = (uint)(((long)(_slabCount - 1) << SlabBits) + _used >> UnitBits);
        _used += size;
        return at;
    }

    private uint AllocateOwn(int length)
    {
        int slot;
        if (_ownFreeCount > 0) slot = _ownFree[--_ownFreeCount];
        else
        {
            if (_ownCount == _own.Length) Array.Resize(ref _own, _ownCount * 2);
            slot = _ownCount++;
        }
        _own[slot] = GC.AllocateUninitializedArray<byte>(length);
        Reserved += length;
        return (uint)slot;
    }

    private void NextSlab()
    {
        if (_slabCount > 0) GiveRest();
        if (_slabCount == _slabs.Length) Array.Resize(ref _slabs, Math.Max(4, _slabCount * 2));

        // Small trees stay small: 64 KiB, 128 KiB, ... up to 1 MiB.
        int bytes = 1 << Math.Min(SlabBits, FirstSlabBits + _slabCount);
        _slabs[_slabCount++] = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        Reserved += bytes;
        _used = _slabCount == 1 ? 1 << UnitBits : 0;   // reference 0 is nobody's
    }

    /// <summary>Cuts what the slab has left into pieces, so that nothing of it is lost.</summary>
    private void GiveRest()
    {
        int slab = _slabCount - 1, end = _slabs[slab].Length;
        while (end - _used >= 1 << UnitBits)
        {
            int room = Math.Min(end - _used, MaxPiece), c = ClassOf(room);
            if (SizeOf(c) > room) c--;
            Thread((uint)(((long)slab << SlabBits) + _used >> UnitBits), c);
            _used += SizeOf(c);
        }
    }

    private void Thread(uint at, int c)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Span(at, 4), _free[c]);
        _free[c] = at;
    }

    /// <summary>8, 16, ... 128, then four classes a doubling.</summary>
    private static int ClassOf(int length)
    {
        if (length <= 128) return (length + 7 >> 3) - 1;
        int n = length - 1, log = BitOperations.Log2((uint)n);
        return 16 + (log - 7) * 4 + (n >> (log - 2) & 3);
    }

    private static int SizeOf(int c) => c < 16 ? (c + 1) * 8 : (5 + (c & 3)) << ((c - 16 >> 2) + 5);
}
