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

    /// <summary>1 B applied the open of S, C has not. 2 S comes to C. By its own table C would tell a living session that it expired (sessions.md §5.2).</summary>
    [Fact]
    public void A_member_that_has_not_applied_the_open_does_not_tell_a_living_session_that_it_expired()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        stage[3].HeldAt = stage.Last;
        var client = stage.Welcome(stage[2]);
        var moved = client.MoveTo(stage[3].Sessions);
        stage.Street.Run(100);
        Assert.Null(moved.Verdict);
        stage[3].HeldAt = long.MaxValue;
        stage.Street.Until(() => moved.Verdict is not null);
        Assert.Equal(HandshakeVerdict.Attached, moved.Verdict);
    }

    /// <summary>1 S expired, and C has not applied that. 2 S comes to C: it is not welcomed to its old lock, its verdict stands in the log behind the Expire (sessions.md §5.2).</summary>
    [Fact]
    public void A_member_that_lags_behind_an_expire_does_not_welcome_the_dead_session()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        stage.AllApplied();
        stage[3].HeldAt = stage.Last;
        client.Leave();
        stage.Street.Until(() => stage.Count(CommandKind.Expire) == 1);
        var moved = client.MoveTo(stage[3].Sessions);
        stage.Street.Run(200);
        Assert.Null(moved.Verdict);
        stage[3].HeldAt = long.MaxValue;
        stage.Street.Until(() => moved.Verdict is not null);
        Assert.Equal(HandshakeVerdict.UnknownSession, moved.Verdict);
    }

    /// <summary>1 A full disk lasts longer than a session's span. 2 An Attach stands in the queue from before. 3 Room comes: it is taken before any Expire (sessions.md §4.4).</summary>
    [Fact]
    public void A_queued_attach_is_taken_before_any_expire()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        stage.AllApplied();
        stage.MayPropose = 0;
        client.Leave();
        var moved = client.MoveTo(stage[3].Sessions, 1000);
        stage.Street.Run(3000);
        Assert.Null(moved.Verdict);
        stage.MayPropose = 64 * 1024 * 1024;
        stage.Street.Until(() => moved.Verdict is not null);
        Assert.Equal(HandshakeVerdict.Attached, moved.Verdict);
        Assert.Equal(0, stage.Count(CommandKind.Expire));
    }

    /// <summary>1 The number before an Attach was lost, so the Attach cannot be taken yet. 2 It arrived and its password fits: that is a touch (sessions.md §6.1).</summary>
    [Fact]
    public void An_attach_that_arrives_touches_its_session_taken_or_not()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        var other = stage.Welcome(stage[3], 30_000);
        client.Leave();
        stage.Street.Run(2000);
        int streams = 0;
        stage[1].Loses = f => f == SessionFrame.Stream && ++streams != 2;
        other.Write("lost");
        stage.Street.Run(2);
        Assert.Equal(1, streams);
        var moved = client.MoveTo(stage[3].Sessions, 1000);
        stage.Street.Run(1000);
        Assert.Equal(0, stage.Count(CommandKind.Expire));
        stage[1].Loses = null;
        stage.Street.Until(() => moved.Verdict is not null);
        Assert.Equal(HandshakeVerdict.Attached, moved.Verdict);
    }

    /// <summary>1 A sync was asked at A and A is gone. 2 At C the question is asked with a fresh number (sessions.md §7.3).</summary>
    [Fact]
    public void A_sync_that_a_former_leader_took_along_is_asked_again()
    {
        var stage = new SessionStage { RoundMicros = 200_000 };
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        stage[2].Sessions.Sync(client);
        stage.Street.Run(20);
        stage[2].ForgetReads();
        stage.Lead(stage[3]);
        stage.Street.Until(() => client.Heard.Contains("synced"), 1_000);
    }

    /// <summary>A sync is behind what was committed when it was asked, applied here or not (sessions.md §7.3).</summary>
    [Fact]
    public void A_sync_waits_until_what_was_committed_when_it_was_asked_is_applied_here()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        var writer = stage.Welcome(stage[3]);
        stage.AllApplied();
        stage[2].HeldAt = stage.Last;
        writer.Write("before");
        writer.Write("seen");
        stage.Street.Until(() => writer.Unapplied == 0);
        stage[2].Sessions.Sync(client);
        stage[2].HeldAt++;
        stage.Street.Run(200);
        Assert.Equal(["before"], stage[2].Machine.Written);
        Assert.DoesNotContain("synced", client.Heard);
        stage[2].HeldAt = long.MaxValue;
        stage.Street.Until(() => client.Heard.Contains("synced"));
        Assert.Equal(["before", "seen"], stage[2].Machine.Written);
    }
}
