using Quorate.Protocols.Raft;

namespace Quorate.Runtime.Tests;

/// <summary>docs/decisions/0005: an acknowledgement claims the last report to this very leader, by this very link, and nothing of an earlier one.</summary>
public class ClaimTests
{
    /// <summary>1 B reported to A. 2 C leads the next term and B acknowledges its first Append: C holds no report of B's, and what C proves to B must not reach back to A's.</summary>
    [Fact]
    public void The_first_acknowledgement_to_a_new_leader_claims_nothing_of_the_report_to_the_old_one()
    {
        var core = new RaftCore(new RaftOptions());
        var outbox = new Outbox();
        var list = new ClusterConfiguration(Enumerable.Range(1, 3).Select(i => new ConfiguredMember(new ReplicaId((byte)i), 100 + (ulong)i, true, $"m{i}:1")));
        core.Start(new Instant(1_000, 1), new Recovered { Self = new ReplicaId(2), Directory = 102, Run = 7, Configurations = [new ConfigurationAt(0, list)] }, outbox);
        core.Receive(new Instant(2_000, 2), Sender.Host, new Answered(0), outbox);
        Assert.Equal(0, Claim(core, outbox, 1, 1, 3_000));
        core.Receive(new Instant(4_000, 4), Sender.Host, new Answered(4_000), outbox);
        Assert.Equal(4_000, Claim(core, outbox, 1, 1, 5_000));
        Assert.Equal(0, Claim(core, outbox, 3, 2, 6_000));
        core.Receive(new Instant(7_000, 7), Sender.Host, new Answered(7_000), outbox);
        Assert.Equal(7_000, Claim(core, outbox, 3, 2, 8_000));
    }

    private static long Claim(RaftCore core, Outbox outbox, byte leader, ulong term, long micros)
    {
        outbox.Clear();
        core.Receive(new Instant(micros, micros / 1000), new Sender(new ReplicaId(leader), 100UL + leader, 1),
            new Append { Term = term, PrevIndex = 0, PrevTerm = 0, Last = 0, Commit = 0, Round = micros, ProvenMicros = 0, ProvenRun = 0 }, outbox);
        AppendReply? reply = null;
        foreach (ref readonly var v in outbox.Verbs)
            if (v.Kind == VerbKind.Send && v.Message is AppendReply r) reply = r;
        Assert.NotNull(reply);
        return reply.SentMicros;
    }
}
