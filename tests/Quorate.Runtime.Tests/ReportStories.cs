using Quorate.Runtime.Faces;
using Quorate.Runtime.Sessions;
using Quorate.Runtime.Tests.Harness;

namespace Quorate.Runtime.Tests;

/// <summary>sessions.md §6.1, §6.2 with many clients: a report in parts, more verdicts than a beat holds, touches of connections that are gone.</summary>
public class ReportStories
{
    /// <summary>A connection that only touches.</summary>
    private sealed class Bare : SessionConnection
    {
        public override void OnHandshake(in HandshakeResult result) { }
        public override void BeforeApply() { }
        public override void OnApplied(long zxid, ReadOnlySpan<byte> result) { }
        public override void OnSynced(long token) { }
        public override void HangUp(string reason) { }
    }

    private static void TouchOften(SessionNode at, Client as_, int count)
    {
        for (int i = 0; i < count; i++) at.Sessions.Touch(new Bare { Session = as_.Session, Number = as_.Number });
    }

    /// <summary>600,000 touches are 9.6 MB, and a frame holds 8 MiB: one frame of them all broke the member.</summary>
    [Fact]
    public void Touches_that_no_frame_could_hold_together_are_reported_in_parts_and_echoed()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        TouchOften(stage[2], client, 600_000);
        int before = stage[1].Received.GetValueOrDefault(SessionFrame.Report);
        stage.Street.Until(() => stage[2].Sessions.UnechoedTouches == 0, 500);
        Assert.True(stage[1].Received[SessionFrame.Report] - before >= 10);
        Assert.Null(client.HungUp);
    }

    /// <summary>1 The middle part of a report is lost. 2 The others come: an echo for them alone would drop the touches of the lost one. 3 They come again until all parts of one report were there.</summary>
    [Fact]
    public void A_part_of_a_report_that_was_lost_is_repeated_with_it()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var crowd = stage.Welcome(stage[2], 10_000);
        var client = stage.Welcome(stage[2], 1000);
        stage.Street.Run(1900);
        int before = stage[1].Received[SessionFrame.Report];
        stage.Street.Until(() => stage[1].Received[SessionFrame.Report] > before); // the next one is a beat away
        int reports = 0;
        stage[1].Loses = f => f == SessionFrame.Report && ++reports == 2;
        TouchOften(stage[2], crowd, 65_536);
        client.Touch();
        TouchOften(stage[2], crowd, 65_536);
        stage.Street.Until(() => reports >= 2);
        stage.Street.Run(2000);
        Assert.Null(client.HungUp);
        Assert.Equal(0, stage.Count(CommandKind.Expire));
        Assert.Equal(0, stage[2].Sessions.UnechoedTouches);
        stage.Street.Until(() => client.HungUp is not null, 500);
    }

    /// <summary>A report of which one part found no room claims nothing and is not echoed; the next one carries all of it.</summary>
    [Fact]
    public void The_parts_of_a_report_count_together_or_not_at_all()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        TouchOften(stage[2], client, 150_000);
        int parts = 0;
        stage[1].Loses = f => f == SessionFrame.Report && ++parts % 2 == 0; // some parts of each report
        stage.Street.Run(200);
        Assert.Equal(150_000, stage[2].Sessions.UnechoedTouches);
        stage[1].Loses = null;
        stage.Street.Until(() => stage[2].Sessions.UnechoedTouches == 0, 200);
    }

    /// <summary>1 25,000 clients moved from B to C, and B does not learn of it. 2 All touch at B: one beat names 10,000 of them. 3 All are closed, the last as well as the first.</summary>
    [Fact]
    public void More_stale_connections_than_one_beat_names_are_closed_all_the_same()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var (stayed, _) = Moved(stage, 25_000);
        foreach (var client in stayed) client.Touch();
        stage.Street.Until(() => stayed.TrueForAll(c => c.HungUp is not null), 1000);
        Assert.True(stage[2].Sessions.Serving);
        stage.Street.Until(() => stage[2].Sessions.UnechoedTouches == 0, 1000);
    }

    /// <summary>1 25,000 clients touch at B and leave it for C. 2 Nobody is left at B to be closed: a verdict for each of them, again and again, would fill every beat and hold back the echo of all touches.</summary>
    [Fact]
    public void Touches_of_connections_that_are_gone_need_no_verdict_and_are_echoed()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var (stayed, moved) = Moved(stage, 25_000);
        foreach (var client in stayed)
        {
            client.Touch();
            client.Leave();
        }
        stage.Street.Until(() => stage[2].Sessions.UnechoedTouches == 0, 1000);
        Assert.All(moved, c => Assert.Null(c.HungUp));
    }

    /// <summary>1 A client's request is read, and its connection breaks. 2 The touch is still under way: the session lives from then on.</summary>
    [Fact]
    public void A_touch_counts_though_its_connection_is_gone_by_then()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2], 1000);
        stage.Street.Run(1900);
        client.Touch();
        client.Leave();
        stage.Street.Run(2000);
        Assert.Equal(0, stage.Count(CommandKind.Expire));
        stage.Street.Until(() => stage.Count(CommandKind.Expire) == 1, 500);
    }

    /// <summary>What arrives behind a gap counts as a touch, but is not echoed: its sending may lie long ago, and what the echo permits counts from then.</summary>
    [Fact]
    public void A_report_that_is_handed_over_as_old_is_not_echoed()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        client.Touch();
        for (int i = 0; i < 200; i++)
        {
            stage[1].Mesh.AfterGap();
            stage.Street.Run(1);
            Assert.Equal(1, stage[2].Sessions.UnechoedTouches);
        }
        stage.Street.Until(() => stage[2].Sessions.UnechoedTouches == 0, 200);
    }

    /// <summary>1 A member has applied the open of a session, the leader has not. 2 It reports a touch. 3 A leader that lags must not say "close it": it knows less than the reporter (sessions.md §6.2).</summary>
    [Fact]
    public void A_leader_that_lags_behind_a_reporter_gives_no_verdict()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        stage[1].HeldAt = stage.Last;
        var client = stage.Welcome(stage[2]);
        client.Touch();
        stage.Street.Run(300);
        Assert.Null(client.HungUp);
        Assert.Equal(1, stage[2].Sessions.UnechoedTouches);
        stage[1].HeldAt = long.MaxValue;
        stage.Street.Until(() => stage[2].Sessions.UnechoedTouches == 0);
        Assert.Null(client.HungUp);
    }

    private static (List<Client> Stayed, List<Client> Moved) Moved(SessionStage stage, int count)
    {
        var stayed = Enumerable.Range(0, count).Select(_ => Client.Open(stage[2].Sessions, 30_000)).ToList();
        stage.Street.Until(() => stayed.TrueForAll(c => c.Welcomed));
        stage[2].HeldAt = stage.Last;
        var moved = stayed.ConvertAll(c => c.MoveTo(stage[3].Sessions, 30_000));
        stage.Street.Until(() => moved.TrueForAll(c => c.Welcomed));
        Assert.All(stayed, c => Assert.Null(c.HungUp));
        return (stayed, moved);
    }
}
