namespace Quorate.ZooKeeper;

internal enum ParkedKind : byte
{
    /// <summary>Executed when it becomes the head.</summary>
    Read,

    /// <summary>Numbered and forwarded; leaves when it is applied.</summary>
    Write,

    /// <summary>Waits for its read index.</summary>
    Sync,

    /// <summary>A sync whose position is applied.</summary>
    Synced,

    /// <summary>An answer that is fixed already and only keeps its place.</summary>
    Refused,
}

/// <summary>A request that stands in a connection's queue.</summary>
internal struct Parked
{
    public ParkedKind Kind;

    /// <summary>How many identities the connection had when this was read: later ones do not count for it.</summary>
    public ushort Identities;

    public int Xid, Op, Error;
    public int Length;
    public long At;     // absolute begin of its bytes
    public long Token;  // of a sync
    public long Since;  // micros when it was read
}

/// <summary>
/// One connection's queue (sessions.md §7): a ring of small structs and the parked bodies in one buffer. Lent by the face while something stands in it, so an idle connection has none and a busy one allocates none.
/// </summary>
internal sealed class ParkQueue
{
    private Parked[] _ring = new Parked[16];
    private int _head;
    private byte[] _bytes = [];
    private int _begin, _end; // live part of _bytes
    private long _base;       // absolute position of _bytes[0]

    public int Count { get; private set; }

    /// <summary>Requests that are no forwarded writes.</summary>
    public int Waiting { get; private set; }

    public int WaitingBytes => _end - _begin;

    public ref Parked Head => ref _ring[_head];

    public ref Parked this[int index] => ref _ring[(_head + index) & (_ring.Length - 1)];

    public ReadOnlySpan<byte> BodyOf(in Parked parked) => _bytes.AsSpan((int)(parked.At - _base), parked.Length);

    public void Add(in Parked parked, ReadOnlySpan<byte> body)
    {
        if (Count == _ring.Length) GrowRing();
        ref var slot = ref _ring[(_head + Count) & (_ring.Length - 1)];
        slot = parked;
        if (body.Length > _bytes.Length - _end) MakeRoom(body.Length);
        body.CopyTo(_bytes.AsSpan(_end));
        slot.At = _base + _end;
        slot.Length = body.Length;
        _end += body.Length;
        Count++;
        if (parked.Kind != ParkedKind.Write) Waiting++;
    }

    public void RemoveHead()
    {
        if (_ring[_head].Kind != ParkedKind.Write) Waiting--;
        _begin = (int)(_ring[_head].At - _base) + _ring[_head].Length;
        _head = (_head + 1) & (_ring.Length - 1);
        if (--Count == 0) _begin = _end = 0;
    }

    /// <summary>Empties it for its next borrower; large buffers are let go.</summary>
    public void Reset()
    {
        Count = Waiting = _head = _begin = _end = 0;
        if (_bytes.Length > 64 * 1024) _bytes = [];
        if (_ring.Length > 256) _ring = new Parked[16];
    }

    private void GrowRing()
    {
        var grown = new Parked[_ring.Length * 2];
        for (int i = 0; i < Count; i++) grown[i] = this[i];
        _ring = grown;
        _head = 0;
    }

    private void MakeRoom(int count)
    {
        int live = _end - _begin;
        var target = _bytes.Length >= live + count && _begin >= _bytes.Length / 2 ? _bytes : GC.AllocateUninitializedArray<byte>(Math.Max(4096, Math.Max(_bytes.Length * 2, live + count)));
        Buffer.BlockCopy(_bytes, _begin, target, 0, live);
        _base += _begin;
        _bytes = target;
        _begin = 0;
        _end = live;
    }
}
