using Quorate.Runtime.Membership;
using Quorate.Simulation.Faults;

namespace Quorate.Simulation.Served;

/// <summary>What operators do in the middle of everything: members that are asked to stop, one after the other, and members removed, added and promoted.</summary>
internal sealed partial class ServedFaults
{
    private const long PatienceMicros = 3_000_000;

    /// <summary>Every member runs, knows the same configuration and has applied it, so that no change hides in anybody's log.</summary>
    protected override bool Settled
    {
        get
        {
            if (world.Plan.Membership == 0) return true;
            long index = -1;
            foreach (var member in Machines)
            {
                if (member is not { Alive: true, Member.Host: { } host } || member.PausedUntil > Schedule.NowMicros) return false;
                if (host.Standing.ConfigurationIndex != member.Member.Sessions.ConfigurationIndex || (index >= 0 && index != host.Standing.ConfigurationIndex)) return false;
                index = host.Standing.ConfigurationIndex;
            }
            return true;
        }
    }

    // SIGTERM: hands over, hangs up, writes what it gathered, ends, and is started again.
    private void Retire(SimMember member)
    {
        if (member is { Alive: true, Member.Host: not null }) member.Retire();
    }

    // One member after the other; the next when the last one takes part again.
    private void Roll(int number)
    {
        if (Healed || number >= Machines.Count) return;
        var member = Machines[number];
        int life = member.Life;
        Retire(member);
        WaitFor(() => member.Life > life && member is { Alive: true, Member.Host: not null } && member.Member.Sessions.Serving, PatienceMicros, () => Roll(number + 1));
    }

    private void WaitFor(Func<bool> condition, long patience, Action then)
    {
        if (Healed || patience <= 0) return;
        if (condition()) then();
        else Schedule.After(50_000, () => WaitFor(condition, patience - 50_000, then));
    }

    // A vote is taken only from the well among the well; who lacks one gets it back.
    private void ChangeMembership()
    {
        if (world.Leader() is not { } leader || leader.PausedUntil > Schedule.NowMicros) return;
        var present = leader.Member.Sessions.Configuration;
        var member = AnyMachine();
        var id = new ReplicaId((byte)member.Number);
        if (present.Find(id) is { Voter: true })
        {
            if (present.VoterCount >= 3 && Settled && Machines.TrueForAll(m => m.Harm == Harm.None)) Ask(leader, MembershipChange.Remove, member);
        }
        else Mend(leader, present, member);
    }

    private void Mend(SimMember leader, ClusterConfiguration present, SimMember member)
    {
        switch (present.Find(new ReplicaId((byte)member.Number)))
        {
            case null:
                Ask(leader, MembershipChange.Add, member);
                break;
            case { Voter: false, Returning: false }:
                Ask(leader, MembershipChange.Promote, member);
                break;
            default:
                break; // it votes, or takes its vote back by itself
        }
    }

    private void Ask(SimMember leader, MembershipChange change, SimMember member)
    {
        leader.Member.Membership.Change(change, new ReplicaId((byte)member.Number), member.PeerAddress, wrong => leader.Note(1, $"members {change} n{member.Number}: {wrong ?? "done"}"));
        leader.WakeAfter(1);
    }

    /// <summary>From now on nothing is taken, and everybody gets its vote back.</summary>
    private void MendMembers()
    {
        if (world.Leader() is { } leader)
            foreach (var member in Machines)
                if (member.Alive) Mend(leader, leader.Member.Sessions.Configuration, member);
        Schedule.After(200_000, MendMembers);
    }
}
