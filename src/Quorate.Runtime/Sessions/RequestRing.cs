namespace Quorate.Runtime.Sessions;

/// <summary>A request of a numbered stream as it waits.</summary>
public struct RequestSlot
{
    public int Offset, Length;

    /// <summary>The connection that waits for it; null at the leader's queue of another member, or when the connection is gone.</summary>
    public Faces.SessionConnection? Connection;

    /// <summary>The number of the frame on the link to the leader that carried it last; 0: none yet on this link.</summary>
    public long SentIn;

    public CommandKind Kind;
}

/// <summary>Consecutively numbered requests with their bytes in one circular buffer, so that a request costs no object: a member's window and the leader's queue of a stream (sessions.md §4.3).</summary>
public sealed class RequestRing
{
    private byte[] _bytes = new byte[16 * 1024];
    private RequestSlot[] _slots = new RequestSlot[256];
    private int _head, _tail;   // of _bytes: live bytes are [head, tail) or, wrapped, [head, end) and [0, tail)
    private int _firstSlot;

    /// <summary>The number of the oldest request held; the next number when it is empty.</summary>
    public long FirstNumber { get; private set; } = 1;

    public int Count { get; private set; }
    public long NextNumber => FirstNumber + Count;

    /// <summary>Bytes of the requests held.</summary>
    public long Bytes { get; private set; }

    public ref RequestSlot this[long number] => ref _slots[(int)((_firstSlot + (number - FirstNumber)) & (_slots.Length - 1))];

    public ReadOnlySpan<byte> BytesOf(in RequestSlot slot) => _bytes.AsSpan(slot.Offset, slot.Length);

    public void SetFirstByte(in RequestSlot slot, byte value) => _bytes[slot.Offset] = value;

    /// <summary>Empties it; the next number is <paramref name="next"/>.</summary>
    public void Reset(long next)
    {
        Array.Clear(_slots);
        FirstNumber = next;
        Count = 0;
        Bytes = 0;
        _head = _tail = _firstSlot = 0;
    }

    /// <summary>Adds a request with the next number, which it returns.</summary>
    public long Add(CommandKind kind, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Faces.SessionConnection? connection)
    {
        if (Count == _slots.Length) GrowSlots();
        int length = first.Length + second.Length, offset = Room(length);
        first.CopyTo(_bytes.AsSpan(offset));
        second.CopyTo(_bytes.AsSpan(offset + first.Length));
        _slots[(_firstSlot + Count) & (_slots.Length - 1)] = new RequestSlot { Offset = offset, Length = length, Kind = kind, Connection = connection };
        Count++;
        Bytes += length;
        return NextNumber - 1;
    }

    /// <summary>Lets the oldest request go.</summary>
    public void RemoveFirst()
    {
        ref var slot = ref _slots[_firstSlot];
        Bytes -= slot.Length;
        slot = default;
        _firstSlot = (_firstSlot + 1) & (_slots.Length - 1);
        FirstNumber++;
        Count--;
        if (Count == 0) _head = _tail = 0;
        else _head = _slots[_firstSlot].Offset;
    }

    private int Room(int length)
    {
        bool wrapped = Count > 0 && _tail <= _head;
        if (!wrapped && _bytes.Length - _tail >= length) return Take(_tail, length);
        if (!wrapped && _head > length) return Take(0, length);
        if (wrapped && _head - _tail > length) return Take(_tail, length);
        GrowBytes(length);
        return Take(_tail, length);
    }

    private int Take(int offset, int length)
    {
        _tail = offset + length;
        return offset;
    }

    private void GrowBytes(int length)
    {
        int size = _bytes.Length * 2;
        while (size < Bytes + length + 1) size *= 2;
        var grown = new byte[size];
        int at = 0;
        for (int i = 0; i < Count; i++)
        {
            ref var slot = ref _slots[(_firstSlot + i) & (_slots.Length - 1)];
            Buffer.BlockCopy(_bytes, slot.Offset, grown, at, slot.Length);
            slot.Offset = at;
            at += slot.Length;
        }
        _bytes = grown;
        _head = 0;
        _tail = at;
    }

    private void GrowSlots()
    {
        var grown = new RequestSlot[_slots.Length * 2];
        for (int i = 0; i < Count; i++) grown[i] = _slots[(_firstSlot + i) & (_slots.Length - 1)];
        _slots = grown;
        _firstSlot = 0;
    }
}
