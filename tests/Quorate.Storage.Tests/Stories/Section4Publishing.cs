using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §4.3 and §4.4: when a snapshot counts, and what an install may leave at any instant.</summary>
public class Section4Publishing
{
    [Fact]
    public void A_snapshot_that_rots_between_its_sync_and_its_reading_back_is_not_stored()
    {
        var g = Filled();
        Assert.Equal(SnapshotEventKind.Stored, g.Snapshot(10, 3, "good").Kind);
        bool rotten = false;
        g.Sim!.Trace = op =>
        {
            if (rotten || !op.StartsWith("Name", StringComparison.Ordinal) || !op.EndsWith(".snapshot.part", StringComparison.Ordinal)) return;
            string path = op[5..];
            if (!g.Sim.Exists(path) || g.Sim.Peek(path).AsSpan(0, 8).IndexOfAnyExcept((byte)0) < 0) return; // the rename: what was written was synced
            rotten = true;
            g.Sim.FlipBit(path, 100);
        };
        Assert.Equal(SnapshotEventKind.Failed, g.Snapshot(30, 3, "rotten").Kind);
        g.Sim.Trace = null;
        Assert.True(rotten);
        Assert.Equal(10, g.Store.Snapshots.Newest(0).Snapshot.Index);
        g.KillAndOpen();
        Assert.Equal(10, g.Log.Recover(new ReplicaId(1), 1).Snapshot.Index);
        Assert.Equal(40, g.Log.Map.Last);
    }

    [Fact]
    public void A_snapshot_whose_file_cannot_be_opened_fails_and_the_member_goes_on()
    {
        var g = Filled();
        g.Sim!.FailOnce(SimDiskOp.Name, 0, DiskFailure.Broken, ".snapshot.part");
        var e = g.Snapshot(30, 3, new string('s', 3_000_000)); // pieces wait behind the open
        Assert.Equal(SnapshotEventKind.Failed, e.Kind);
        g.Append(41, 3, "on");
        g.Settle();
        Assert.Null(g.Store.Failed);
        Assert.Equal(SnapshotEventKind.Stored, g.Snapshot(30, 3, "again").Kind);
        g.KillAndOpen();
        Assert.Equal("on", g.Read(41));
    }

    [Fact]
    public void An_install_that_is_cut_short_anywhere_leaves_the_old_state_or_the_new_one()
    {
        var from = Filled(seed: 2, entries: 60);
        from.Snapshot(55, 3, "theirs");
        var body = from.Store.Snapshots.Newest(0);
        var raw = from.Raw(body);
        int old = 0, installed = 0;
        for (int after = 0; after < 40; after++)
        {
            var g = Filled(seed: (ulong)after + 10);
            g.LogBegin(20, 3, g.Snapshot(20, 3, "mine").Identity);
            g.Settle();
            g.Sim!.CrashAfter(after);
            var told = Ticket.None;
            try
            {
                var receiver = g.Store.Snapshots.BeginReceive(0, body.Snapshot, raw.Length);
                receiver.Append(raw);
                receiver.Finish();
                var got = g.NextEvent();
                told = g.Box().PersistSwitch(got.Body, keepTail: false);
                g.Hand();
                g.Settle();
            }
            catch (SimCrash)
            {
                Assert.True(after < 39, "too far");
            }
            bool durable = told > Ticket.None && g.Log.Durable >= told;
            if (after % 2 == 0) g.Sim.Crash();
            else g.Sim.Kill();
            g.Open();
            var r = g.Log.Recover(new ReplicaId(1), 1);
            Assert.Empty(r.Mark);
            if (r.Log.BeginIndex == 55)
            {
                installed++;
                Assert.Equal((55L, 55L), (r.Log.Last, r.Snapshot.Index));
                continue;
            }
            old++;
            Assert.False(durable, "a durable switch is forgotten");
            Assert.Equal((20L, 40L, 20L), (r.Log.BeginIndex, r.Log.Last, r.Snapshot.Index));
            Assert.DoesNotContain(g.Sim.Paths, p => p.Contains(".installed", StringComparison.Ordinal));
        }
        Assert.True(old > 3 && installed > 3, $"{old} old, {installed} installed");
    }
}
