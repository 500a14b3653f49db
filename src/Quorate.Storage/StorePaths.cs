using System.Globalization;

namespace Quorate.Storage;

/// <summary>
/// Names under the data directory:
/// <code>
/// DATA/disk/identity                          two slots (storage.md §6.1); DATA/mapped/ beside it: one of everything for each (data directory, level)
/// DATA/disk/DIRECTORY-ID/NUMBER.segment       the ring (§1)
/// DATA/disk/DIRECTORY-ID/reserve              room for the next snapshot (§3.3)
/// DATA/disk/DIRECTORY-ID/pN-INDEX-TERM.snapshot             written here
/// DATA/disk/DIRECTORY-ID/pN-INDEX-TERM.installed.snapshot   a leader's (§4.4)
/// *.part                                      not finished: removed at start
/// </code>
/// A member that must begin anew (§2.1) draws a new directory id, and so reads a new folder; the old one is kept until it is caught up.
/// </summary>
internal static class StorePaths
{
    public const string Part = ".part";
    public const string SegmentSuffix = ".segment";
    public const string SnapshotSuffix = ".snapshot";
    public const string InstalledSuffix = ".installed.snapshot";
    public const string ReserveName = "reserve";

    public static string Root(StorageOptions options) => Path.Join(options.DataDirectory, options.Level == StorageLevel.Mapped ? "mapped" : "disk");

    public static string Identity(string root) => Path.Join(root, "identity");

    public static string Folder(string root, ulong directory) => Path.Join(root, directory.ToString("x16", CultureInfo.InvariantCulture));

    public static string Segment(string folder, ulong number) => Path.Join(folder, number.ToString("x16", CultureInfo.InvariantCulture) + SegmentSuffix);

    public static bool TrySegmentNumber(string name, out ulong number)
    {
        number = 0;
        return name.Length == 16 + SegmentSuffix.Length && name.EndsWith(SegmentSuffix, StringComparison.Ordinal)
            && ulong.TryParse(name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }

    public static string Snapshot(string folder, int partition, in SnapshotIdentity identity, bool installed) =>
        Path.Join(folder, string.Create(CultureInfo.InvariantCulture, $"p{partition}-{identity.Index:x16}-{identity.Term:x16}{(installed ? InstalledSuffix : SnapshotSuffix)}"));

    /// <summary>Reads partition, index and term out of a snapshot's file name.</summary>
    public static bool TrySnapshot(string name, out int partition, out long index, out ulong term, out bool installed)
    {
        partition = 0;
        index = 0;
        term = 0;
        installed = name.EndsWith(InstalledSuffix, StringComparison.Ordinal);
        if (!name.EndsWith(SnapshotSuffix, StringComparison.Ordinal) || name[0] != 'p') return false;
        var parts = name[1..^(installed ? InstalledSuffix.Length : SnapshotSuffix.Length)].Split('-');
        return parts.Length == 3 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out partition)
            && long.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out index)
            && ulong.TryParse(parts[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out term);
    }
}
