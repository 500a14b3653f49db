using Quorate.Simulation.Faults;
using Quorate.Simulation.Network;

namespace Quorate.Simulation.Served;

/// <summary>What goes wrong in a served world beyond what goes wrong everywhere: connections that are cut, links that are slow, a member cut off with its clients, clients that vanish.</summary>
internal sealed partial class ServedFaults(ServedWorld world, List<SimMember> members, List<SimClient> clients, ulong seed) : FaultSchedule<SimMember>(world.Plan, world.Schedule, world.Trace, members, seed)
{
    // A little less than ServeWithoutLeader of these worlds (SimMember), so that its clients stay connected.
    private const long LagMicros = 330_000;

    protected override int Places => Machines.Count + clients.Count;
    protected override int FirstPlace => 0;

    // Where operators change who votes, the longest log may end in a change that makes the one that is down one of two (seed 249: a removal that reached one log, and whoever else rules by it was left down).
    protected override bool MayLeaveOneDown => world.Plan is { Members: >= 3, Membership: 0 };

    protected override void ArrangeMore()
    {
        var plan = world.Plan;
        Every(plan.CutClient, "cut client", () => world.Fabric.Cut(AnyMachine().Network.Number, AnyClient().Network.Number));
        Every(plan.CutPeer, "cut peer", () => world.Fabric.Cut(AnyMachine().Network.Number, AnyMachine().Network.Number));
        Every(plan.Slow, "slow link", SlowLink);
        Every(plan.Snapshot, "snapshot", () =>
        {
            if (AnyMachine() is { Alive: true, Member.Host: { } host }) host.AskSnapshot(_ => { });
        });
        Every(plan.ClientVanishes, "client vanishes", () =>
        {
            AnyClient().Vanish();
            world.AddClient(setsUp: false);
        });
        AtOnce(plan.Isolate, "isolate", Isolate);
        Every(plan.Retire, "retire", () => Retire(AnyMachine()));
        AtOnce(plan.Rolling, "rolling restart", () => Roll(0));
        Every(plan.Membership, "membership", ChangeMembership);
        Every(plan.Lag, "lag", Lag);
        Every(plan.Borrow, "borrow", () => world.Borrow(AnyClient()));
    }

    // Members' links suffer more often than clients'.
    protected override int AnyPlace() => Chance.Chance(0.7) ? AnyMachine().Network.Number : AnyClient().Network.Number;

    protected override void Block(int from, int to) => world.Fabric.Block(from, to);

    protected override void Unblock(int from, int to) => world.Fabric.Unblock(from, to);

    protected override void MendNetwork()
    {
        world.Fabric.Heal();
        if (world.Plan.Membership > 0) MendMembers();
    }

    // What breaks no quorum goes on until the world is to become quiet.
    protected override void LingerMore() => WhileLingering(world.Plan.Slow, "slow link", SlowLink);

    protected override void Quieten() => world.Fabric.Heal();

    protected override void Transfer()
    {
        foreach (var member in Machines)
            if (member is { Alive: true, Member: { Host: { } host, Standing.Role: Role.Leader } })
                host.Ask(ProposalKind.Transfer, null, Chance.Chance(0.5) ? ReplicaId.None : new ReplicaId((byte)AnyMachine().Number), (_, _) => { });
    }

    // By what the leader of the highest term has applied.
    protected override bool TakesPart(SimMember member) =>
        world.Leader() is { } leader && leader.Member.Sessions.Configuration.Find(new ReplicaId((byte)member.Number)) is { Voter: true } me && me.Directory == member.Directory;

    protected override SimDisk NewDisk() => world.Plan.NewDisk(world.NextSeed());

    protected override void Started(SimMember member) => member.Note(1, $"starts: run {member.Member.Store.Identity.Run}");

    private SimClient AnyClient() => clients[(int)Chance.Below(clients.Count)];

    // The member and its clients hear one another and nobody else: whoever serves on here lets a lock have two owners.
    private void Isolate()
    {
        var member = AnyMachine();
        var inside = new List<int> { member.Network.Number };
        foreach (var client in clients)
            if (client.Client.Server == member.ClientAddress) inside.Add(client.Network.Number);
        for (int other = FirstPlace; other < FirstPlace + Places; other++)
            foreach (int machine in inside)
            {
                if (inside.Contains(other)) continue;
                Block(machine, other);
                Block(other, machine);
            }
    }

    private void Lag()
    {
        var member = AnyMachine();
        int to = member.Network.Number;
        foreach (var other in Machines)
        {
            int from = other.Network.Number;
            if (from == to) continue;
            Block(from, to);
            Schedule.After(LagMicros, () => Unblock(from, to));
            for (long at = 20_000; at < LagMicros; at += 60_000)
                Schedule.After(at, () =>
                {
                    if (other is { Alive: true, Member.Host: { } host }) host.AskSnapshot(_ => { });
                });
        }
    }

    private void SlowLink()
    {
        int from = AnyPlace(), to = AnyPlace();
        if (from == to) return;
        world.Fabric.Slow(from, to, new Delay(1_000, 1 + Chance.Below(60_000)));
        Schedule.After(50_000 + Chance.Below(1_000_000), () => world.Fabric.Slow(from, to, world.Fabric.Usual));
    }
}
