using System.Diagnostics;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>Needs root and mount, for a small tmpfs; skipped by name elsewhere.</summary>
public sealed class TmpfsFactAttribute : FactAttribute
{
    public TmpfsFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root") Skip = "needs root to mount a small tmpfs";
        else if (!Tmpfs.TryMount(out var probe, out string why)) Skip = $"cannot mount a tmpfs: {why}";
        else probe.Dispose();
    }
}

internal sealed class Tmpfs : IDisposable
{
    private Tmpfs(string path) => Path = path;

    public string Path { get; }

    public static bool TryMount(out Tmpfs mounted, out string why, int megabytes = 6)
    {
        string path = System.IO.Path.Join(System.IO.Path.GetTempPath(), "quorate-tmpfs-" + System.IO.Path.GetRandomFileName());
        Directory.CreateDirectory(path);
        mounted = new Tmpfs(path);
        if (Run("mount", $"-t tmpfs -o size={megabytes}m tmpfs {path}", out why)) return true;
        Directory.Delete(path);
        return false;
    }

    public void Dispose()
    {
        Run("umount", Path, out _);
        Directory.Delete(Path);
    }

    private static bool Run(string command, string arguments, out string why)
    {
        try
        {
            using var p = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            why = p.StandardError.ReadToEnd();
            p.WaitForExit(10_000);
            return p.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            why = e.Message;
            return false;
        }
    }
}

/// <summary>storage.md §3: having no room is not a failed write.</summary>
public class Section3Room
{
    [Fact]
    public void A_full_disk_says_so_holds_what_may_wait_and_recovers_by_itself()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Settle();
        g.Sim!.Capacity = g.Sim.UsedBytes;
        FillsUpAndRecovers(g, () => g.Sim.Capacity = long.MaxValue);
    }

    [Fact]
    public void The_last_spare_segment_is_kept_for_promises_and_what_lets_the_log_shrink()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Settle();
        g.Sim!.Capacity = g.Sim.UsedBytes;
        Ticket last;
        long i = 1;
        do
        {
            last = g.Append(i++, 1, new string('f', 3_000));
            for (int k = 0; k < 4; k++) g.Pump(1_000);
        }
        while (g.Log.Durable == last && i < 5_000);
        Assert.True(g.Log.Durable < last, "a full disk holds nothing back");
        Assert.Equal(1, g.Store.Journal.Segments.Spare);
        last = g.Vote(9, 2);
        for (int k = 0; k < 10; k++) g.Pump(1_000);
        Assert.Equal(last, g.Log.Durable);
        g.KillAndOpen();
        Assert.Equal(new Promise(9, 2, 14), g.Log.Promise);
    }

    /// <summary>Core seed 13687: while the next segment was being made nobody had said yet that it cannot be, what was urgent filled the last one to its end, and the next start had nowhere to write.</summary>
    [Fact]
    public void The_last_segment_keeps_a_quarter_for_recovery_while_the_next_is_being_made()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Settle();
        g.Sim!.Capacity = g.Sim.UsedBytes;
        g.Sim.Stall(DiskQueue.Background, long.MaxValue / 2); // whether it can be made is not known before the kill
        Ticket last;
        long i = 1;
        ulong term = 1;
        do
        {
            g.Append(i++, 1, new string('f', 3_000));
            last = g.Vote(++term, 2);
            for (int k = 0; k < 4; k++) g.Pump(1_000);
        }
        while (g.Log.Durable == last && i < 5_000);
        Assert.True(g.Log.Durable < last, "a full disk holds nothing back");
        Assert.Equal(0, g.Store.Journal.Segments.Spare);
        g.KillAndOpen();
        Assert.Null(g.Store.Failed);
        last = g.Vote(term + 1, 3);
        for (int k = 0; k < 10; k++) g.Pump(1_000);
        Assert.Equal(new Promise(term + 1, 3, 21), g.Log.Promise);
    }

    [TmpfsFact]
    public void A_full_tmpfs_says_so_holds_what_may_wait_and_recovers_by_itself()
    {
        Assert.True(Tmpfs.TryMount(out var tmpfs, out string why), why);
        using (tmpfs)
        {
            string ballast = Path.Join(tmpfs.Path, "ballast");
            using var g = new Ground(StorageLevel.Disk, simulated: false, directory: tmpfs.Path);
            g.Open();
            g.Settle();
            using (var f = File.Create(ballast))
            {
                var zeros = new byte[4096];
                try
                {
                    while (true) f.Write(zeros);
                }
                catch (IOException e)
                {
                    Assert.NotEmpty(e.Message); // full, as it was to be
                }
            }
            FillsUpAndRecovers(g, () => File.Delete(ballast));
            g.Store.Dispose();
            g.Open();
            Assert.Equal(new Promise(9, 2, 14), g.Log.Promise);
        }
    }

    private static void FillsUpAndRecovers(Ground g, Action makeRoom)
    {
        long i = 1;
        Ticket last = default;
        while (!g.Store.Journal.LowSpace && i < 5_000)
        {
            last = g.Append(i++, 1, new string('f', 3000));
            g.Pump(1_000);
            if (g.Sim is null) Thread.Sleep(1);
        }
        Assert.True(g.Log.LowSpace);
        Assert.True(g.Log.SnapshotDue(100));
        for (int k = 0; k < 20; k++) g.Pump(1_000);
        Assert.Null(g.Store.Failed);
        // What must not be refused still goes, up to the last spare segment; a promise goes even then.
        for (int k = 0; k < 24; k++)
        {
            last = g.Append(i++, 1, new string('m', 3000));
            g.Pump(1_000);
            if (g.Sim is null) Thread.Sleep(1);
        }
        var held = g.Log.Durable;
        Assert.True(held < last, "nothing is held though the disk is full");
        var promise = g.Vote(9, 2);
        PumpUntil(g, () => g.Log.Durable == promise, "the promise is not durable on a full disk");
        Assert.Null(g.Store.Failed);
        // The reserve lets a snapshot be made on the full disk; behind it the log shrinks and everything goes on.
        long at = g.Log.Map.Last - 30;
        var e = g.Snapshot(at, 1, new string('s', 20_000));
        Assert.Equal(SnapshotEventKind.Stored, e.Kind);
        g.LogBegin(at, 1, e.Identity);
        last = g.Append(i++, 9, "through");
        PumpUntil(g, () => g.Log.Durable == last, "behind the snapshot the log does not go on");
        makeRoom();
        PumpUntil(g, () => !g.Log.LowSpace, "with room again it still says that there is none");
        Assert.Null(g.Store.Failed);
    }

    /// <summary>A real disk takes what time it takes; the limit only ends a run in which nothing comes.</summary>
    private static void PumpUntil(Ground g, Func<bool> holds, string what)
    {
        var end = Stopwatch.StartNew();
        for (int k = 0; !holds(); k++)
        {
            Assert.True(g.Sim is null ? end.Elapsed.TotalSeconds < 60 : k < 1_000, what);
            g.Pump(10_000);
            if (g.Sim is null) Thread.Sleep(1);
        }
    }

    [Fact]
    public void A_replaced_snapshots_file_becomes_the_next_reserve()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        for (int i = 1; i <= 30; i++) g.Append(i, 1, "e" + i);
        g.Settle();
        g.Snapshot(10, 1, new string('a', 50_000));
        g.Settle();
        Assert.True(g.Store.Snapshots.ReserveBytes > 0);
        g.Sim!.Capacity = g.Sim.UsedBytes; // from here on only the reserve has room
        for (int i = 11; i <= 30; i++)
        {
            Assert.Equal(SnapshotEventKind.Stored, g.Snapshot(i, 1, new string('b', 50_000)).Kind);
            for (int k = 0; k < 20; k++) g.Pump(1_000);
            Assert.True(g.Store.Snapshots.ReserveBytes > 0, $"no reserve after the snapshot at {i}");
        }
        Assert.Single(g.Sim.Paths, p => p.EndsWith(".snapshot", StringComparison.Ordinal));
    }

    [Fact]
    public void A_pinned_snapshot_stays_until_its_stream_is_done()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        for (int i = 1; i <= 30; i++) g.Append(i, 1, "e" + i);
        g.Settle();
        g.Snapshot(10, 1, "old");
        var old = g.Store.Snapshots.Newest(0);
        var stream = g.Store.Snapshots.OpenBody(old)!;
        g.Snapshot(20, 1, "new");
        g.Settle();
        Assert.Equal(20, g.Store.Snapshots.Newest(0).Snapshot.Index);
        Assert.Equal(old.Bytes, Ground.ReadAll(stream, () => g.Pump(500)).Length);
        stream.End();
        g.Settle();
        Assert.Null(g.Store.Snapshots.OpenBody(old));
        Assert.Single(g.Sim!.Paths, p => p.EndsWith(".snapshot", StringComparison.Ordinal));
    }

    [Fact]
    public void An_abandoned_snapshot_leaves_nothing()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        for (int i = 1; i <= 30; i++) g.Append(i, 1, "e" + i);
        g.Settle();
        var writer = g.Store.Snapshots.BeginWrite(0, new SnapshotIdentity(10, 1, 0));
        writer.Append(new byte[3_000_000]);
        g.Pump(500);
        writer.Abandon();
        g.Settle();
        for (int k = 0; k < 20; k++) g.Pump(5_000);
        Assert.False(g.Store.Snapshots.TryTakeEvent(out _));
        Assert.DoesNotContain(g.Sim!.Paths, p => p.Contains(".snapshot", StringComparison.Ordinal));
        Assert.True(g.Store.Snapshots.ReserveBytes > 0);
        Assert.Equal(SnapshotEventKind.Stored, g.Snapshot(10, 1, "x").Kind);
    }

    [Fact]
    public void The_reserve_grows_before_the_state_does_and_says_when_it_cannot()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Settle();
        Assert.True(g.Store.Snapshots.ReserveBytes >= g.Options.SegmentBytes);
        g.Sim!.Capacity = g.Sim.UsedBytes + 300_000;
        g.Log.SnapshotDue(250_000);
        g.Settle();
        Assert.True(g.Store.Snapshots.ReserveBytes >= 250_000);
        Assert.False(g.Log.LowSpace);
        g.Log.SnapshotDue(900_000);
        for (int k = 0; k < 20; k++) g.Pump(1_000);
        Assert.True(g.Log.LowSpace);
        Assert.Null(g.Store.Failed);
        g.Sim.Capacity = long.MaxValue;
        for (int k = 0; k < 40; k++) g.Pump(100_000);
        Assert.False(g.Log.LowSpace);
    }
}
