using Quorate.Runtime.Sessions;
using Quorate.Runtime.Tests.Harness;

namespace Quorate.Runtime.Tests;

/// <summary>sessions.md §4: every number becomes one entry that counts, whatever becomes of leaders, links and queues.</summary>
public class StreamStories
{
    [Fact]
    public void A_survivors_client_keeps_its_connection_across_a_leader_change_and_each_write_is_taken_once()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[3]);
        for (int i = 0; i < 50; i++)
        {
            client.Write($"w{i}");
            stage.Street.Run(i % 3);
            if (i is 10 or 25 or 40) stage.Lead(stage[i % 2 + 1]);
        }
        stage.Street.Until(() => stage[3].Machine.Written.Count >= 50);
        stage.Street.Run(200);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"w{i}"), stage[1].Machine.Written);
        Assert.Null(client.HungUp);
        Assert.Equal(0, client.Unapplied);
    }

    [Fact]
    public void What_was_lost_on_the_way_comes_again_without_a_leader_change_and_once_for_one_echo()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        int lost = 0;
        stage[1].Loses = f => f == SessionFrame.Stream && ++lost > 0;
        for (int i = 0; i < 20; i++)
        {
            client.Write($"w{i}");
            stage.Street.Run(1);
        }
        stage.Street.Run(300);
        Assert.True(lost < 20 + 15, $"{lost} frames: more than one resend an echo");
        stage[1].Loses = null;
        stage.Street.Until(() => stage[1].Machine.Written.Count == 20);
        stage.AllApplied();
        Assert.Equal(stage[1].Machine.Digest, stage[2].Machine.Digest);
    }

    [Fact]
    public void What_a_full_queue_drops_is_sent_again()
    {
        var stage = new SessionStage(3, id => new SessionOptions { StreamWindowBytes = id == 1 ? 2_000 : 1_000_000 });
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        stage.MayPropose = 0;
        for (int i = 0; i < 200; i++) client.Write($"w{i}");
        stage.Street.Run(300);
        Assert.Empty(stage[1].Machine.Written);
        stage.MayPropose = 64 * 1024 * 1024;
        stage.Street.Until(() => stage[2].Machine.Written.Count >= 200);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"w{i}"), stage[2].Machine.Written);
        Assert.Equal(0, stage[2].Sessions.WindowBytes);
    }

    [Fact]
    public void A_link_that_breaks_again_and_again_loses_and_doubles_nothing()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        for (int i = 0; i < 100; i++)
        {
            client.Write($"w{i}");
            stage.Street.Run(2);
            if (i % 9 == 0) stage.Street.Cut(stage[1].Door, stage[2].Door);
        }
        stage.Street.Until(() => stage[2].Machine.Written.Count >= 100);
        stage.Street.Run(200);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"w{i}"), stage[2].Machine.Written);
        Assert.Null(client.HungUp);
    }

    /// <summary>1 B numbers an Attach and is cut off. 2 B hangs up; the client attaches at C. 3 B heals: its old Attach must not throw the client off at C.</summary>
    [Fact]
    public void A_healed_members_old_attach_goes_empty_and_throws_nobody_off()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var first = stage.Welcome(stage[2]);
        stage.Street.Hold(stage[1].Door, stage[2].Door);
        var lost = first.MoveTo(stage[2].Sessions);
        stage[2].MayServeUntil = 0;
        stage.Street.Run(50);
        Assert.NotNull(first.HungUp);
        Assert.NotNull(lost.HungUp);
        var moved = first.MoveTo(stage[3].Sessions);
        stage.Street.Until(() => moved.Welcomed);
        stage[2].MayServeUntil = null;
        stage.Street.Mend(stage[1].Door, stage[2].Door);
        stage.Street.Cut(stage[1].Door, stage[2].Door);
        stage.Street.Until(() => stage[2].Sessions.WindowBytes == 0);
        stage.Street.Run(100);
        Assert.Null(moved.HungUp);
        Assert.Equal(1, stage.Count(CommandKind.Empty));
        Assert.Equal(1, stage.Count(CommandKind.Attach));
    }

    /// <summary>
    /// 1 B's number waits in A's queue. 2 B is removed: the queue is dropped untaken. 3 B is named again with the same directory. A must name the last number taken, or B never sends again.
    /// </summary>
    [Fact]
    public void A_member_that_was_removed_with_numbers_in_the_queue_and_is_named_again_is_not_wedged()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        var all = stage.Configuration;
        stage.MayPropose = 0;
        client.Write("late");
        stage.Street.Run(100);
        stage.Change(all.Without(stage[2].Id));
        stage.Street.Run(50);
        Assert.NotNull(client.HungUp);
        Assert.False(stage[2].Sessions.Serving);
        stage.MayPropose = 64 * 1024 * 1024;
        stage.Street.Run(50);
        Assert.Empty(stage[1].Machine.Written);
        stage.Change(all);
        stage.Street.Until(() => stage[1].Machine.Written.Count == 1);
        Assert.Equal(0, stage[2].Sessions.WindowBytes);
        stage.Welcome(stage[2]).Write("next");
        stage.Street.Until(() => stage[2].Machine.Written.SequenceEqual(["late", "next"]));
    }

    [Fact]
    public void The_stream_goes_on_from_an_installed_snapshots_last_number()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        stage[2].HeldAt = stage.Last;
        client.Write("a");
        client.Write("b");
        stage.Street.Until(() => stage[1].Machine.Written.Count == 2);
        client.Write("c");
        stage[2].InstallFrom(stage[1]);
        Assert.NotNull(client.HungUp);
        stage[2].HeldAt = long.MaxValue;
        stage.Street.Until(() => stage[2].Machine.Written.Count == 3);
        Assert.Equal(["a", "b", "c"], stage[2].Machine.Written);
        Assert.Equal(0, stage[2].Sessions.WindowBytes);
        stage.Welcome(stage[2]).Write("d");
        stage.Street.Until(() => stage[2].Machine.Written.Count == 4);
    }

    [Fact]
    public void While_there_is_no_room_beats_say_so_and_what_has_a_number_goes_on()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        Assert.True(stage[2].Sessions.HasRoom);
        stage[1].Sessions.LowSpace = true;
        stage.Street.Until(() => !stage[2].Sessions.HasRoom);
        client.Write("numbered before it knew");
        var moved = client.MoveTo(stage[3].Sessions);
        stage.Street.Until(() => moved.Welcomed && stage[1].Machine.Written.Count == 1);
        stage[1].Sessions.LowSpace = false;
        stage.Street.Until(() => stage[2].Sessions.HasRoom);
    }

    /// <summary>
    /// 1 B's Attach of S waits in A's queue, and A may not propose. 2 Its client leaves; C leads a term in which S is attached at C, and B cannot reach C. 3 A leads again: with what it still had in its queue, the old
    /// Attach would throw the client off at C. The queue belongs to one term; B sends its number again, empty (sessions.md §4.3).
    /// </summary>
    [Fact]
    public void A_leaders_queue_belongs_to_one_term()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var first = stage.Welcome(stage[2]);
        stage.MayPropose = 0;
        var left = first.MoveTo(stage[2].Sessions);
        stage.Street.Run(50);
        left.Leave();
        first.Leave();
        stage.Street.Hold(stage[2].Door, stage[3].Door);
        stage.MayPropose = 64 * 1024 * 1024;
        stage.Lead(stage[3]);
        var moved = first.MoveTo(stage[3].Sessions);
        stage.Street.Until(() => moved.Welcomed);
        stage.Lead(stage[1]);
        stage.Street.Until(() => stage[2].Sessions.WindowBytes == 0);
        stage.Street.Run(100);
        Assert.Null(moved.HungUp);
        Assert.Equal(1, stage.Count(CommandKind.Empty));
    }

    /// <summary>1 A prepared in term 1. 2 B opens term 2. 3 A value of term 1 is decided behind it (Multi-Paxos may): it was computed on a state that is no more, and everybody skips it (sessions.md §3.2).</summary>
    [Fact]
    public void A_transaction_of_an_earlier_term_behind_a_later_one_is_skipped_by_everyone()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        client.Write("once");
        stage.Street.Until(() => client.Unapplied == 0);
        byte[] late = stage.Entry(stage.Last).Payload.ToArray();
        stage.Lead(stage[3]);
        stage.Append(EntryKind.Command, late);
        client.Write("next");
        stage.Street.Until(() => client.Unapplied == 0);
        stage.AllApplied();
        Assert.All(stage.Nodes, n => Assert.Equal(["once", "next"], n.Machine.Written));
        Assert.All(stage.Nodes, n => Assert.Equal(1u, n.Sessions.Table.Counter)); // epoch 2 has one transaction
    }

    /// <summary>1 The configuration that removes B is in A's log and not applied. 2 Numbers of B are judged by the applied configuration, so none is taken meanwhile (sessions.md §2.4).</summary>
    [Fact]
    public void Nothing_is_prepared_while_a_configuration_in_the_log_is_not_applied()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        stage[1].HeldAt = stage.Last;
        stage.Change(stage.Configuration.Without(stage[2].Id));
        stage[2].HeldAt = stage.Last - 1;
        client.Write("of a member that goes");
        stage.Street.Run(100);
        Assert.Equal(0, stage.Count(CommandKind.Write));
        stage[1].HeldAt = stage[2].HeldAt = long.MaxValue;
        stage.Street.Until(() => client.HungUp is not null);
        stage.Street.Run(100);
        Assert.Equal(0, stage.Count(CommandKind.Write));
    }

    /// <summary>1 B is removed with ten numbers applied, and named again with the same directory. 2 Its position outlived the removal: it goes on at eleven (sessions.md §4.2).</summary>
    [Fact]
    public void A_position_outlives_its_members_removal()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        for (int i = 0; i < 9; i++) client.Write($"w{i}");
        stage.Street.Until(() => client.Unapplied == 0);
        var all = stage.Configuration;
        stage.Change(all.Without(stage[2].Id));
        stage.AllApplied();
        Assert.Equal(10, stage[1].Sessions.Table.PositionOf(2).Number);
        stage.Change(all);
        stage.Street.Until(() => stage[2].Sessions.Serving);
        stage.Welcome(stage[2]).Write("eleven and twelve");
        stage.Street.Until(() => stage[2].Machine.Written.Count == 10);
        Assert.Equal(12, stage[3].Sessions.Table.PositionOf(2).Number);
    }

    /// <summary>1 C was formed later, from a list that says one voter where the log once had three. 2 Replaying "term opened", it must reach the epoch that the others have: the record says it, not a configuration (sessions.md §3.3).</summary>
    [Fact]
    public void A_member_that_replays_the_log_under_a_later_configuration_reaches_the_same_epochs()
    {
        var stage = new SessionStage();
        stage[3].Sessions.Begin(new ClusterConfiguration([stage.Configuration.Find(stage[3].Id)!]));
        stage.Lead(stage[1]);
        stage.Welcome(stage[1]);
        stage.Lead(stage[2]);
        stage.AllApplied();
        Assert.Equal(2u, stage[1].Sessions.Table.Epoch);
        Assert.Equal(stage[1].Sessions.Table.Digest, stage[3].Sessions.Table.Digest);
    }

    [Fact]
    public void At_its_end_the_counter_begins_a_new_epoch_and_zxids_go_on_rising()
    {
        var stage = new SessionStage(3, _ => new SessionOptions { EpochCounterLimit = 20 });
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        long last = 0;
        for (int i = 0; i < 60; i++)
        {
            client.Write($"w{i}");
            stage.Street.Until(() => client.Unapplied == 0);
            Assert.True(stage[2].Sessions.Table.Zxid > last);
            last = stage[2].Sessions.Table.Zxid;
        }
        Assert.True(stage.Count(CommandKind.Epoch) is 2 or 3);
        stage.AllApplied();
        Assert.Equal((uint)(1 + stage.Count(CommandKind.Epoch)), stage[3].Sessions.Table.Epoch);
        Assert.Equal(stage[1].Sessions.Table.Digest, stage[3].Sessions.Table.Digest);
    }

    /// <summary>1 B sends a number, and its link breaks; A has it. 2 A beat from before names less, so B sends the number again over the new link. 3 A takes it once (sessions.md §4.1).</summary>
    [Fact]
    public void A_number_that_comes_a_second_time_takes_effect_once()
    {
        var stage = new SessionStage();
        stage.Lead(stage[1]);
        var client = stage.Welcome(stage[2]);
        client.Write("once");
        stage.Street.Until(() => client.Unapplied == 0);
        var request = new byte[StreamRequest.HeaderBytes];
        StreamRequest.WriteHeader(request, CommandKind.Write, client.Session, client.Number);
        var w = stage[2].Mesh.Begin(stage[1].Id, Transport.FrameKind.Session)!;
        w.Byte((byte)SessionFrame.Stream);
        w.Int64(1_000);
        w.UInt64(stage.Term);
        w.UInt64(stage[2].Run);
        w.Int64(stage[1].Sessions.Table.PositionOf(2).Number);
        w.Int32(1);
        w.Sized([.. request, .. "once"u8]);
        stage[2].Mesh.End(stage[1].Id);
        stage.Street.Run(100);
        Assert.Equal(1, stage.Count(CommandKind.Write));
        client.Write("next");
        stage.Street.Until(() => client.Unapplied == 0);
        stage.AllApplied();
        Assert.Equal(["once", "next"], stage[3].Machine.Written);
    }
}
