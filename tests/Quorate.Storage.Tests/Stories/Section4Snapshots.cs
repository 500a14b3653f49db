using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §4: snapshots.</summary>
public class Section4Snapshots
{
    [Fact]
    public void A_damaged_snapshot_marks_everything_below_the_begin_of_the_log_until_a_leaders_is_switched_to()
    {
        var g = Filled();
        var e = g.Snapshot(30, 3, "the state");
        g.LogBegin(25, 3, e.Identity);
        g.Settle();
        g.Pump(200_000);
        g.Settle();
        var body = g.Store.Snapshots.Newest(0);
        var raw = g.Raw(body);
        g.Kill();
        string path = g.Sim!.Paths.Single(p => p.EndsWith(".snapshot", StringComparison.Ordinal));
        g.Sim.FlipBit(path, 80);
        g.Open();
        var r = g.Log.Recover(new ReplicaId(1), 1);
        Assert.Equal(new DamagedEntry(3, 25), r.Mark[0]);
        Assert.True(r.Snapshot.IsNone);
        Assert.Equal(path, g.Store.Damage[0].File);
        Assert.Contains(path, g.Store.RefusalAlone(0)!.Message, StringComparison.Ordinal);
        var receiver = g.Store.Snapshots.BeginReceive(0, body.Snapshot, raw.Length);
        receiver.Append(raw);
        receiver.Finish();
        var got = g.NextEvent();
        Assert.Equal(SnapshotEventKind.Received, got.Kind);
        g.Box().PersistSwitch(got.Body, keepTail: true);
        g.Hand();
        Assert.Empty(g.Log.Mark);
        g.Settle();
        g.KillAndOpen();
        Assert.Empty(g.Log.Mark);
        Assert.Equal(30, g.Log.Recover(new ReplicaId(1), 1).Snapshot.Index);
        Assert.Equal(40, g.Log.Map.Last);
    }

    [Fact]
    public void An_installed_snapshot_without_a_durable_switch_is_removed()
    {
        var from = Filled(seed: 2);
        from.Snapshot(30, 3, "theirs");
        var body = from.Store.Snapshots.Newest(0);
        var raw = from.Raw(body);
        var g = Filled(entries: 5);
        var receiver = g.Store.Snapshots.BeginReceive(0, body.Snapshot, raw.Length);
        receiver.Append(raw);
        receiver.Finish();
        Assert.Equal(SnapshotEventKind.Received, g.NextEvent().Kind);
        g.KillAndOpen();
        Assert.Equal(5, g.Log.Map.Last);
        Assert.True(g.Log.Recover(new ReplicaId(1), 1).Snapshot.IsNone);
        Assert.DoesNotContain(g.Sim!.Paths, p => p.EndsWith(".snapshot", StringComparison.Ordinal));
    }

    [Fact]
    public void A_snapshot_that_does_not_read_back_is_no_snapshot()
    {
        var g = Filled();
        g.Snapshot(10, 3, "good");
        var writer = g.Store.Snapshots.BeginWrite(0, new SnapshotIdentity(30, 3, 0));
        writer.Append(new byte[10_000]);
        writer.Finish(1);
        g.Sim!.FailOnce(SimDiskOp.Sync, 0, DiskFailure.Broken, ".part");
        var e = g.NextEvent();
        Assert.Equal(SnapshotEventKind.Failed, e.Kind);
        Assert.Equal(10, g.Store.Snapshots.Newest(0).Snapshot.Index);
        Assert.Null(g.Store.Failed);
        g.KillAndOpen();
        Assert.Equal(10, g.Log.Recover(new ReplicaId(1), 1).Snapshot.Index);
    }

    [Fact]
    public void A_received_file_that_is_not_whole_fails()
    {
        var g = Filled();
        var receiver = g.Store.Snapshots.BeginReceive(0, new SnapshotIdentity(99, 3, 1), 20_000);
        receiver.Append(new byte[20_000]);
        receiver.Finish();
        Assert.Equal(SnapshotEventKind.ReceiveFailed, g.NextEvent().Kind);
        receiver = g.Store.Snapshots.BeginReceive(0, new SnapshotIdentity(99, 3, 1), 20_000);
        receiver.Append(new byte[10_000]);
        receiver.Finish();
        Assert.Equal(SnapshotEventKind.ReceiveFailed, g.NextEvent().Kind);
    }

    [Fact]
    public void A_snapshot_ahead_of_the_log_replaces_it()
    {
        var g = Filled(entries: 10);
        var writer = g.Store.Snapshots.BeginWrite(0, new SnapshotIdentity(25, 3, 5)); // applied what its own disk had not yet
        writer.Append("ahead"u8);
        writer.Finish(1);
        Assert.Equal(SnapshotEventKind.Stored, g.NextEvent().Kind);
        g.KillAndOpen();
        Assert.Equal((25L, 3ul, 25L), (g.Log.Map.BeginIndex, g.Log.Map.BeginTerm, g.Log.Map.Last));
        g.Append(26, 4, "on");
        g.Settle();
        g.KillAndOpen();
        Assert.Equal("on", g.Read(26));
    }
}
