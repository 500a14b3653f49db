using System.Diagnostics;
using Quorate.Storage;
using Quorate.Storage.Doors;

namespace Quorate.Storage.Tests;

/// <summary>The real door.</summary>
public class FileDiskTests
{
    [Fact]
    public void A_first_start_with_full_segments_is_quick_and_serves_before_the_spare_ones_are_made()
    {
        using var g = new Ground(StorageLevel.Disk, simulated: false, segmentBytes: Limits.SegmentBytes, maxEntryBytes: Limits.MaxEntryBytes);
        var watch = Stopwatch.StartNew();
        g.Open();
        long opened = watch.ElapsedMilliseconds;
        var ticket = g.Append(1, 1, "a");
        while (g.Log.Durable < ticket && watch.ElapsedMilliseconds < 10_000) g.Pump(100);
        Assert.Equal(ticket, g.Log.Durable);
        Assert.True(opened < 5_000, $"{opened} ms");
        Console.WriteLine($"first start: opened after {opened} ms, first write durable after {watch.ElapsedMilliseconds} ms");
        g.Settle();
        Assert.True(g.Store.Journal.Segments.Spare >= 2);
        watch.Restart();
        g.KillAndOpen();
        Console.WriteLine($"restart with three segments of 64 MiB: {watch.ElapsedMilliseconds} ms");
        Assert.Equal("a", g.Read(1));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Files_do_what_the_door_promises(bool portable)
    {
        string directory = Path.Join(Path.GetTempPath(), "quorate-disk-" + Path.GetRandomFileName());
        int bells = 0;
        using var disk = new FileDisk(() => Interlocked.Increment(ref bells), portable);
        try
        {
            disk.CreateDirectory(Path.Join(directory, "b"));
            string path = Path.Join(directory, "file");
            Assert.Equal(DiskFailure.NotFound, Assert.Throws<DiskException>(() => disk.Open(path, create: false)).Failure);
            using (var f = disk.Open(path, create: true))
            {
                f.Allocate(8192);
                Assert.True(f.Length >= 8192);
                var bytes = new byte[4096];
                bytes.AsSpan().Fill(7);
                f.Write(4096, bytes);
                f.Sync();
                var back = new byte[8192];
                Assert.Equal(8192, f.ReadPastCache(0, back));
                Assert.Equal(0, back[0]);
                Assert.Equal(7, back[5000]);
                Assert.Equal(100, f.Read(8092, new byte[200]));
                f.Truncate(4096);
                Assert.Equal(4096, f.Length);
                Assert.Equal(4096, f.ReadPastCache(0, back));
            }
            disk.Rename(path, Path.Join(directory, "a"));
            disk.SyncDirectory(directory);
            Assert.Equal(["a"], disk.List(directory));
            Assert.Equal(["b"], disk.ListDirectories(directory));
            using (disk.Lock(directory)) Assert.Equal(DiskFailure.Locked, Assert.Throws<DiskException>(() => disk.Lock(directory)).Failure);
            disk.Lock(directory).Dispose();
            for (int i = 0; i < 3; i++) disk.Submit(i % 2 == 0 ? DiskQueue.Journal : DiskQueue.Background, new Failing(i == 1));
            var done = new List<DiskWork>();
            for (int i = 0; i < 2_000 && done.Count < 3; i++)
            {
                if (disk.TryComplete(out var work)) done.Add(work);
                else Thread.Sleep(1);
            }
            Assert.Equal(1, done.Count(w => w.Failure is not null));
            Assert.Equal(3, bells);
            Assert.NotEmpty(disk.BootId);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_strand_that_may_sync_does_it_itself()
    {
        using var g = new Ground(StorageLevel.Disk, simulated: false);
        g.Open();
        g.Settle();
        ((FileDisk)g.Disk).MaySyncHere = true;
        int here = 0;
        for (int i = 1; i <= 100; i++)
        {
            var ticket = g.Append(i, 1, "x");
            g.Pump(10);
            if (g.Log.Durable == ticket) here++;
            while (g.Log.Durable < ticket) g.Pump(10);
        }
        Console.WriteLine($"{here} of 100 batches were durable in the pump that wrote them");
    }

    private sealed class Failing(bool fail) : DiskWork
    {
        public override void Run(IDisk disk)
        {
            if (fail) throw new DiskException(DiskFailure.Broken, "told to");
        }
    }
}
