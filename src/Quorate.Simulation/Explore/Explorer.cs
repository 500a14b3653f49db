namespace Quorate.Simulation.Explore;

/// <summary>How far a search has come.</summary>
/// <param name="Depth">Steps from the begin.</param>
/// <param name="States">Different states that were seen.</param>
/// <param name="Steps">Steps that were taken, also those that led to a state that was known.</param>
/// <param name="Frontier">States of this depth.</param>
public readonly record struct Explored(int Depth, long States, long Steps, long Frontier);

/// <summary>What came of a search: whole (nothing is left within the bounds), or where it stopped; the broken promise with the shortest way to it.</summary>
public sealed record Exploration(Explored Reached, bool Whole, string? Broken, string? Detail, IReadOnlyList<string> Trace);

/// <summary>
/// Breadth first through every state of a small world of real Raft cores: each is a fork of the one before it with one step more. States that differ only in the members' names are one, and an answer that nobody can take any more is gone.
/// A state is known by its 64-bit print: among N states the chance that two share one is about N²/2⁶⁵.
/// </summary>
public sealed class Explorer(ExploreBounds bounds)
{
    private readonly ExploredStep _step = new(bounds.Members);
    private readonly StateSet _seen = new();
    private readonly List<(int Parent, Act Act)> _ways = []; // how each seen state was reached first

#if MUTANTS
    /// <summary>The bug that is planted in every core.</summary>
    public Mutant Mutant { get; init; }
#endif

    public Exploration Run(Action<Explored>? onDepth = null, Func<bool>? stop = null)
    {
#if MUTANTS
        Mutants.Planted = Mutant;
#endif
        var level = new List<(ExploredState State, int Way)> { (_step.Begin(bounds), -1) };
        var first = level[0].State;
        _seen.Add(new StatePrint(first.Nodes, first.Net, first.Ghost, first.Left).Least());
        var acts = new List<Act>();
        long steps = 0;
        for (int depth = 0; ; depth++)
        {
            var reached = new Explored(depth, _seen.Count, steps, level.Count);
            onDepth?.Invoke(reached);
            if (level.Count == 0) return new Exploration(reached, true, null, null, []);
            if (depth == bounds.Depth) return new Exploration(reached, false, null, null, []);
            var next = new List<(ExploredState State, int Way)>();
            foreach (var (state, way) in level)
            {
                acts.Clear();
                state.AddActs(acts);
                foreach (var act in acts)
                {
                    steps++;
                    ulong print;
                    try
                    {
                        print = _step.Take(state, act);
                    }
                    catch (InvariantException broken)
                    {
                        return new Exploration(new Explored(depth + 1, _seen.Count, steps, next.Count), false, broken.Name, broken.Message, Tell(way, act));
                    }
                    if (!_seen.Add(print)) continue;
                    _ways.Add((way, act));
                    next.Add((_step.Taken(), _ways.Count - 1));
                }
                if (_seen.Count >= bounds.States || stop?.Invoke() == true) return new Exploration(new Explored(depth + 1, _seen.Count, steps, next.Count), false, null, null, []);
            }
            level = next;
        }
    }

    /// <summary>The way to a state, a line a step, played again from the begin.</summary>
    private List<string> Tell(int way, Act last)
    {
        var acts = new List<Act> { last };
        for (; way >= 0; way = _ways[way].Parent) acts.Add(_ways[way].Act);
        acts.Reverse();
        var lines = new List<string>();
        var again = new ExploredStep(bounds.Members);
        var state = again.Begin(bounds);
        for (int i = 0; i < acts.Count; i++)
        {
            lines.Add(Line(state, acts[i]));
            if (i == acts.Count - 1) break;
            again.Take(state, acts[i]);
            state = again.Taken();
        }
        return lines;
    }

    private static string Line(ExploredState state, Act act)
    {
        var node = state.Nodes[act.Member - 1];
        return act.Deed switch
        {
            Deed.Deliver => $"deliver {state.Net[act.Of]}",
            Deed.Sync => $"durable {node.Id}: {(node.Pending[0].IsPromise ? $"term {node.Pending[0].Promise.Term}, vote n{node.Pending[0].Promise.Vote}" : $"entries from {node.Pending[0].First}, {node.Pending[0].Entries.Length} of them")}",
            Deed.Timeout => $"timeout {node.Id} ({node.State.Role}, term {node.State.Term})",
            Deed.Quiet => $"quiet {node.Id}: it heard no leader for a time-out",
            Deed.Beat => $"beat {node.Id}",
            Deed.Propose => $"propose {node.Id} in term {node.State.Term}",
            _ => $"crash {node.Id} with {act.Of} of {node.Pending.Length} writes, and start",
        };
    }
}
