using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §1: the log is a ring of segments. Each schedule that it names, as a story.</summary>
public class Section1Log
{
    [Fact]
    public void A_vote_never_leaves_with_the_segment_in_which_it_was_cast()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        var c = new ClusterConfiguration([new(new ReplicaId(1), 5, true, "h:1")]);
        g.AppendTo(0, 1, 1, new Entry(EntryKind.Configuration, Payload.Of(c.Encode())));
        g.Vote(5, 3);
        g.Settle();
        long stored = 0;
        for (int i = 2; i < 600; i++)
        {
            g.Append(i, 5, new string('v', 3000));
            g.Pump(1_000);
            if (i % 60 != 0) continue;
            g.Settle();
            var e = g.Snapshot(i - 5, i - 5 == 1 ? 1u : 5u, "s" + i);
            g.LogBegin(i - 10, 5, e.Identity);
            stored = e.Identity.Index;
            g.Settle();
            if (i % 180 == 0) g.KillAndOpen();
        }
        g.Settle();
        Assert.True(g.Store.Journal.Segments.Ring <= 7, $"{g.Store.Journal.Segments.Ring} segments");
        g.Sim!.Crash();
        g.Open();
        Assert.Equal(new Promise(5, 3, 21), g.Log.Promise);
        Assert.Equal(1, Assert.Single(g.Log.Configurations).Index);
        Assert.Equal(stored, g.Log.Recover(new ReplicaId(1), 1).Snapshot.Index);
    }

    [Fact]
    public void Small_partitions_move_to_the_head_and_do_not_pin_the_ring()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        for (int p = 1; p <= 3; p++) g.AppendTo(p, 1, 1, new Entry(EntryKind.Command, Payload.Of(System.Text.Encoding.UTF8.GetBytes("small " + p))));
        g.Settle();
        for (int i = 1; i < 500; i++)
        {
            g.Append(i, 5, new string('v', 3000));
            g.Pump(1_000);
            if (i % 40 != 0) continue;
            g.Settle();
            g.LogBegin(i - 5, 5, g.Snapshot(i - 5, 5, "s" + i).Identity);
        }
        g.Settle();
        Assert.True(g.Store.Journal.Segments.Ring <= 5, $"{g.Store.Journal.Segments.Ring} segments");
        g.Sim!.Crash();
        g.Open();
        for (int p = 1; p <= 3; p++) Assert.Equal("small " + p, g.Read(1, p));
    }

    [Fact]
    public void Staged_runs_are_adopted_by_one_switch_and_survive()
    {
        var g = Filled(entries: 5);
        var entries = new[] { new Entry(EntryKind.Command, Payload.Of("s4"u8.ToArray())), new Entry(EntryKind.Command, Payload.Of("s5"u8.ToArray())), new Entry(EntryKind.Command, Payload.Of("s6"u8.ToArray())) };
        g.Log.Gather(new Verb { Kind = VerbKind.Persist, Persist = PersistKind.Stage, First = 4, Term = 8, Ticket = new Ticket(20) }, entries);
        g.Settle();
        g.KillAndOpen();
        Assert.Equal(5, g.Log.Map.Last);
        Assert.True(g.Log.TryReadNow(6, out _, staged: true));
        g.Log.Gather(new Verb { Kind = VerbKind.Persist, Persist = PersistKind.Switch, Ticket = new Ticket(1) }, []);
        Assert.Equal("s6", g.Read(6));
        g.Settle();
        g.KillAndOpen();
        Assert.Equal(6, g.Log.Map.Last);
        Assert.Equal("s4", g.Read(4));
        Assert.StartsWith("entry 3", g.Read(3), StringComparison.Ordinal);
        Assert.True(g.Log.Map.Matches(4, 8));
        g.Log.Gather(new Verb { Kind = VerbKind.Persist, Persist = PersistKind.Stamp, First = 2, Last = 4, Term = 9, Ticket = new Ticket(1) }, []);
        g.Settle();
        g.KillAndOpen();
        Assert.True(g.Log.Map.Matches(2, 9) && g.Log.Map.Matches(4, 9) && g.Log.Map.Matches(5, 8) && g.Log.Map.Matches(1, 3));
        Assert.Equal("s4", g.Read(4));
    }

    [Fact]
    public void A_clean_stop_leaves_an_empty_batch_behind_the_last_real_one()
    {
        var g = Filled(entries: 3);
        g.Append(4, 3, "last");
        g.Store.BeginClose();
        for (int i = 0; i < 20 && !g.Store.IsClosed; i++) g.Pump(500);
        Assert.True(g.Store.IsClosed);
        g.Kill();
        Assert.True(Scan(g).Found.Values.Last().Header.Is(BatchFlags.Empty));
    }

    [Fact]
    public void Many_partitions_share_one_sync()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true, segmentBytes: 1024 * 1024);
        g.Open();
        g.Settle();
        long before = g.Store.Journal.BatchesWritten;
        for (int p = 0; p < 50; p++) g.AppendTo(p, 1, 1, new Entry(EntryKind.Command, Payload.Of(new byte[50])));
        g.Settle();
        Assert.Equal(before + 1, g.Store.Journal.BatchesWritten);
        g.KillAndOpen();
        for (int p = 0; p < 50; p++) Assert.Equal(1, g.Store.Journal.Partition(p).Map.Last);
    }
}
