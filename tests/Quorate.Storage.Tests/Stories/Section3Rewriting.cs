using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §3.2 and §3.3: who is moved, who takes a snapshot, and how large the reserve must be.</summary>
public class Section3Rewriting
{
    /// <summary>A busy partition drives the ring round while others hold their logs; returns the bytes that the journal wrote for each byte that the busy one asked for.</summary>
    private static double Drive(Ground g, int others, int entries, int bytes, out List<int> due)
    {
        g.Open();
        g.Settle();
        for (int p = 1; p <= others; p++)
            for (int i = 1; i <= entries; i++)
            {
                g.AppendTo(p, i, 1, new Entry(EntryKind.Command, Payload.Of(new byte[bytes])));
                g.Pump(500);
            }
        g.Settle();
        long before = g.Store.Journal.BytesWritten, asked = 0;
        for (int i = 1; i <= 1_200; i++)
        {
            g.Append(i, 1, new string('b', 7_000));
            asked += 7_000;
            g.Pump(1_000);
            if (i % 40 != 0) continue;
            g.Settle();
            g.LogBegin(i - 3, 1, g.Snapshot(i - 2, 1, "s").Identity);
        }
        g.Settle();
        due = [.. Enumerable.Range(1, others).Where(p => g.Store.Journal.Partition(p).SnapshotDue(1_000))];
        return (g.Store.Journal.BytesWritten - before) / (double)asked;
    }

    [Fact]
    public void Five_partitions_of_nearly_a_segment_do_not_rewrite_each_other_for_ever()
    {
        // In the plan: five of 60 MiB at segments of 64 MiB. Here a sixteenth of a thousandth.
        var g = new Ground(StorageLevel.Disk, simulated: true, segmentBytes: 256 * 1024);
        double written = Drive(g, others: 5, entries: 30, bytes: 8_000, out var due);
        Assert.Equal([1, 2, 3, 4, 5], due); // each is over what may be moved, and pins the oldest segment
        Assert.True(written < 2.5, $"{written:F1} bytes written for each one asked for");
    }

    [Fact]
    public void Four_hundred_small_partitions_that_are_large_together_take_snapshots_the_largest_first_and_the_rest_moves()
    {
        // In the plan: four hundred of 1 MiB, moved only while they are under 64 MiB together. Here 90 of 14,000 to 14,890 bytes, at most 1 MiB together.
        var g = new Ground(StorageLevel.Disk, simulated: true, segmentBytes: 1024 * 1024);
        double written = Drive(g, others: 90, entries: 2, bytes: 7_000, out var due);
        long together = Enumerable.Range(1, 90).Except(due).Sum(p => g.Store.Journal.Partition(p).LiveBytes);
        Assert.NotEmpty(due);
        Assert.True(due.Count < 45, $"{due.Count} of 90 are to take a snapshot though the half of them may move");
        Assert.True(together <= g.Options.SegmentBytes, $"{together} bytes are moved at each turn of the ring");
        Assert.True(written < 2.5, $"{written:F1} bytes written for each one asked for");
    }

    [Fact]
    public void A_reserve_as_large_as_the_last_snapshot_would_make_a_full_disk_final()
    {
        var g = Filled();
        g.Snapshot(10, 3, "small");
        g.Settle();
        const int state = 600_000;
        for (int bytes = 0; bytes <= state; bytes += 20_000)
        {
            g.Log.SnapshotDue(bytes); // apply keeps the count; growth comes before admission
            g.Settle();
        }
        g.Sim!.Capacity = g.Sim.UsedBytes;
        var e = g.Snapshot(30, 3, new string('s', state));
        Assert.Equal((SnapshotEventKind.Stored, ""), (e.Kind, e.Reason));
    }

    [Fact]
    public void A_reserve_that_could_not_be_made_again_is_not_counted_by_the_size_of_the_one_before()
    {
        var g = Filled();
        g.Settle();
        Assert.True(g.Store.Snapshots.ReserveBytes > 0);
        var writer = g.Store.Snapshots.BeginWrite(0, new SnapshotIdentity(10, 3, 1)); // takes the reserve
        writer.Append(new byte[20_000]);
        writer.Finish(1);
        Assert.Equal(SnapshotEventKind.Stored, g.NextEvent().Kind); // the first one replaces nothing, so nothing becomes the next reserve
        g.Sim!.Capacity = g.Sim.UsedBytes;
        for (int i = 0; i < 20; i++) g.Pump(5_000);
        Assert.True(g.Store.Snapshots.ReserveBytes > 0 || g.Log.LowSpace, "there is no reserve, and nobody says so");
        if (g.Log.LowSpace) Assert.Equal(0, g.Store.Snapshots.ReserveBytes);
        g.Sim.Capacity = long.MaxValue;
        for (int i = 0; i < 60; i++) g.Pump(50_000);
        Assert.False(g.Log.LowSpace);
        Assert.True(g.Store.Snapshots.ReserveBytes > 0);
    }
}
