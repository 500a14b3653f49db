using System.Buffers.Binary;

namespace Quorate.Simulation.Faults;

/// <summary>
/// Bits that flip and blocks that die on a disk whose machine lost its power. What is struck was durable and stands below the highest batch: a flip in that one is called a torn write, and that a leader is lost as well
/// would be two faults (storage.md §2.4; docs/faults.md). It reads headers by their checksums alone, without the journal's key, so that it needs nothing of the code that it tries.
/// </summary>
internal static class DiskDamage
{
    private const int KeyBytes = 16, FixedBytes = 88;

    private readonly record struct Found(string File, long Front, long Back, int HeaderLength, long Region, int RegionLength, ulong Number, ulong Needed);

    /// <summary>Strikes once, as chance has it; <see cref="Harm.None"/> when there was nothing to strike.</summary>
    public static Harm Strike(SimDisk disk, ulong directory, ref Prng chance)
    {
        string folder = FolderOf(directory);
        return chance.Below(20) switch
        {
            < 9 => InEntries(disk, folder, ref chance),
            < 12 => InOneHeader(disk, folder, ref chance),
            < 14 => InBothHeaders(disk, folder, ref chance),
            < 18 => InSnapshot(disk, folder, ref chance),
            < 19 => InIdentity(disk, folder, ref chance, both: false),
            _ => InIdentity(disk, folder, ref chance, both: true),
        };
    }

    /// <summary>Strikes entries, the newest rather than any others, for what only some may have is there; at times the newest snapshot as well. False when there are none.</summary>
    public static bool StrikeNewest(SimDisk disk, ulong directory, ref Prng chance)
    {
        bool struck = chance.Chance(0.2) && InSnapshot(disk, FolderOf(directory), ref chance) != Harm.None;
        var batches = Below(disk, FolderOf(directory)).FindAll(b => b.RegionLength > 0);
        if (batches.Count == 0) return struck;
        long first = chance.Chance(0.7) ? Math.Max(0, batches.Count - 6) : 0;
        for (int strikes = 1 + (int)chance.Below(3); strikes > 0; strikes--)
        {
            var b = batches[(int)chance.Between(first, batches.Count)];
            Ruin(disk, b.File, b.Region + chance.Below(b.RegionLength), ref chance);
        }
        return true;
    }

    private static string FolderOf(ulong directory) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/data/disk/{directory:x16}");

    private static Harm InEntries(SimDisk disk, string folder, ref Prng chance)
    {
        var batches = Below(disk, folder).FindAll(b => b.RegionLength > 0);
        if (batches.Count == 0) return Harm.None;
        var b = batches[(int)chance.Below(batches.Count)];
        Ruin(disk, b.File, b.Region + chance.Below(b.RegionLength), ref chance);
        return Harm.Entries;
    }

    private static Harm InOneHeader(SimDisk disk, string folder, ref Prng chance)
    {
        var batches = Below(disk, folder);
        if (batches.Count == 0) return Harm.None;
        var b = batches[(int)chance.Below(batches.Count)];
        disk.FlipBit(b.File, (chance.Chance(0.5) ? b.Front : b.Back) + chance.Below(b.HeaderLength), (int)chance.Below(8));
        return Harm.OneCopy;
    }

    private static Harm InBothHeaders(SimDisk disk, string folder, ref Prng chance)
    {
        var batches = Below(disk, folder);
        if (batches.Count == 0) return Harm.None;
        var b = batches[(int)chance.Below(batches.Count)];
        foreach (long at in (ReadOnlySpan<long>)[b.Front, b.Back]) disk.FlipBit(b.File, at + chance.Below(b.HeaderLength), (int)chance.Below(8));
        return Harm.Headers;
    }

    private static Harm InSnapshot(SimDisk disk, string folder, ref Prng chance)
    {
        var files = disk.Paths.Where(p => p.StartsWith(folder + "/", StringComparison.Ordinal) && p.EndsWith(".snapshot", StringComparison.Ordinal)).ToList();
        if (files.Count == 0) return Harm.None;
        string file = files[^1];
        if (disk.LengthOf(file) == 0) return Harm.None;
        Ruin(disk, file, chance.Below(disk.LengthOf(file)), ref chance);
        return Harm.Entries;
    }

    private static Harm InIdentity(SimDisk disk, string folder, ref Prng chance, bool both)
    {
        string file = Path.GetDirectoryName(folder) + "/identity";
        if (!disk.Paths.Contains(file)) return Harm.None;
        int slot = (int)chance.Below(2);
        for (int i = 0; i < (both ? 2 : 1); i++) disk.FlipBit(file, (slot ^ i) * Limits.BlockBytes + chance.Below(32), (int)chance.Below(8));
        return both ? Harm.Identity : Harm.OneCopy;
    }

    private static void Ruin(SimDisk disk, string file, long at, ref Prng chance)
    {
        if (chance.Chance(0.8)) disk.FlipBit(file, at, (int)chance.Below(8));
        else disk.MakeUnreadable(file, at);
    }

    // Batches that are still needed, the highest one left out.
    private static List<Found> Below(SimDisk disk, string folder)
    {
        var all = new SortedDictionary<ulong, Found>();
        foreach (string path in disk.Paths)
            if (path.StartsWith(folder + "/", StringComparison.Ordinal) && path.EndsWith(".segment", StringComparison.Ordinal)) Read(path, disk.Peek(path), all);
        if (all.Count == 0) return [];
        ulong top = all.Keys.Last(), needed = all.Values.Max(b => b.Needed);
        return [.. all.Values.Where(b => b.Number < top && b.Number >= needed)];
    }

    private static void Read(string path, byte[] bytes, SortedDictionary<ulong, Found> into)
    {
        for (int at = 0; at + FixedBytes <= bytes.Length; at += Limits.BlockBytes)
        {
            var block = bytes.AsSpan(at);
            int length = BinaryPrimitives.ReadInt32LittleEndian(block[KeyBytes..]);
            if (length < FixedBytes || length > block.Length || BinaryPrimitives.ReadInt64LittleEndian(block[36..]) != at) continue;
            var header = block[..length].ToArray();
            uint stated = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(20));
            header.AsSpan(20, 4).Clear();
            if (Crc32C.Of(header) != stated) continue;
            int whole = BinaryPrimitives.ReadInt32LittleEndian(block[44..]);
            long back = at + whole - ((length + Limits.BlockBytes - 1) & -Limits.BlockBytes);
            ulong number = BinaryPrimitives.ReadUInt64LittleEndian(block[56..]);
            into[number] = new Found(path, at, back, length, at + BinaryPrimitives.ReadInt32LittleEndian(block[48..]), BinaryPrimitives.ReadInt32LittleEndian(block[52..]), number, BinaryPrimitives.ReadUInt64LittleEndian(block[76..]));
        }
    }
}
