namespace Quorate.Primitives.Tree;

/// <summary>
/// Finds rows by path hash: open addressing with linear probing, slots of one row number each. It grows in steps: a second table takes what is new, and each insertion moves 64 slots of the first.
/// Moved and removed slots of the first table keep a mark, so that its probe runs stay whole.
/// </summary>
internal sealed class PathIndex(StructPool<NodeRow> rows)
{
    private const int FirstSlots = 64;
    private const int ChunkBits = 14;
    private const int Step = 64;
    private const int Mark = -1;
    private Table _now = new(FirstSlots), _old = Table.None;
    private int _moved;

    /// <summary>The next candidate of this hash after a probe position; 0 when there is none. Begin with <c>probe = 0</c>. A caller compares names itself.</summary>
    public int Find(ulong hash, ref int probe)
    {
        // Positions of the first table count from 1 up, those of the second from -1 down.
        if (probe >= 0)
        {
            int row = _now.Find(rows, hash, ref probe);
            if (row != 0) return row;
            if (_old.Slots == 0) return 0;
            probe = 0;
        }
        else probe = -probe;
        int found = _old.Slots == 0 ? 0 : _old.Find(rows, hash, ref probe);
        probe = -probe;
        return found;
    }

    public void Add(int row)
    {
        if (_old.Slots != 0) Move(Step);
        else if (_now.Used * 5L > _now.Slots * 3L)
        {
            _old = _now;
            _now = new Table(checked(_old.Slots * 2));
            _moved = 0;
            Move(Step);
        }
        _now.Add(rows[row].PathHash, row);
    }

    public void Remove(int row)
    {
        if (!_now.Remove(rows, row) && !_old.Unlink(rows, row)) throw new InvariantException("Tree.Index", $"row {row} is not in the index");
    }

    public void Clear()
    {
        _now = new Table(FirstSlots);
        _old = Table.None;
    }

    private void Move(int slots)
    {
        int end = Math.Min(_old.Slots, _moved + slots);
        for (; _moved < end; _moved++)
        {
            int row = _old.At(_moved);
            if (row <= 0) continue;
            _now.Add(rows[row].PathHash, row);
            _old.Set(_moved, Mark);
        }
        if (_moved == _old.Slots) _old = Table.None;
    }

    /// <summary>One table, its slots in chunks that are made when first written.</summary>
    private sealed class Table
    {
        public static Table None => new(0);

        private readonly int[]?[] _chunks;
        private readonly int _mask, _chunkMask;

        public Table(int slots)
        {
            Slots = slots;
            _mask = slots - 1;
            _chunkMask = Math.Min(slots, 1 << ChunkBits) - 1;
            _chunks = new int[(slots + (1 << ChunkBits) - 1) >> ChunkBits][];
        }

        public int Slots { get; }

        public int Used { get; private set; }

        public int At(int slot) => _chunks[slot >> ChunkBits] is { } chunk ? chunk[slot & _chunkMask] : 0;

        public void Set(int slot, int row) => (_chunks[slot >> ChunkBits] ??= GC.AllocateArray<int>(_chunkMask + 1, pinned: true))[slot & _chunkMask] = row;

        /// <summary><paramref name="probe"/> is one more than the slots already looked at from the hash's home.</summary>
        public int Find(StructPool<NodeRow> rows, ulong hash, ref int probe)
        {
            int home = (int)hash;
            for (; probe < Slots; probe++)
            {
                int row = At(home + probe & _mask);
                if (row == 0) return 0;
                if (row > 0 && rows[row].PathHash == hash)
                {
                    probe++;
                    return row;
                }
            }
            return 0;
        }

        public void Add(ulong hash, int row)
        {
            int slot = (int)hash & _mask;
            while (At(slot) != 0) slot = slot + 1 & _mask;
            Set(slot, row);
            Used++;
        }

        /// <summary>Takes the row out and closes the gap behind it (no marks in the newer table).</summary>
        public bool Remove(StructPool<NodeRow> rows, int row)
        {
            int slot = SlotOf(rows, row);
            if (slot < 0) return false;
            int gap = slot;
            for (int next = gap + 1 & _mask; ; next = next + 1 & _mask)
            {
                int other = At(next);
                if (other == 0) break;
                int home = (int)rows[other].PathHash & _mask;
                if ((next - home & _mask) < (next - gap & _mask)) continue;
                Set(gap, other);
                gap = next;
            }
            Set(gap, 0);
            Used--;
            return true;
        }

        /// <summary>Marks the row's slot: runs that pass it go on.</summary>
        public bool Unlink(StructPool<NodeRow> rows, int row)
        {
            int slot = Slots == 0 ? -1 : SlotOf(rows, row);
            if (slot < 0) return false;
            Set(slot, Mark);
            return true;
        }

        private int SlotOf(StructPool<NodeRow> rows, int row)
        {
            int slot = (int)rows[row].PathHash & _mask;
            for (int i = 0; i < Slots; i++, slot = slot + 1 & _mask)
            {
                int at = At(slot);
                if (at == row) return slot;
                if (at == 0) return -1;
            }
            return -1;
        }
    }
}
