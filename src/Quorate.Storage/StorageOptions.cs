namespace Quorate.Storage;

/// <summary>How much of a failure the bytes survive (storage.md §5).</summary>
public enum StorageLevel : byte
{
    /// <summary>Nothing under the data directory is touched; a new directory id at each start.</summary>
    Memory = 1,

    /// <summary>Written to the page cache and not synced: survives the process, not the machine.</summary>
    Mapped = 2,

    /// <summary>Synced before it counts.</summary>
    Disk = 3,
}

/// <summary>What a member's storage is told.</summary>
public sealed class StorageOptions
{
    public required string DataDirectory { get; init; }
    public required ReplicaId Self { get; init; }
    public StorageLevel Level { get; init; } = StorageLevel.Disk;

    /// <summary>Bytes of a segment; at least four times the largest entry's batch and an opening (storage.md §1.1).</summary>
    public int SegmentBytes { get; init; } = Limits.SegmentBytes;

    /// <summary>Bytes of log since the last snapshot that make the next one due, unless the state is larger (§3.2).</summary>
    public long SnapshotDueBytes { get; init; } = Limits.SnapshotDueBytes;

    public int MaxEntryBytes { get; init; } = Limits.MaxEntryBytes;

    /// <summary>The smallest segment that one partition can live with, for entries of so many bytes.</summary>
    public static long LeastSegmentBytes(int maxEntryBytes) => Journal.LeastSegmentBytes(maxEntryBytes, 1);

    /// <summary>Bytes of the newest batches that stay in memory; older entries are read from their segments.</summary>
    public long RecentBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>Bytes of snapshot handed to the disk in a second (§4.2: a limited rate, so that the journal's syncs on the same disk stay short).</summary>
    public long SnapshotBytesPerSecond { get; init; } = 400L * 1024 * 1024;

    /// <summary>
    /// Judges whether a member whose journal lost a part of unknown content may draw a new directory id and come back through its peers (§2.1).
    /// Null: it may when in the last known configuration of every partition the other voters are a majority.
    /// </summary>
    public Func<LostJournal, bool>? MayBeginAnew { get; init; }

    /// <summary>
    /// Judges whether this member is the only voter of a partition that holds damage: then nobody else has what is lost, and it stops before anything is written (§2.4). Null: it never is.
    /// </summary>
    public Func<LostJournal, bool>? IsAlone { get; init; }
}

/// <summary>The data directory cannot be used and nothing was changed: one clear line for standard error, exit code 2.</summary>
#pragma warning disable CA1710 // the house calls it a refusal: it is an outcome of starting, said to a person
public sealed class StorageRefusal(string message) : Exception(message);
#pragma warning restore CA1710

/// <summary>Something that was durable cannot be read whole any more (storage.md §2.1): named, never guessed.</summary>
/// <param name="File">Full path of the file.</param>
/// <param name="Offset">Byte offset of the bad batch or block in it.</param>
/// <param name="Partition">Whose, or -1 when that is not known.</param>
/// <param name="First">First damaged index, 0 when not known.</param>
/// <param name="Last">Last damaged index, 0 when not known.</param>
/// <param name="What">One line that says it.</param>
public sealed record StorageDamage(string File, long Offset, int Partition, long First, long Last, string What)
{
    public override string ToString() => $"{What} (file {File}, offset {Offset})";
}

/// <summary>A journal that lost something of unknown content, as the caller judges it (<see cref="StorageOptions.MayBeginAnew"/>).</summary>
/// <param name="Damage">What is lost, by file and offset.</param>
/// <param name="Configurations">The last configuration that could be read, by partition.</param>
/// <param name="Identity">The identity, for its formation.</param>
public sealed record LostJournal(IReadOnlyList<StorageDamage> Damage, IReadOnlyList<(int Partition, ClusterConfiguration Configuration)> Configurations, IdentityFile Identity);
