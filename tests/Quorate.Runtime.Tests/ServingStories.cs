using Quorate.Runtime.Sessions;
using Quorate.Runtime.Tests.Harness;

namespace Quorate.Runtime.Tests;

/// <summary>sessions.md §6: the leader alone expires, a member that is cut off hangs up, no touch and no verdict is lost.</summary>
public class ServingStories
{
    [Fact]
    public void A_member_that_slept_past_its_permission_hangs_up_before_it_reads_a_client()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        stage[2].MayServeUntil = stage.Street.Micros + 600_000;
        stage.Street.Sleep(10_000);
        stage[2].BeginTurn(stage.Street.Now);
        Assert.NotNull(client.HungUp);
        Assert.False(stage[2].Sessions.Serving);
    }

    [Fact]
    public void A_member_that_hears_and_does_not_apply_hangs_up()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        var busy = stage.Welcome(stage[3]);
        stage[2].HeldAt = stage.Last;
        for (int i = 0; i < 12_000 && stage[2].Sessions.Serving; i += 100)
        {
            busy.Touch();
            client.Touch();
            busy.Write($"w{i}");
            stage.Street.Run(100);
        }
        Assert.NotNull(client.HungUp);
        Assert.False(stage[2].Sessions.Serving);
        Assert.Null(busy.HungUp);
        stage[2].HeldAt = long.MaxValue;
        stage.Street.Until(() => stage[2].Sessions.Serving);
    }

    [Fact]
    public void A_touch_that_was_lost_with_its_report_is_repeated_until_it_is_echoed()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        stage.Street.Run(1900);
        stage[1].Loses = f => f == SessionFrame.Report;
        client.Touch();
        stage.Street.Run(100);
        stage[1].Loses = null;
        stage.Street.Run(2000);
        Assert.Null(client.HungUp);
        Assert.Equal(0, stage.Count(CommandKind.Expire));
        stage.Street.Until(() => client.HungUp is not null, 500);
        Assert.Equal(1, stage.Count(CommandKind.Expire));
    }

    [Fact]
    public void A_new_leader_begins_the_whole_span_anew()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        stage.Street.Run(2000);
        stage.Lead(stage[3]);
        stage.Street.Run(2100);
        Assert.Null(client.HungUp);
        stage.Street.Until(() => client.HungUp is not null, 500);
    }

    [Fact]
    public void Expiry_waits_for_twice_the_largest_span_that_a_member_announced()
    {
        var stage = new SessionStage(3, id => new SessionOptions { ServeWithoutLeaderMicros = id == 2 ? 600_000 : 100_000 });
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1300);
        stage.Street.Run(2400);
        Assert.Null(client.HungUp);
        stage.Street.Until(() => client.HungUp is not null, 400);
    }

    /// <summary>
    /// 1 The session expires; B has not applied that and reports a touch. 2 The beat with the verdict is lost with its link. 3 No touch comes any more: the verdict must come again all the same.
    /// </summary>
    [Fact]
    public void A_verdict_that_was_lost_with_its_beat_comes_again()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        stage[2].HeldAt = stage.Last;
        stage.Street.Until(() => stage.Count(CommandKind.Expire) == 1);
        Assert.Null(client.HungUp);
        client.Touch();
        int beats = 0;
        stage[2].Loses = f => f == SessionFrame.Beat && ++beats > 1; // the first brings the report about
        stage.Street.Run(110);
        Assert.True(beats > 2);
        Assert.Null(client.HungUp);
        stage.Street.Cut(stage[1].Door, stage[2].Door);
        stage.Street.Run(3);
        stage[2].Loses = null;
        stage.Street.Until(() => client.HungUp is not null, 1000);
        Assert.True(stage[2].Sessions.Serving);
    }

    [Fact]
    public void A_removed_member_hangs_up_and_gives_no_numbers()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[3]);
        stage.Change(stage.Configuration.Without(stage[3].Id));
        stage.Street.Until(() => client.HungUp is not null);
        Assert.False(stage[3].Sessions.Serving);
        var moved = client.MoveTo(stage[2].Sessions);
        stage.Street.Until(() => moved.Welcomed);
    }

    [Fact]
    public void Before_a_snapshot_is_installed_every_client_is_hung_up()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        stage[2].InstallFrom(stage[1]);
        Assert.NotNull(client.HungUp);
        Assert.Equal(0, stage[2].Sessions.ConnectionCount);
        stage.Street.Until(() => stage[2].Sessions.Serving);
        var moved = client.MoveTo(stage[2].Sessions);
        stage.Street.Until(() => moved.Welcomed);
    }
}
