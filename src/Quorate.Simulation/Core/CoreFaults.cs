using Quorate.Simulation.Faults;

namespace Quorate.Simulation.Core;

/// <summary>What goes wrong in a core world beyond what goes wrong everywhere: hints that lie or are late, members that leave and come back.</summary>
internal sealed class CoreFaults(CoreWorld world, LossyNetwork network, List<CoreNode> nodes, ulong seed) : FaultSchedule<CoreNode>(world.Plan, world.Schedule, world.Trace, nodes, seed)
{
    protected override int Places => Machines.Count;
    protected override int FirstPlace => 1;
    protected override bool MayLeaveOneDown => world.Plan is { Members: >= 3, Membership: 0, Rot: 0 };

    protected override void ArrangeMore()
    {
        Every(world.Plan.LyingHints, "lying hint", LyingHint);
        Every(world.Plan.Rot, "rot", Rot);
        Every(world.Plan.Membership, "membership", world.ChangeMembership);
        // An operator who mends: a wiped member comes back through two changes (storage.md §6.3), a demoted one gets its vote again.
        if (world.Plan.Wipe + world.Plan.Damage + world.Plan.Membership > 0) world.Operate();
    }

    protected override void Block(int from, int to)
    {
        network.Block(from, to, true);
        if (Chance.Chance(0.5)) Machines[to - 1].Tell(new LinkDown(Machines[from - 1].Self));
    }

    protected override void Unblock(int from, int to)
    {
        network.Block(from, to, false);
        var (sender, receiver) = (Machines[from - 1], Machines[to - 1]);
        if (sender.Alive && receiver.Alive && Chance.Chance(0.5)) receiver.Tell(new LinkUp(sender.Self, sender.Directory, sender.Run));
    }

    protected override void MendNetwork()
    {
        network.Heal();
        network.Loss = network.Double = 0;
        network.LateMicros = Math.Min(network.LateMicros, 20_000); // slow links are no reason to stand still
        // Whoever runs hears of everybody else who does; who starts now is told of at its start.
        foreach (var node in Machines)
            if (node.Alive) world.TellLinks(node);
    }

    protected override void LingerMore()
    {
    }

    protected override void Quieten() => network.Late = 0;

    protected override void Transfer()
    {
        if (world.Leader() is not { } leader) return;
        leader.Ask(new CoreRequest { Kind = RequestKind.Transfer, Target = Chance.Chance(0.5) ? ReplicaId.None : AnyMachine().Self });
    }

    protected override bool TakesPart(CoreNode node) =>
        node.Number > world.Plan.Members || world.Leader() is { } leader && leader.Core.Configuration is { } now && now.VoterCount >= Math.Min(3, world.Plan.Members) && now.Find(node.Self) is { Voter: true } me && me.Directory == node.Directory;

    protected override SimDisk NewDisk() => world.Plan.NewDisk(world.NextSeed());

    protected override void Ended(CoreNode node, bool power)
    {
        foreach (var other in Machines)
            if (other.Alive && (!power || Chance.Chance(0.3))) other.Tell(new LinkDown(node.Self));
    }

    protected override void Started(CoreNode node)
    {
        node.Note(1, $"starts: run {node.Run}, log {node.Log.Map.BeginIndex}..{node.Log.Map.Last}");
        world.TellLinks(node);
    }

    private void LyingHint()
    {
        var (at, about) = (AnyMachine(), AnyMachine());
        if (at == about || !about.Alive) return;
        at.Tell(new LinkDown(about.Self));
        at.Tell(new LinkUp(about.Self, about.Directory, about.Run));
    }

    // A leader that is cut off gathers a tail of its own first, and so may the next one: what nobody else ever had is what the dialogue ends.
    private void Rot()
    {
        if (world.Leader() is { } leader && Chance.Chance(0.5))
        {
            foreach (var other in Machines)
                if (other != leader) BlockForAWhile(leader.Number, other.Number);
            Schedule.After(5_000 + Chance.Below(60_000), () => RotAt(leader));
            return;
        }
        int spared = (int)Chance.Below(Machines.Count + 1);
        foreach (var node in Machines)
            if (node.Number != spared && Chance.Chance(0.6)) RotAt(node);
    }

    private void RotAt(CoreNode node)
    {
        if (Healed || !node.Alive || node.Number > world.Plan.Members) return;
        EndFor(node, power: true, 1_000 + Chance.Below(150_000));
        if (DiskDamage.StrikeNewest(node.Disk, node.Directory, ref Chance)) MarkAsHarmed(node, Harm.Entries);
    }
}
