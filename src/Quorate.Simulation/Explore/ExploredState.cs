using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

internal enum Deed : byte { Deliver, Sync, Timeout, Quiet, Beat, Propose, Crash }

/// <summary>One step: what, at whom, and of what (which message on its way, how many writes survive).</summary>
internal readonly record struct Act(Deed Deed, byte Member, short Of);

/// <summary>What the bounds still allow.</summary>
internal readonly record struct Allowance(byte Proposals, byte Crashes, byte Timeouts, byte Beats)
{
    public Allowance Without(Deed deed) => new(
        (byte)(Proposals - (deed == Deed.Propose ? 1 : 0)), (byte)(Crashes - (deed == Deed.Crash ? 1 : 0)), (byte)(Timeouts - (deed == Deed.Timeout ? 1 : 0)), (byte)(Beats - (deed == Deed.Beat ? 1 : 0)));

    public ulong Print => (ulong)Proposals << 24 | (ulong)Crashes << 16 | (ulong)Timeouts << 8 | Beats;
}

/// <summary>Members, messages on their way, what was ever decided, and what the bounds still allow. Never changed once it stands.</summary>
internal sealed class ExploredState
{
    public required ExploredNode[] Nodes { get; init; }
    public required Flying[] Net { get; init; }
    public required RaftGlobalInvariants Ghost { get; init; }
    public Allowance Left { get; init; }

    /// <summary>Every step that is possible here.</summary>
    public void AddActs(List<Act> acts)
    {
        for (int i = 0; i < Net.Length; i++)
            if (!StandsBefore(i)) acts.Add(new Act(Deed.Deliver, Net[i].To.Value, (short)i));
        foreach (var n in Nodes)
        {
            byte id = n.Id.Value;
            var s = n.State;
            bool leads = s.Role == Role.Leader;
            if (n.Pending.Length > 0) acts.Add(new Act(Deed.Sync, id, 0));
            if (Left.Timeouts > 0) acts.Add(new Act(Deed.Timeout, id, 0));
            if (!leads && s.Judged + (n.Now - s.LastNow) < s.ElectionDeadline) acts.Add(new Act(Deed.Quiet, id, 0));
            if (leads && Left.Beats > 0) acts.Add(new Act(Deed.Beat, id, 0));
            if (leads && Left.Proposals > 0) acts.Add(new Act(Deed.Propose, id, 0));
            if (Left.Crashes > 0)
                for (int survive = 0; survive <= n.Pending.Length; survive++) acts.Add(new Act(Deed.Crash, id, (short)survive));
        }
    }

    private bool StandsBefore(int at)
    {
        for (int i = 0; i < at; i++)
            if (Net[i].Same(Net[at])) return true;
        return false;
    }
}
