namespace Quorate.Kernel;

/// <summary>A run of entries of one term in a <see cref="LogMap"/>: indexes <paramref name="First"/> up to the next run's first.</summary>
public readonly record struct TermRun(long First, ulong Term);

/// <summary>
/// What a core keeps of a log whose bytes it forgot at Persist (DESIGN §3): where it begins, where it ends, the term of every index, and the bytes up to an index.
/// Index <see cref="BeginIndex"/> is the snapshot boundary: its term is known, its entry is gone. Terms need not rise with the index (storage.md §1.4).
/// Plain data, so that it can be copied and printed.
/// </summary>
public sealed class LogMap
{
    private TermRun[] _runs = new TermRun[4];
    private int _runCount;
    private LogBytes _upTo = new(); // payload bytes of the entries up to and including BeginIndex + 1 + i, from an arbitrary base
    private long _base;             // the same of BeginIndex

    public long BeginIndex { get; private set; }
    public ulong BeginTerm { get; private set; }
    public long First => BeginIndex + 1;
    public long Last { get; private set; }
    public ulong LastTerm => _runCount == 0 ? BeginTerm : _runs[_runCount - 1].Term;
    public bool IsEmpty => Last == BeginIndex;
    public ReadOnlySpan<TermRun> Runs => _runs.AsSpan(0, _runCount);

    /// <summary>Empties the map and begins it behind (index, term): a new log, or an installed snapshot's.</summary>
    public void Reset(long beginIndex, ulong beginTerm)
    {
        BeginIndex = Last = beginIndex;
        BeginTerm = beginTerm;
        _runCount = 0;
        _upTo.Clear();
        _base = 0;
    }

    /// <summary>The term of an index in [BeginIndex, Last]; false outside: unknown is never 0 (raft.md, bug 9).</summary>
    public bool TryTermOf(long index, out ulong term)
    {
        term = 0;
        if (index < BeginIndex || index > Last) return false;
        term = index == BeginIndex ? BeginTerm : _runs[RunOf(index)].Term;
        return true;
    }

    public bool Matches(long index, ulong term) => TryTermOf(index, out ulong own) && own == term;

    /// <summary>The first index of the run of equal terms that <paramref name="index"/> stands in, not below <see cref="First"/>.</summary>
    public long FirstOfTermAt(long index) => index <= BeginIndex ? First : _runs[RunOf(index)].First;

    /// <summary>The largest index in [BeginIndex, at most <paramref name="from"/>] whose term is at most <paramref name="term"/>; BeginIndex when there is none above it.</summary>
    public long LastAtMost(long from, ulong term)
    {
        long index = Math.Min(from, Last);
        while (index > BeginIndex)
        {
            var run = _runs[RunOf(index)];
            if (run.Term <= term) return index;
            index = run.First - 1;
        }
        return BeginIndex;
    }

    public void Append(ulong term, int payloadBytes)
    {
        if (_runCount == 0 || _runs[_runCount - 1].Term != term)
        {
            if (_runCount == _runs.Length) Array.Resize(ref _runs, _runCount * 2);
            _runs[_runCount++] = new TermRun(Last + 1, term);
        }
        _upTo.Append(BytesUpTo(Last), payloadBytes);
        Last++;
    }

    /// <summary>Forgets every entry above <paramref name="last"/>.</summary>
    public void TruncateAfter(long last)
    {
        if (last >= Last) return;
        if (last < BeginIndex) throw new ArgumentOutOfRangeException(nameof(last), last, "below the begin of the log");
        Last = last;
        _upTo.Truncate(last - BeginIndex);
        while (_runCount > 0 && _runs[_runCount - 1].First > last) _runCount--;
    }

    /// <summary>Moves the begin of the log up to <paramref name="index"/>, whose term it keeps.</summary>
    public void BeginAt(long index)
    {
        if (index <= BeginIndex) return;
        if (!TryTermOf(index, out ulong term)) throw new ArgumentOutOfRangeException(nameof(index), index, "not in the log");
        _base = BytesUpTo(index);
        int run = RunOf(index);
        if (run + 1 < _runCount && _runs[run + 1].First == index + 1) run++;
        else if (index == Last) run = _runCount;
        Array.Copy(_runs, run, _runs, 0, _runCount - run);
        _runCount -= run;
        if (_runCount > 0 && _runs[0].First <= index) _runs[0] = _runs[0] with { First = index + 1 };
        _upTo.DropFirst(index - BeginIndex);
        BeginIndex = index;
        BeginTerm = term;
    }

    /// <summary>Payload bytes of the entries from <paramref name="first"/> to <paramref name="last"/>, both in the log.</summary>
    public long BytesOf(long first, long last) => last < first ? 0 : BytesUpTo(last) - BytesUpTo(first - 1);

    /// <summary>The last index of the longest range from <paramref name="first"/> whose payloads are together at most <paramref name="maxBytes"/>, and at least <paramref name="first"/> itself; at most <see cref="Last"/>.</summary>
    public long LastWithin(long first, long maxBytes)
    {
        long limit = BytesUpTo(first - 1) + maxBytes, low = first, high = Last;
        while (low < high)
        {
            long middle = low + (high - low + 1) / 2;
            if (BytesUpTo(middle) <= limit) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    public LogMap Copy()
    {
        var copy = new LogMap { BeginIndex = BeginIndex, BeginTerm = BeginTerm, Last = Last };
        copy._runs = (TermRun[])_runs.Clone();
        copy._runCount = _runCount;
        copy._upTo = _upTo.Copy();
        copy._base = _base;
        return copy;
    }

    public void AddTo(ref Fingerprint print)
    {
        print.Add(BeginIndex);
        print.Add(BeginTerm);
        print.Add(Last);
        for (int i = 0; i < _runCount; i++)
        {
            print.Add(_runs[i].First);
            print.Add(_runs[i].Term);
        }
        for (long i = First; i <= Last; i++) print.Add(BytesUpTo(i) - _base);
    }

    private long BytesUpTo(long index) => index <= BeginIndex ? _base : _upTo[index - First];

    private int RunOf(long index)
    {
        int low = 0, high = _runCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_runs[middle].First <= index) low = middle;
            else high = middle - 1;
        }
        return low;
    }
}
