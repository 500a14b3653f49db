using Quorate.Runtime.Faces;
using Quorate.Runtime.Sessions;
using Quorate.Runtime.Tests.Harness;

namespace Quorate.Runtime.Tests;

/// <summary>sessions.md §5 and §2: handshakes are answered from the log, a moved session's former connections are closed, all is judged once.</summary>
public class HandshakeStories
{
    [Fact]
    public void A_session_that_moves_between_members_is_closed_where_it_was_and_its_late_write_takes_no_effect()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var first = stage.Welcome(stage[2]);
        stage[2].HeldAt = stage.Last;                       // it does not learn of the move yet
        var second = first.MoveTo(stage[3].Sessions);
        stage.Street.Until(() => second.Welcomed);
        first.Write("too late");
        stage.Street.Run(100);
        Assert.Equal(1, stage.Count(CommandKind.Stale));
        stage[2].HeldAt = long.MaxValue;
        stage.Street.Until(() => first.HungUp is not null);
        second.Write("in time");
        stage.Street.Until(() => stage[2].Machine.Written.Count == 1);
        Assert.Equal(["in time"], stage[1].Machine.Written);
        Assert.Equal(first.Session, second.Session);
    }

    /// <summary>1 A has not applied the open, B has. 2 B's client writes, and comes to C as well. A must not call a living session unknown.</summary>
    [Fact]
    public void A_session_that_a_member_knows_before_its_leader_does_is_not_told_that_it_expired()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        stage[1].HeldAt = stage.Last;
        var client = stage.Welcome(stage[2]);
        client.Write("first");
        stage.Street.Until(() => stage[2].Machine.Written.Count == 1);
        var moved = client.MoveTo(stage[3].Sessions);
        stage.Street.Until(() => moved.Verdict is not null);
        Assert.Equal(HandshakeVerdict.Attached, moved.Verdict);
        var wrong = new Client(stage[3].Sessions);
        stage[3].Sessions.Attach(wrong, client.Session, new byte[16], 4000);
        stage.Street.Until(() => wrong.Verdict is not null);
        Assert.Equal(HandshakeVerdict.WrongPassword, wrong.Verdict);
        moved.Write("second");
        stage.Street.Until(() => stage[3].Machine.Written.Count == 2);
        moved.Close();
        stage.Street.Until(() => stage[3].Machine.Ended.Count == 1);
        stage[1].HeldAt = long.MaxValue;
        stage.AllApplied();
        Assert.Equal(stage[2].Sessions.Table.Digest, stage[1].Sessions.Table.Digest);
        Assert.Equal(0, stage.Count(CommandKind.Stale));
    }

    [Fact]
    public void What_nobody_opened_is_unknown_by_the_log_and_never_by_the_local_table()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var stranger = new Client(stage[2].Sessions);
        stage[2].Sessions.Attach(stranger, 12345, new byte[16], 4000);
        Assert.Null(stranger.Verdict);
        stage.Street.Until(() => stranger.Verdict == HandshakeVerdict.UnknownSession);
        Assert.Equal(0, stranger.Unapplied);
        Assert.False(stranger.Handshaking);
    }

    [Fact]
    public void Before_a_write_is_applied_its_connection_is_told_and_its_answer_comes_after()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        client.Write("a");
        client.Write("b");
        stage.Street.Until(() => client.Unapplied == 0);
        Assert.Equal(["handshake Attached", "before", "applied a", "before", "applied b"], client.Heard);
    }

    [Fact]
    public void A_sync_is_answered_though_a_round_takes_longer_than_a_beats_echo()
    {
        var stage = new SessionStage { RoundMicros = 300_000 };
        stage.Lead(stage[1]);
        foreach (int at in new[] { 1, 2 })
        {
            var client = stage.Welcome(stage[at]);
            stage[at].Sessions.Sync(client);
            stage.Street.Until(() => client.Heard.Contains("synced"), 2_000);
        }
    }
}
