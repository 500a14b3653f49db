using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>DESIGN §4: what stands on the disk only is fetched beside the work, and is never anything else than what the log says when it is asked for.</summary>
public class Section1Reads
{
    [Theory]
    [InlineData(StorageLevel.Disk, true, false), InlineData(StorageLevel.Disk, false, false), InlineData(StorageLevel.Disk, false, true), InlineData(StorageLevel.Mapped, false, false), InlineData(StorageLevel.Memory, true, false)]
    public void Old_entries_come_later_and_whole(StorageLevel level, bool simulated, bool portable)
    {
        using var g = new Ground(level, simulated, portable: portable);
        g.Open();
        for (int i = 1; i <= 300; i++)
        {
            g.Append(i, 3, $"entry {i} " + new string('e', 2_000));
            g.Pump(1_000);
        }
        g.Settle();
        Assert.Equal(EntryRead.Here, g.Log.Read(300, out _));
        Assert.Equal(EntryRead.Later, g.Log.Read(5, out _));
        Assert.Equal(EntryRead.Gone, g.Log.Read(301, out _));
        var fetch = new EntryFetch(g.Log);
        fetch.Begin(1, 300);
        Assert.Equal(EntryRead.Later, fetch.Read(5, out _));
        Arrive(g, fetch);
        for (int i = 1; i <= 300; i++)
        {
            Assert.Equal(EntryRead.Here, fetch.Read(i, out var e));
            Assert.Equal((i, 3ul, EntryKind.Command), (e.Index, e.Term, e.Kind));
            Assert.Equal($"entry {i} " + new string('e', 2_000), System.Text.Encoding.UTF8.GetString(e.Payload));
        }
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void What_has_gone_bad_since_it_was_written_is_named_once_and_its_neighbours_are_read(bool unreadable)
    {
        var g = Filled();
        g.KillAndOpen();
        var bad = BatchOf(g, 20);
        if (unreadable) g.Sim!.MakeUnreadable(bad.Segment.Path, bad.Header.Offset);
        else g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.RegionOffset + 40);
        var fetch = new EntryFetch(g.Log);
        for (int again = 0; again < 2; again++)
        {
            fetch.Begin(1, 40);
            Arrive(g, fetch);
            for (int i = 1; i <= 40; i++) Assert.Equal(i == 20 ? EntryRead.Gone : EntryRead.Here, fetch.Read(i, out _));
        }
        string named = Assert.Single(g.Notes.Lines, l => l.Contains("is damaged since it was written", StringComparison.Ordinal));
        Assert.Contains($"entry 20 is damaged since it was written: file {bad.Segment.Path}, offset {bad.Header.Offset + bad.Header.RegionOffset}, batch {bad.Header.Number}", named, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_again_while_its_old_bytes_are_on_their_way_is_never_the_old()
    {
        var g = Filled();
        g.KillAndOpen();
        var fetch = new EntryFetch(g.Log);
        fetch.Begin(1, 40);
        g.Append(30, 4, "written again");
        Take(g, 0, new Verb { Persist = PersistKind.Stamp, First = 10, Last = 12, Term = 4 });
        Assert.Equal(EntryRead.Here, fetch.Read(30, out var e));
        Assert.Equal("written again"u8, e.Payload);
        Assert.Equal(EntryRead.Later, fetch.Read(29, out _));
        Arrive(g, fetch);
        Assert.Equal(EntryRead.Here, fetch.Read(30, out e));
        Assert.Equal("written again"u8, e.Payload);
        Assert.Equal(EntryRead.Gone, fetch.Read(31, out _));
        Assert.Equal(EntryRead.Here, fetch.Read(11, out e));
        Assert.Equal(4ul, e.Term);
        Assert.Equal(EntryRead.Here, fetch.Read(29, out e));
        Assert.Equal(3ul, e.Term);
    }

    [Fact]
    public void A_segment_that_goes_is_not_closed_beneath_a_read()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        for (int i = 1; i <= 200; i++)
        {
            g.Append(i, 5, new string('v', 3_000));
            g.Pump(1_000);
        }
        g.Settle();
        var read = BatchOf(g, 100).Segment.Path;
        g.Sim!.Stall(DiskQueue.Reads, g.Now + 10_000_000);
        var fetch = new EntryFetch(g.Log);
        fetch.Begin(100, 102);
        g.LogBegin(190, 5, g.Snapshot(195, 5, "s").Identity);
        for (int i = 201; i <= 204; i++)
        {
            g.Append(i, 5, "x");
            for (int k = 0; k < 20; k++) g.Pump(1_000);
        }
        Assert.True(g.Store.Journal.Segments.Ring <= 4, "nothing was freed");
        Assert.True(fetch.IsReading);
        Assert.Contains(read, g.Sim.Paths);
        g.Pump(10_000_000);
        Arrive(g, fetch);
        g.Settle();
        Assert.Equal(EntryRead.Gone, fetch.Read(100, out _));
        Assert.DoesNotContain(read, g.Sim.Paths);
    }

    [Fact]
    public void What_moves_waits_for_its_read_and_keeps_its_place_until_then()
    {
        for (int cut = 0; cut < 12; cut++)
        {
            var g = new Ground(StorageLevel.Disk, simulated: true, seed: (ulong)cut + 1);
            g.Open();
            g.AppendTo(1, 1, 1, [.. Enumerable.Range(1, 3).Select(i => new Entry(EntryKind.Command, Payload.Of(System.Text.Encoding.UTF8.GetBytes("small " + i))))]);
            Take(g, 1, new Verb { Persist = PersistKind.Stage, First = 4, Term = 2 }, new Entry(EntryKind.Command, Payload.Of("staged"u8.ToArray())));
            Fill(g, 1, 26);
            g.LogBegin(24, 5, g.Snapshot(25, 5, "s").Identity);
            g.Settle();
            g.KillAndOpen(); // and nothing of it is in memory
            g.Sim!.Stall(DiskQueue.Reads, g.Now + 5_000_000);
            Fill(g, 27, 60);
            Assert.DoesNotContain(Scan(g).Found.Values, b => b.Header.Ops.Any(o => o.Kind == OpKind.Moved));
            int ring = g.Store.Journal.Segments.Ring;
            g.Pump(5_000_000);
            if (cut < 10) g.Sim.CrashAfter(cut * 3);
            try
            {
                Fill(g, 61, 70);
                g.Settle();
                Assert.Equal([OpKind.Moved, OpKind.Moved], Scan(g).Found.Values.SelectMany(b => b.Header.Ops).Where(o => o.Partition == 1 && o.Kind == OpKind.Moved).Select(o => o.Kind));
                Assert.True(ring >= 3);
            }
            catch (SimCrash)
            {
                Assert.True(cut < 10);
            }
            g.Sim.Crash();
            g.Open();
            Assert.Equal(["small 1", "small 2", "small 3"], Enumerable.Range(1, 3).Select(i => g.Read(i, 1)));
            Assert.True(g.Store.Journal.Partition(1).TryReadNow(4, out var staged, staged: true));
            Assert.Equal("staged"u8, staged.Payload);
        }
    }

    [Fact]
    public void A_block_of_a_stored_snapshot_that_has_gone_bad_is_named_and_nothing_of_it_leaves()
    {
        var g = Filled();
        g.Snapshot(30, 3, new string('a', 900_000), new string('b', 900_000), new string('c', 900_000));
        var body = g.Store.Snapshots.Newest(0);
        Assert.Equal(body.Bytes, g.Raw(body).Length);
        string path = g.Sim!.Paths.Single(p => p.EndsWith(".snapshot", StringComparison.Ordinal));
        foreach (int at in new[] { 1_500_000, 1_048_576 + 8 }) // in the content; in the format's number
        {
            g.Sim.FlipBit(path, at);
            var stream = g.Store.Snapshots.OpenBody(body)!;
            var raw = new byte[body.Bytes];
            int read = 0, count = 0;
            for (int i = 0; i < 10_000 && count != BodyStream.Gone; i++)
            {
                count = stream.Read(read, raw.AsSpan(read, Math.Min(10_000, raw.Length - read)));
                if (count == BodyStream.Later) g.Pump(500);
                else if (count > 0) read += count;
            }
            stream.End();
            Assert.Equal(BodyStream.Gone, count);
            Assert.Equal(1024 * 1024, read);
            Assert.Contains(g.Notes.Lines, l => l.Contains($"the snapshot at 30 is damaged since it was stored: file {path}, offset 1048576", StringComparison.Ordinal));
            g.Notes.Lines.Clear();
            g.Sim.FlipBit(path, at);
        }
    }

    private static void Fill(Ground g, int from, int to)
    {
        for (int i = from; i <= to; i++)
        {
            g.Append(i, 5, new string('v', 3_000));
            g.Pump(1_000);
        }
        for (int k = 0; k < 20; k++) g.Pump(1_000);
    }

    private static void Arrive(Ground g, EntryFetch fetch)
    {
        for (int i = 0; i < 20_000 && fetch.IsReading; i++)
        {
            g.Pump(500);
            if (g.Sim is null) Thread.Sleep(1);
        }
        Assert.False(fetch.IsReading, "the read did not come back");
    }
}
