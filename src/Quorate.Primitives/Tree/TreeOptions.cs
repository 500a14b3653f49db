namespace Quorate.Primitives.Tree;

/// <summary>Settings that prepare and the reads' access checks look at. Apply looks at none of them (sessions.md §2).</summary>
public sealed record TreeOptions
{
    /// <summary>extendedTypesEnabled: off, createTTL answers -6.</summary>
    public bool ExtendedTypes { get; init; } = true;

    /// <summary>skipACL: no access is ever refused. Lists are still checked for form.</summary>
    public bool SkipAcl { get; init; }

    /// <summary>znode.container.maxNeverUsedIntervalMs: containers that never had a child go after this many milliseconds; 0 keeps them.</summary>
    public long ContainerMaxNeverUsedMillis { get; init; }
}
