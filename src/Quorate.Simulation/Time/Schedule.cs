namespace Quorate.Simulation.Time;

/// <summary>The world's one queue: what happens next, ordered by (time, order of asking), so that equal times never depend on chance. World time is true time in microseconds; what members see of it is <see cref="SimClock"/>'s.</summary>
public sealed class Schedule
{
    private Item[] _heap = new Item[256];
    private int _count;
    private long _asked;

    public long NowMicros { get; private set; }

    /// <summary>Events run so far.</summary>
    public long Steps { get; private set; }

    public int Count => _count;

    public long NextMicros => _count == 0 ? Instant.Never : _heap[0].Micros;

    /// <summary>Asks for an event at a world time; one that is past happens now, behind what is due.</summary>
    public void At(long micros, Action what)
    {
        if (_count == _heap.Length) Array.Resize(ref _heap, _count * 2);
        int at = _count++;
        var item = new Item(Math.Max(micros, NowMicros), _asked++, what);
        while (at > 0)
        {
            int parent = (at - 1) / 2;
            if (!item.Before(_heap[parent])) break;
            _heap[at] = _heap[parent];
            at = parent;
        }
        _heap[at] = item;
    }

    public void After(long micros, Action what) => At(NowMicros + micros, what);

    /// <summary>Runs the next event when it is due at or before <paramref name="until"/>; else moves time there and returns false.</summary>
    public bool Step(long until)
    {
        if (_count == 0 || _heap[0].Micros > until)
        {
            NowMicros = Math.Max(NowMicros, until);
            return false;
        }
        var next = Pop();
        NowMicros = next.Micros;
        Steps++;
        next.What();
        return true;
    }

    private Item Pop()
    {
        var top = _heap[0];
        var last = _heap[--_count];
        _heap[_count] = default;
        if (_count == 0) return top;
        int at = 0;
        while (true)
        {
            int child = at * 2 + 1;
            if (child >= _count) break;
            if (child + 1 < _count && _heap[child + 1].Before(_heap[child])) child++;
            if (!_heap[child].Before(last)) break;
            _heap[at] = _heap[child];
            at = child;
        }
        _heap[at] = last;
        return top;
    }

    private readonly record struct Item(long Micros, long Order, Action What)
    {
        public bool Before(in Item other) => Micros != other.Micros ? Micros < other.Micros : Order < other.Order;
    }
}
