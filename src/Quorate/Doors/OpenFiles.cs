using System.Globalization;

namespace Quorate.Doors;

/// <summary>How many files this process has open, and how many it may: what monitors of ZooKeeper ask `mntr` for. Known on Linux only.</summary>
internal static class OpenFiles
{
    /// <summary>Null where the system does not tell.</summary>
    public static int? Count() => Directory.Exists("/proc/self/fd") ? Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() : null;

    /// <summary>The soft limit, which is the one that an accept runs into; null where the system does not tell or there is none.</summary>
    public static long? Limit()
    {
        if (!File.Exists("/proc/self/limits")) return null;
        foreach (string line in File.ReadLines("/proc/self/limits"))
            if (line.StartsWith("Max open files", StringComparison.Ordinal))
                return long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : null;
        return null;
    }
}
