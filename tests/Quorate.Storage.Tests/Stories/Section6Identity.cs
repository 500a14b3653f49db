using Quorate.Simulation;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §6.1 and §7.</summary>
public class Section6Identity
{
    [Fact]
    public void A_bad_slot_never_hides_a_run_that_was_used()
    {
        foreach (int slot in new[] { 0, 1 })
        {
            var g = new Ground(StorageLevel.Disk, simulated: true);
            g.Open();
            g.KillAndOpen();
            ulong run = g.Store.Identity.Run, directory = g.Store.Identity.Directory;
            g.Kill();
            g.Sim!.FlipBit("/data/disk/identity", slot * 4096 + 20);
            g.Open();
            Assert.Equal(run + 1, g.Store.Identity.Run);
            Assert.Equal(directory, g.Store.Identity.Directory);
            g.Kill();
            g.Sim.FlipBit("/data/disk/identity", (1 - slot) * 4096 + 20); // the first one was made good
            Assert.Equal(run + 2, g.Open().Identity.Run);
        }
    }

    [Fact]
    public void Two_bad_slots_are_refused_with_one_clear_line()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Kill();
        g.Sim!.FlipBit("/data/disk/identity", 30);
        g.Sim.FlipBit("/data/disk/identity", 4096 + 30);
        var r = Assert.Throws<StorageRefusal>(() => g.Open());
        Assert.Contains("/data/disk/identity", r.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', r.Message);
    }

    [Fact]
    public void Segments_without_an_identity_are_refused()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Kill();
        g.Sim!.Delete("/data/disk/identity");
        Assert.Contains("no identity", Assert.Throws<StorageRefusal>(() => g.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_of_another_member_is_refused()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        g.Kill();
        g.Options = new StorageOptions { DataDirectory = "/data", Self = new ReplicaId(2), SegmentBytes = 128 * 1024, MaxEntryBytes = 8192 };
        Assert.Contains("belongs to member 1", Assert.Throws<StorageRefusal>(() => g.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_process_is_kept_out()
    {
        using var g = new Ground(StorageLevel.Disk, simulated: false);
        g.Open();
        Assert.Contains("in use", Assert.Throws<StorageRefusal>(() => MemberStore.Open(g.Disk, g.Options, g.Seed, g.Notes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_segment_smaller_than_four_entries_and_an_opening_is_refused()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true, segmentBytes: 64 * 1024, maxEntryBytes: 16 * 1024);
        Assert.Contains("SegmentBytes", Assert.Throws<StorageRefusal>(() => g.Open()).Message, StringComparison.Ordinal);
        Assert.Empty(g.Sim!.Paths);
        g = new Ground(StorageLevel.Disk, simulated: true, segmentBytes: 64 * 1024, maxEntryBytes: 4 * 1024);
        g.Open();
        Assert.Contains("partition", Assert.Throws<StorageRefusal>(() =>
        {
            for (int p = 0; p < 100; p++) g.Store.Journal.Partition(p);
        }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Formation_is_in_both_slots_before_save_returns_at_any_crash()
    {
        for (ulong seed = 1; seed < 60; seed++)
        {
            var g = new Ground(StorageLevel.Disk, simulated: true, seed: seed);
            g.Open();
            g.Store.Identity.Save(9, "first"u8, formed: false);
            g.Sim!.CrashAfter((long)(seed % 6));
            bool saved = false;
            try
            {
                g.Store.Identity.Save(9, "second"u8, formed: true);
                saved = true;
            }
            catch (SimCrash)
            {
                saved = false;
            }
            g.Sim.Crash();
            g.Open();
            string text = System.Text.Encoding.UTF8.GetString(g.Store.Identity.Formation.Span);
            Assert.True(text == "second" || (!saved && text == "first"), text);
            Assert.Equal(text == "second", g.Store.Identity.Formed);
        }
    }

    [Fact]
    public void A_mapped_directory_after_another_boot_is_another_directory()
    {
        var g = new Ground(StorageLevel.Mapped, simulated: true);
        g.Open();
        ulong directory = g.Store.Identity.Directory;
        g.Append(1, 1, "a");
        g.Settle();
        Assert.Equal(directory, g.KillAndOpen().Identity.Directory);
        Assert.Equal("a", g.Read(1));
        g.Kill();
        var again = new SimDiskOfAnotherBoot(g.Sim!);
        var store = MemberStore.Open(again, g.Options, g.Seed, g.Notes);
        Assert.NotEqual(directory, store.Identity.Directory);
        Assert.True(store.Fresh);
        Assert.Equal(0, store.Journal.Partition(0).Map.Last);
    }

    [Fact]
    public void Level_memory_touches_nothing()
    {
        var g = new Ground(StorageLevel.Memory, simulated: true);
        g.Open();
        g.Append(1, 1, "a");
        g.Settle();
        Assert.Empty(g.Sim!.Paths);
        Assert.True(g.Store.Fresh);
    }

    /// <summary>The same files, another machine's boot.</summary>
    private sealed class SimDiskOfAnotherBoot(SimDisk disk) : IDisk
    {
        public string BootId => "another";
        public string[] List(string directory) => disk.List(directory);
        public string[] ListDirectories(string directory) => disk.ListDirectories(directory);
        public void CreateDirectory(string directory) => disk.CreateDirectory(directory);
        public bool Exists(string path) => disk.Exists(path);
        public IDiskFile Open(string path, bool create) => disk.Open(path, create);
        public void Rename(string from, string to) => disk.Rename(from, to);
        public void Delete(string path) => disk.Delete(path);
        public void SyncDirectory(string directory) => disk.SyncDirectory(directory);
        public IDisposable Lock(string directory) => disk.Lock(directory);
        public void Submit(DiskQueue queue, DiskWork work) => disk.Submit(queue, work);
        public bool TryComplete(out DiskWork work) => disk.TryComplete(out work);
    }
}
