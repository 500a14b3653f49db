namespace Quorate.Simulation.Explore;

/// <summary>Prints of the states that were seen, in one array of open addressing: eight bytes a state, because a search is as wide as its memory.</summary>
internal sealed class StateSet
{
    private ulong[] _slots = new ulong[1 << 16];

    public long Count { get; private set; }

    /// <summary>True when it is new.</summary>
    public bool Add(ulong print)
    {
        if (print == 0) print = 1;
        if (Count * 10 >= _slots.Length * 7L) Grow();
        if (!Place(_slots, print)) return false;
        Count++;
        return true;
    }

    private static bool Place(ulong[] slots, ulong print)
    {
        int mask = slots.Length - 1, at = (int)(print & (ulong)mask);
        while (slots[at] != 0)
        {
            if (slots[at] == print) return false;
            at = (at + 1) & mask;
        }
        slots[at] = print;
        return true;
    }

    private void Grow()
    {
        var larger = new ulong[_slots.Length * 2];
        foreach (ulong print in _slots)
            if (print != 0) Place(larger, print);
        _slots = larger;
    }
}
