namespace Quorate.Primitives.Tree;

/// <summary>Structs without references in pinned chunks that never move: growing copies nothing, and the collector never looks inside. Slot 0 is nobody's.</summary>
internal sealed class StructPool<T>
    where T : unmanaged
{
    private const int ChunkBits = 10;
    private const int ChunkMask = (1 << ChunkBits) - 1;
    private T[]?[] _chunks = new T[4][];

    /// <summary>One more than the highest slot that was ever used.</summary>
    public int Limit { get; private set; } = 1;

    /// <summary>The slot must have been covered by <see cref="Cover"/> or <see cref="Extend"/>.</summary>
    public ref T this[int slot] => ref _chunks[slot >> ChunkBits]![slot & ChunkMask];

    /// <summary>A slot behind all others, zeroed.</summary>
    public int Extend()
    {
        int slot = Limit;
        Cover(slot);
        return slot;
    }

    /// <summary>Makes sure that the slot exists.</summary>
    public void Cover(int slot)
    {
        int chunk = slot >> ChunkBits;
        if (chunk >= _chunks.Length) Array.Resize(ref _chunks, Math.Max(_chunks.Length * 2, chunk + 1));
        _chunks[chunk] ??= GC.AllocateArray<T>(1 << ChunkBits, pinned: true);
        if (slot >= Limit) Limit = slot + 1;
    }

    public bool IsCovered(int slot) => slot > 0 && slot < Limit && _chunks[slot >> ChunkBits] is not null;

    public void Clear()
    {
        _chunks = new T[4][];
        Limit = 1;
    }
}
