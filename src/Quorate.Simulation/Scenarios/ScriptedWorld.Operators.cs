using Quorate.Runtime.Membership;
using Quorate.Simulation.Served;

namespace Quorate.Simulation.Scenarios;

/// <summary>What an operator asks of the cluster.</summary>
internal sealed partial class ScriptedWorld
{
    private bool DoAsOperator(string verb, Words words)
    {
        switch (verb)
        {
            case "transfer":
                string target = words.Next("a member");
                if (words.Take("later")) AskTransfer(MemberOf(target));
                else Transfer(target);
                return true;
            case "snapshot":
                string at = words.Next("a member");
                string? stored = null;
                MemberOf(at).Member.Host!.AskSnapshot(answer => stored = answer);
                MemberOf(at).WakeAt(Schedule.NowMicros + 1);
                if (words.Take("later")) return true;
                Until(words, () => stored is null ? "no snapshot was made" : null);
                Say($"{at}: {Spoken.Plain(stored!)}");
                return true;
            case "members":
                Change(words);
                return true;
            default:
                return false;
        }
    }

    private void Transfer(string name)
    {
        var target = MemberOf(name);
        long deadline = Schedule.NowMicros + Patience;
        while (!Leads(target))
        {
            if (Schedule.NowMicros > deadline) throw new ScenarioException($"{name} does not come to lead");
            AskTransfer(target);
            for (int i = 0; i < 50 && !Leads(target); i++) Run(10_000);
        }
        Settles();
    }

    private void AskTransfer(SimMember target)
    {
        if (_members.Values.FirstOrDefault(Leads) is not { } leader) return;
        leader.Member.Host!.Ask(ProposalKind.Transfer, null, new ReplicaId((byte)target.Number), (_, _) => { });
        leader.WakeAt(Schedule.NowMicros + 1);
    }

    /// <summary><c>members add|promote|remove n4 [at n2]</c>: asked of the leader, or of the member named; the answer is told.</summary>
    private void Change(Words words)
    {
        string verb = words.Next("a change"), name = words.Next("a member");
        var change = verb switch { "add" => MembershipChange.Add, "promote" => MembershipChange.Promote, "remove" => MembershipChange.Remove, _ => throw new ScenarioException($"members cannot be told to {verb}") };
        var asked = words.Take("at") ? MemberOf(words.Next("a member")) : Leader();
        bool answered = false;
        var member = MemberOf(name);
        asked.Member.Membership.Change(change, new ReplicaId((byte)member.Number), member.PeerAddress, wrong =>
        {
            answered = true;
            Say($"members {verb} {name}: {wrong ?? "done"}");
        });
        asked.WakeAt(Schedule.NowMicros + 1);
        if (words.Take("later")) return;
        Until(words, () => answered ? null : "the change was not answered");
        Settles();
    }

    public bool Leads(SimMember member) => member is { Alive: true, Member.Host: not null } && member.Member.Sessions.Leading && Schedule.NowMicros >= member.PausedUntil;

    private SimMember Leader() => _members.Values.Where(Leads).OrderByDescending(m => m.Member.Standing.Term).FirstOrDefault() ?? throw new ScenarioException("nobody leads");

    /// <summary>n1 n2 n3? : with a question mark, a learner.</summary>
    public string ConfigurationOf(SimMember member) => string.Join(' ', member.Member.Sessions.Configuration.Members.Select(m => m.Voter ? $"n{m.Id.Value}" : $"n{m.Id.Value}?"));
}
