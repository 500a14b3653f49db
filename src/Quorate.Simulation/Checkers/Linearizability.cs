namespace Quorate.Simulation.Checkers;

/// <summary>
/// Is there one order of the operations, each at some moment between its call and its return, in which the sequential model gives these very answers? (Herlihy and Wing 1990.)
/// The search is Wing and Gong's with Lowe's memory: walk the calls that may come next, take one, never enter the same (set of taken operations, state) twice. Histories are split by key before (linearizability is local).
/// </summary>
public static class Linearizability
{
    /// <summary>Steps of the search a key before it gives up.</summary>
    public const long Budget = 2_000_000;

    /// <summary>Checks every key's history; <paramref name="broken"/> is the first that cannot be explained.</summary>
    public static Verdict Check(ISequentialModel model, List<Operation> all, out List<Operation> broken)
    {
        broken = [];
        var verdict = Verdict.Linearizable;
        var sorted = new List<Operation>(all);
        sorted.Sort((a, b) => a.Key != b.Key ? a.Key.CompareTo(b.Key) : a.Called.CompareTo(b.Called));
        for (int from = 0; from < sorted.Count;)
        {
            int to = from;
            while (to < sorted.Count && sorted[to].Key == sorted[from].Key) to++;
            var history = sorted.GetRange(from, to - from);
            from = to;
            switch (CheckKey(model, history))
            {
                case Verdict.Broken:
                    broken = history;
                    return Verdict.Broken;
                case Verdict.Undecided:
                    verdict = Verdict.Undecided;
                    break;
                default:
                    break;
            }
        }
        return verdict;
    }

    private static Verdict CheckKey(ISequentialModel model, List<Operation> history)
    {
        var seen = history.FindAll(o => !(o.Unknown && model.MayLeaveOut(o, history)));
        if (seen.Count < history.Count && new Search(model, seen).Run() == Verdict.Linearizable) return Verdict.Linearizable;
        return new Search(model, history).Run();
    }

    private sealed class Search
    {
        private readonly ISequentialModel _model;
        private readonly Operation[] _operations;
        private readonly int[] _next, _previous; // calls (2i) and returns (2i+1) in order of time, linked, taken ones lifted out; the head is the last slot
        private readonly int _head;
        private readonly ulong[] _taken;
        private readonly HashSet<Seen> _memory = [];
        private readonly List<(int Operation, (long, long) Before)> _path = [];

        public Search(ISequentialModel model, List<Operation> history)
        {
            _model = model;
            _operations = [.. history];
            int n = _operations.Length;
            _head = 2 * n;
            _next = new int[2 * n + 1];
            _previous = new int[2 * n + 1];
            _taken = new ulong[(n + 63) / 64];
            var order = new List<int>(2 * n);
            for (int i = 0; i < 2 * n; i++) order.Add(i);
            order.Sort((x, y) => TimeOf(x) != TimeOf(y) ? TimeOf(x).CompareTo(TimeOf(y)) : x.CompareTo(y));
            int last = _head;
            foreach (int e in order)
            {
                _next[last] = e;
                _previous[e] = last;
                last = e;
            }
            _next[last] = _head;
            _previous[_head] = last;
        }

        public Verdict Run()
        {
            var state = _model.Initial;
            long steps = 0;
            int at = _next[_head];
            while (_path.Count < _operations.Length && _next[_head] != _head)
            {
                if (++steps > Budget) return Verdict.Undecided;
                bool call = at != _head && at % 2 == 0;
                if (call && Take(at / 2, ref state)) at = _next[_head];
                else if (call) at = _next[at];
                else if (at != _head && !_operations[at / 2].Unknown || at == _head)
                {
                    // A return that was not taken stands in the way: the last choice was wrong.
                    if (_path.Count == 0) return Verdict.Broken;
                    (int operation, state) = _path[^1];
                    _path.RemoveAt(_path.Count - 1);
                    _taken[operation / 64] &= ~(1UL << (operation % 64));
                    PutBack(operation);
                    at = _next[2 * operation];
                }
                else return Verdict.Linearizable; // only operations without an answer are left: they may never have happened
            }
            return Verdict.Linearizable;
        }

        private long TimeOf(int e) => e % 2 == 0 ? _operations[e / 2].Called : _operations[e / 2].Returned;

        private bool Take(int operation, ref (long A, long B) state)
        {
            if (!_model.Step(state, _operations[operation], out var next)) return false;
            _taken[operation / 64] |= 1UL << (operation % 64);
            if (!_memory.Add(new Seen((ulong[])_taken.Clone(), next)))
            {
                _taken[operation / 64] &= ~(1UL << (operation % 64));
                return false;
            }
            _path.Add((operation, state));
            state = next;
            LiftOut(2 * operation);
            LiftOut(2 * operation + 1);
            return true;
        }

        private void LiftOut(int e)
        {
            _next[_previous[e]] = _next[e];
            _previous[_next[e]] = _previous[e];
        }

        private void PutBack(int operation)
        {
            foreach (int e in (ReadOnlySpan<int>)[2 * operation + 1, 2 * operation])
            {
                _next[_previous[e]] = e;
                _previous[_next[e]] = e;
            }
        }

        private readonly struct Seen(ulong[] taken, (long A, long B) state) : IEquatable<Seen>
        {
            private readonly ulong[] _taken = taken;
            private readonly (long A, long B) _state = state;

            public bool Equals(Seen other) => _state == other._state && _taken.AsSpan().SequenceEqual(other._taken);

            public override bool Equals(object? obj) => obj is Seen other && Equals(other);

            public override int GetHashCode()
            {
                var print = new Fingerprint();
                print.Add(_state.A);
                print.Add(_state.B);
                foreach (ulong word in _taken) print.Add(word);
                return (int)print.Value;
            }
        }
    }
}
