namespace Quorate.Kernel;

/// <summary>What a replica has promised: one record, never two writes (raft.md, bug 15). For Raft: the term and whom it voted for in it.</summary>
/// <param name="Term">The number below which nothing else may be promised (term, ballot, epoch).</param>
/// <param name="Vote">Whom, or 0.</param>
/// <param name="VoteDirectory">That member's directory.</param>
/// <param name="Extra">The protocol's own.</param>
public readonly record struct Promise(ulong Term, ulong Vote, ulong VoteDirectory, ulong Extra = 0);

/// <summary>An entry whose bytes were lost but whose header survived (storage.md §2.4).</summary>
public readonly record struct DamagedEntry(ulong Term, long Index);

/// <summary>A configuration and the index that it stands at.</summary>
public sealed record ConfigurationAt(long Index, ClusterConfiguration Configuration);

/// <summary>What Start is told: what storage made durable and then trusted (storage.md §2).</summary>
public sealed class Recovered
{
    public required ReplicaId Self { get; init; }
    public required ulong Directory { get; init; }

    /// <summary>This start's number (storage.md §6; DESIGN §3: three words).</summary>
    public ulong Run { get; init; }

    /// <summary>Seeds the core's own generator.</summary>
    public ulong Seed { get; init; }

    public Promise Promise { get; init; }

    public LogMap Log { get; init; } = new();

    /// <summary>Every configuration in snapshot and log, by index; the last one rules. A freshly formed member has the formed list at index 0.</summary>
    public IReadOnlyList<ConfigurationAt> Configurations { get; init; } = [];

    /// <summary>The mark: damaged entries that are left (storage.md §2.4). Empty in a healthy replica.</summary>
    public IReadOnlyList<DamagedEntry> Mark { get; init; } = [];

    /// <summary>The snapshot that the log begins on, if any.</summary>
    public SnapshotIdentity Snapshot { get; init; }
}
