using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §2.1 to §2.4: what a cut passes over, and what rots where.</summary>
public class Section2Passing
{
    /// <summary>40 whole entries, and entry 41 in a batch that is torn; nothing stands behind it.</summary>
    private static Ground Torn(out FoundBatch top, out FoundBatch below)
    {
        var g = Filled();
        g.Append(41, 3, "forty-one " + new string('w', 2_000));
        g.Settle();
        g.Append(42, 3, "forty-two " + new string('w', 2_000));
        g.Settle();
        g.Kill();
        var scan = Scan(g);
        top = scan.Found.Values.Last();
        below = scan.Found[top.Header.Number - 1];
        g.Sim!.FlipBit(top.Segment.Path, top.Header.Offset + top.Header.RegionOffset + 900);
        return g;
    }

    private static void LoseHeaders(Ground g, FoundBatch b)
    {
        g.Sim!.FlipBit(b.Segment.Path, b.Header.Offset + 60);
        g.Sim.FlipBit(b.Segment.Path, b.Header.Offset + b.Header.BackOffset + 60);
    }

    [Fact]
    public void A_cut_does_not_hide_a_batch_that_was_damaged_below_it()
    {
        var g = Torn(out _, out var below);
        LoseHeaders(g, below);
        Assert.Contains($"batch {below.Header.Number} ", Assert.Throws<StorageRefusal>(() => g.Open()).Message, StringComparison.Ordinal);

        g = Torn(out var top, out below);
        g.KillAndOpen(); // the opening passes over the torn one and names the one below
        Assert.Equal(41, g.Log.Map.Last);
        var opening = Scan(g).Found.Values.Last().Header;
        Assert.Equal((top.Header.Number + 1, below.Header.Number, below.Header.Checksum), (opening.Number, opening.Previous, opening.PreviousChecksum));
        g.Kill();
        LoseHeaders(g, below);
        Assert.Contains($"batch {below.Header.Number} ", Assert.Throws<StorageRefusal>(() => g.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_cut_stays_cut_however_it_reads_later_and_its_evidence_stays()
    {
        var g = Torn(out var top, out _);
        g.KillAndOpen();
        g.Append(42, 4, "another");
        g.Settle();
        g.Kill();
        g.Sim!.FlipBit(top.Segment.Path, top.Header.Offset + top.Header.RegionOffset + 900); // whole again
        Assert.True(Scan(g).Found.ContainsKey(top.Header.Number), "the evidence was written over");
        g.Open();
        Assert.Equal("another", g.Read(42));
        Assert.Empty(g.Log.Mark);
    }

    [Fact]
    public void A_header_of_the_same_number_that_its_successor_does_not_name_is_no_batch()
    {
        var g = Torn(out _, out var below);
        // The device shows an old state of the batch below: a whole header of its number, of another content.
        var bytes = g.Sim!.Peek(below.Segment.Path).AsSpan((int)below.Header.Offset, below.Header.HeaderLength).ToArray();
        var w = new ByteWriter(512);
        var other = new BatchHeader { Number = below.Header.Number, Segment = below.Segment.Number, Offset = below.Header.Offset, Length = below.Header.Length, RegionOffset = below.Header.RegionOffset, Previous = below.Header.Previous, PreviousChecksum = below.Header.PreviousChecksum, Needed = below.Header.Needed };
        other.WriteFixed(w, bytes.AsSpan(0, BatchHeader.KeyBytes));
        other.Seal(w, 0);
        using (var file = g.Sim.Open(below.Segment.Path, create: false))
        {
            file.Write(below.Header.Offset, w.Written);
            file.Write(below.Header.Offset + below.Header.BackOffset, w.Written);
            file.Sync();
        }
        var refusal = Assert.Throws<StorageRefusal>(() => g.Open());
        Assert.Contains($"batch {below.Header.Number} ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Kills_in_the_middle_of_a_write_do_not_eat_the_spare_segments_of_a_full_disk()
    {
        var g = Filled(entries: 3);
        g.Sim!.Capacity = g.Sim.UsedBytes;
        for (int k = 0; k < 8; k++)
        {
            long next = g.Log.Map.Last + 1;
            g.Append(next, 3, new string((char)('a' + k), 2_000));
            g.Store.Pump(new Instant(g.Now += 10, 0)); // submitted, not run
            g.Sim.Crash();
            g.Open();
            Assert.Empty(g.Log.Mark);
            Assert.InRange(g.Log.Map.Last, next - 1, next);
        }
        Assert.True(g.Store.Journal.Segments.Ring + g.Store.Journal.Segments.Spare <= 3);
        g.Vote(9, 2);
        g.Settle();
        g.KillAndOpen();
        Assert.Equal(9ul, g.Log.Promise.Term);
    }

    [Fact]
    public void The_last_real_batch_rots_behind_the_empty_one_and_is_damage_and_as_the_very_last_it_is_two_faults()
    {
        var g = Filled();
        g.Kill();
        var last = BatchOf(g, 40);
        g.Sim!.FlipBit(last.Segment.Path, last.Header.Offset + last.Header.RegionOffset + 40);
        g.Open();
        Assert.Equal(40, g.Log.Map.Last);
        Assert.Equal(new DamagedEntry(3, 40), Assert.Single(g.Log.Mark));

        g = Filled();
        g.Append(41, 3, "within the tenth of a second");
        g.Settle();
        g.Kill();
        last = BatchOf(g, 41);
        g.Sim!.FlipBit(last.Segment.Path, last.Header.Offset + last.Header.RegionOffset + 20);
        g.Open();
        Assert.Equal(40, g.Log.Map.Last); // docs/faults.md: it reads as torn
        Assert.Empty(g.Log.Mark);
        Assert.Contains(g.Notes.Lines, l => l.Contains("torn and is cut", StringComparison.Ordinal));
    }

    [Fact]
    public void An_unreadable_block_does_not_take_along_the_entries_that_stand_before_it()
    {
        var g = Filled(entries: 3);
        g.Append(4, 3, [.. Enumerable.Range(0, 12).Select(i => $"part {i} " + new string('p', 1_500))]);
        g.Append(16, 4, [.. Enumerable.Range(0, 4).Select(i => $"more {i} " + new string('m', 1_500))]);
        g.Settle();
        g.Pump(200_000);
        g.Settle();
        g.Kill();
        var batch = BatchOf(g, 4);
        Assert.Equal(batch.Header.Number, BatchOf(g, 19).Header.Number);
        g.Sim!.MakeUnreadable(batch.Segment.Path, batch.Header.Offset + batch.Header.RegionOffset + batch.Header.RegionLength - 3_000);
        g.Open();
        Assert.All(g.Log.Mark, m => Assert.InRange(m.Index, 16, 19));
        for (int i = 4; i < 16; i++) Assert.StartsWith($"part {i - 4} ", g.Read(i), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_sync_stops_the_member_and_what_it_was_to_save_was_never_acknowledged()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var g = Filled(seed, entries: 3);
            var durable = g.Log.Durable;
            g.Sim!.FailOnce(SimDiskOp.Sync, 0, DiskFailure.Broken, ".segment");
            g.Append(4, 3, new string('q', 3_000));
            for (int i = 0; i < 10; i++) g.Pump(1_000);
            Assert.NotNull(g.Store.Failed);
            Assert.Equal(durable, g.Log.Durable);
            g.Sim.Crash();
            g.Open();
            Assert.InRange(g.Log.Map.Last, 3, 4);
            Assert.Empty(g.Log.Mark);
        }
    }
}
