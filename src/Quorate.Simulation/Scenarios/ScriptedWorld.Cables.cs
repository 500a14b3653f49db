using Quorate.Simulation.Network;

namespace Quorate.Simulation.Scenarios;

/// <summary>Cables: cut, blocked one way, slow, parted.</summary>
internal sealed partial class ScriptedWorld
{
    private bool DoWithCables(string verb, Words words)
    {
        switch (verb)
        {
            case "cut":
                Fabric.Cut(MachineOf(words.Next()), MachineOf(words.Next()));
                return true;
            case "block" or "unblock":
                foreach (var (from, to) in Ways(words.Next("a way")))
                {
                    if (verb == "block") Fabric.Block(from, to);
                    else Fabric.Unblock(from, to);
                }
                return true;
            case "slow":
                var ways = Ways(words.Next("a way"));
                long micros = words.Micros();
                foreach (var (from, to) in ways) Fabric.Slow(from, to, new Delay(micros, 1));
                return true;
            case "partition":
                Partition([.. words.Next("sides").Trim('{', '}').Split('|').Select(s => s.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(MachineOf).ToArray())]);
                return true;
            case "isolate":
                var inside = words.Rest().ConvertAll(MachineOf).ToArray();
                Partition([inside, [.. _members.Values.Select(m => m.Network.Number).Concat(_clients.Values.Select(c => c.Machine)).Except(inside)]]);
                return true;
            case "heal":
                Fabric.Heal();
                return true;
            default:
                return false;
        }
    }

    /// <summary><c>n1-&gt;n2</c> is one way, <c>n1-n2</c> both.</summary>
    private (int From, int To)[] Ways(string way)
    {
        bool one = way.Contains("->", StringComparison.Ordinal);
        string[] ends = way.Split(one ? "->" : "-");
        if (ends.Length != 2) throw new ScenarioException($"'{way}' is no way");
        int a = MachineOf(ends[0]), b = MachineOf(ends[1]);
        return one ? [(a, b)] : [(a, b), (b, a)];
    }

    /// <summary>Nothing passes between two sides; who stands on none of them hears everybody.</summary>
    private void Partition(int[][] sides)
    {
        foreach (int[] side in sides)
            foreach (int[] other in sides)
            {
                if (ReferenceEquals(side, other)) continue;
                foreach (int from in side)
                    foreach (int to in other) Fabric.Block(from, to);
            }
    }
}
