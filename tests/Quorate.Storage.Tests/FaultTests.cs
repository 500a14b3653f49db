using Quorate.Simulation;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>The schedules that storage.md names, each as its story.</summary>
public class FaultTests
{
    private static Ground Filled(ulong seed = 1, int entries = 40)
    {
        var g = new Ground(StorageLevel.Disk, simulated: true, seed: seed);
        g.Open();
        g.Vote(3, 1);
        for (int i = 1; i <= entries; i++)
        {
            g.Append(i, 3, $"entry {i} " + new string('e', 200));
            g.Pump(1_000);
        }
        g.Settle();
        g.Pump(200_000);
        g.Settle();
        return g;
    }

    /// <summary>The header of the batch that holds an entry.</summary>
    private static FoundBatch BatchOf(Ground g, long index)
    {
        foreach (var b in Scan(g).Found.Values)
            foreach (var op in b.Header.Ops)
                if (op.HasBytes && op.First <= index && op.Last >= index) return b;
        throw new InvalidOperationException();
    }

    private static JournalScan Scan(Ground g)
    {
        var scan = new JournalScan(IdentityFile.Load(g.Sim!, "/data/disk", g.Options).Key.ToArray());
        foreach (string f in g.Sim!.Paths.Where(f => f.EndsWith(".segment", StringComparison.Ordinal)).ToArray())
        {
            StorePaths.TrySegmentNumber(Path.GetFileName(f), out ulong number);
            scan.Read(new Segment(number, f, g.Sim.Open(f, create: false), (int)g.Sim.LengthOf(f)));
        }
        return scan;
    }

    [Fact]
    public void A_flipped_bit_in_an_entry_is_named_and_marked_and_nothing_else_is_lost()
    {
        var g = Filled();
        g.Kill();
        var bad = BatchOf(g, 20);
        g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.RegionOffset + 40);
        g.Open();
        var r = g.Log.Recover(new ReplicaId(1), 1);
        Assert.Equal(40, r.Log.Last);
        Assert.Equal(new DamagedEntry(3, 20), Assert.Single(r.Mark));
        var d = Assert.Single(g.Store.Damage);
        Assert.Equal((bad.Segment.Path, bad.Header.Offset, 0, 20L), (d.File, d.Offset, d.Partition, d.First));
        Assert.Null(g.Read(20));
        Assert.StartsWith("entry 19", g.Read(19), StringComparison.Ordinal);
        Assert.StartsWith("entry 40", g.Read(40), StringComparison.Ordinal);
        Assert.Contains(bad.Segment.Path, g.Store.RefusalAlone(0)!.Message, StringComparison.Ordinal);

        // It stays in the mark over a restart, and a put (repair) takes it out, for good.
        g.KillAndOpen();
        Assert.Single(g.Log.Mark);
        var entry = new Entry(EntryKind.Command, Payload.Of("repaired"u8.ToArray()));
        g.Log.Gather(new Verb { Kind = VerbKind.Persist, Persist = PersistKind.Put, First = 20, Term = 3, Ticket = new Ticket(1) }, [entry]);
        Assert.Empty(g.Log.Mark);
        g.Settle();
        g.KillAndOpen();
        Assert.Empty(g.Log.Mark);
        Assert.Equal("repaired", g.Read(20));
        Assert.Equal(40, g.Log.Map.Last);
    }

    [Fact]
    public void An_unreadable_block_counts_as_a_bad_one()
    {
        var g = Filled();
        g.Kill();
        var bad = BatchOf(g, 20);
        g.Sim!.MakeUnreadable(bad.Segment.Path, bad.Header.Offset); // front header and region share the block
        g.Open();
        Assert.Equal(20, Assert.Single(g.Log.Mark).Index);
        Assert.Equal(40, g.Log.Map.Last);
    }

    [Fact]
    public void A_bad_header_is_served_by_the_other_one()
    {
        foreach (bool front in new[] { true, false })
        {
            var g = Filled();
            g.Kill();
            var bad = BatchOf(g, 20);
            g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + (front ? 60 : bad.Header.BackOffset + 60));
            g.Open();
            Assert.Empty(g.Log.Mark);
            Assert.Equal(40, g.Log.Map.Last);
            Assert.Contains(g.Notes.Lines, l => l.Contains("the other one served", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_batch_without_any_header_stops_a_lone_member_and_touches_nothing()
    {
        var g = Filled();
        g.Kill();
        var bad = BatchOf(g, 20);
        g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + 60);
        g.Sim.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.BackOffset + 60);
        var before = g.Sim.Peek(bad.Segment.Path);
        var refusal = Assert.Throws<StorageRefusal>(() => g.Open());
        Assert.Contains(bad.Segment.Path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"offset {bad.Header.Offset}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, g.Sim.Peek(bad.Segment.Path));
    }

    [Fact]
    public void A_batch_without_any_header_gives_a_member_among_three_a_new_directory_and_keeps_the_old_files()
    {
        var g = Filled();
        var c = new ClusterConfiguration([new(new ReplicaId(1), 5, true, "h:1"), new(new ReplicaId(2), 6, true, "h:2"), new(new ReplicaId(3), 7, true, "h:3")]);
        g.AppendTo(0, 41, 3, new Entry(EntryKind.Configuration, Payload.Of(c.Encode())));
        g.Settle();
        g.Pump(200_000);
        g.Settle();
        ulong old = g.Store.Identity.Directory;
        g.Store.Identity.Save(77, "list"u8, formed: true);
        g.Kill();
        var bad = BatchOf(g, 20);
        g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + 60);
        g.Sim.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.BackOffset + 60);
        g.Open();
        Assert.True(g.Store.Fresh);
        Assert.NotEqual(old, g.Store.Identity.Directory);
        Assert.True(g.Store.Identity.Formed);
        Assert.Equal(77ul, g.Store.Identity.ClusterId);
        Assert.Equal(0, g.Log.Map.Last);
        Assert.True(g.Log.Promise.Term == 0);
        Assert.True(g.Sim.Exists(bad.Segment.Path));
        g.Settle();
        g.Store.RemoveOldDirectories();
        Assert.False(g.Sim.Exists(bad.Segment.Path));
        g.Append(1, 9, "again");
        g.Settle();
        g.KillAndOpen();
        Assert.Equal("again", g.Read(1));
        Assert.False(g.Store.Fresh);
    }

    [Fact]
    public void Segments_that_are_gone_are_a_loss_and_not_a_new_journal()
    {
        var g = Filled();
        g.Kill();
        foreach (string f in g.Sim!.Paths.Where(f => f.EndsWith(".segment", StringComparison.Ordinal)).ToArray()) g.Sim.Delete(f);
        Assert.Contains("gone", Assert.Throws<StorageRefusal>(() => g.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_torn_last_batch_is_cut_and_two_kills_in_the_middle_of_a_write_are_no_damage()
    {
        int cuts = 0;
        for (ulong seed = 1; seed < 150; seed++)
        {
            var g = Filled(seed, entries: 3);
            for (int k = 0; k < 4; k++)
            {
                long next = g.Log.Map.Last + 1;
                g.Append(next, 3, [.. Enumerable.Range(0, 20).Select(i => new string((char)('a' + k), 700))]);
                g.Store.Pump(new Instant(g.Now += 10, 0)); // submitted, not run
                g.Sim!.Crash();
                g.Open();
                Assert.True(g.Log.Map.Last == next - 1 || g.Log.Map.Last == next + 19, $"seed {seed}: last {g.Log.Map.Last}");
                Assert.Empty(g.Log.Mark);
            }
            cuts += g.Notes.Lines.Count(l => l.Contains("torn and is cut", StringComparison.Ordinal));
            g.Settle();
            Assert.True(g.Store.Journal.Segments.Ring <= 2, "kills eat the ring");
        }
        Assert.True(cuts > 20, $"{cuts} torn batches: too tame");
    }

    [Fact]
    public void A_clean_restart_after_a_restart_adds_no_opening()
    {
        var g = Filled();
        g.KillAndOpen();
        ulong highest = Scan(g).Found.Keys.Last();
        g.KillAndOpen();
        g.KillAndOpen();
        Assert.Equal(highest, Scan(g).Found.Keys.Last());
    }

    [Fact]
    public void The_page_cache_after_a_kill_is_made_durable_before_it_is_believed()
    {
        for (ulong seed = 1; seed < 60; seed++)
        {
            var g = Filled(seed, entries: 3);
            g.Sim!.JournalMicros = (10, 10);
            g.Append(4, 3, "written, never synced");
            g.Sim.FailOnce(SimDiskOp.Sync, 0, DiskFailure.Broken, ".segment"); // and its pages are called clean
            g.Pump();
            g.Pump(1_000);
            g.Pump(1_000);
            Assert.NotNull(g.Store.Failed);
            Assert.True(g.Log.Durable.Value < 4 + 1, "a failed sync acknowledged");
            g.Sim.Kill();
            g.Open();
            long last = g.Log.Map.Last;
            Assert.Equal(4, last); // the cache shows it
            g.Sim.Crash();
            g.Open();
            Assert.Equal(4, g.Log.Map.Last); // and what was believed is there
        }
    }

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
        Assert.Equal(1, g.Log.Configurations[0].Index);
        Assert.Equal(stored, g.Log.Recover(new ReplicaId(1), 1).Snapshot.Index);
    }

    [Fact]
    public void A_failed_write_stops_the_member_and_is_not_retried()
    {
        var g = Filled(entries: 3);
        var durable = g.Log.Durable;
        g.Sim!.FailOnce(SimDiskOp.Write, 0, DiskFailure.Broken, ".segment");
        g.Append(4, 3, "x");
        for (int i = 0; i < 10; i++) g.Pump(1_000);
        Assert.Contains(".segment", g.Store.Failed!.Message, StringComparison.Ordinal);
        Assert.Equal(durable, g.Log.Durable);
    }

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
        var raw = new byte[body.Bytes];
        g.Store.Snapshots.ReadBody(body, 0, raw);
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
        var raw = new byte[body.Bytes];
        from.Store.Snapshots.ReadBody(body, 0, raw);
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
        Assert.True(g.Log.TryReadStaged(6, out _));
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
