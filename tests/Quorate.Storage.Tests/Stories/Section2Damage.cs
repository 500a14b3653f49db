using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §2: torn, rotten, lost.</summary>
public class Section2Damage
{
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
    public void A_mark_outlives_the_batch_that_was_damaged()
    {
        var g = Filled();
        g.Kill();
        var bad = BatchOf(g, 1);
        g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.RegionOffset + 40);
        g.Open();
        Assert.Equal(new DamagedEntry(3, 1), Assert.Single(g.Log.Mark));
        g.Append(41, 3, "behind the opening");
        g.Settle();
        g.Kill();
        Assert.True(Scan(g).Found.Values.Max(b => b.Header.Needed) > bad.Header.Number, "the damaged batch is still read");
        g.Open();
        Assert.Equal(new DamagedEntry(3, 1), Assert.Single(g.Log.Mark));
        Assert.StartsWith("entry 2 ", g.Read(2), StringComparison.Ordinal);
        Assert.Equal(41, g.Log.Map.Last);
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
        g.Settle();
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
}
