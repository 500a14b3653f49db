using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>What is fetched beside the work: while it is on its way the log changes under it, and what comes out is what the log says then, or nothing.</summary>
public sealed partial class ModelWorld
{
    private readonly List<(int Partition, long First, long Last, bool Staged, EntryFetch Fetch)> _fetches = [];
    private Prng _fetchChance; // of its own

    public int Fetched { get; private set; }

    private void PumpFetches()
    {
        if (_fetches.Count < 3 && _fetchChance.Chance(0.05)) BeginFetch();
        for (int i = _fetches.Count - 1; i >= 0; i--)
        {
            var f = _fetches[i];
            bool over = !f.Fetch.IsReading && _fetchChance.Chance(0.3); // it may lie about for a while
            if (over || _fetchChance.Chance(0.1)) CheckFetch(f);
            if (over) _fetches.RemoveAt(i);
        }
    }

    private void BeginFetch()
    {
        int p = (int)_fetchChance.Below(_models.Length);
        var m = _models[p];
        bool staged = m.Now.Staged.Count > 0 && _fetchChance.Chance(0.3);
        long low = staged ? m.Now.Staged.Keys.First() : m.Now.Begin + 1, high = staged ? m.Now.Staged.Keys.Last() : m.Now.Last;
        if (high < low) return;
        long first = _fetchChance.Between(low, high + 1), last = Math.Min(high, first + _fetchChance.Below(60));
        var fetch = new EntryFetch(LogOf(p), staged);
        fetch.Begin(first, last);
        _fetches.Add((p, first, last, staged, fetch));
    }

    private void CheckFetch((int Partition, long First, long Last, bool Staged, EntryFetch Fetch) f)
    {
        var m = _models[f.Partition];
        for (long i = f.First; i <= f.Last; i++)
        {
            var log = f.Staged ? m.Now.Staged : m.Now.Log;
            var read = f.Fetch.Read(i, out var e);
            if (!log.TryGetValue(i, out var expected))
            {
                if (read != EntryRead.Gone) throw new BrokenPromise(Say($"p{f.Partition}: entry {i} is not in the log, and is handed out"));
                continue;
            }
            bool lost = m.Now.Lost.Contains(i) || _hits.Contains((f.Partition, i));
            if (read == EntryRead.Gone && !lost) throw new BrokenPromise(Say($"p{f.Partition}: entry {i} was fetched, and is said to be gone"));
            if (read != EntryRead.Here) continue;
            Fetched++;
            if (e.Term != expected.Term || TextOf(e) != expected.Text) throw new BrokenPromise(Say($"p{f.Partition}: entry {i} was fetched as {TextOf(e)} of term {e.Term}, expected {expected.Text} of term {expected.Term}"));
        }
    }
}
