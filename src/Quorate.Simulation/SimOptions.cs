namespace Quorate.Simulation;

public enum WorldKind
{
    /// <summary>The real core and the real storage under a small host, over a network that loses, doubles and reorders single messages.</summary>
    Core,

    /// <summary>Whole members: host, sessions, tree and face over byte streams, and ZooKeeper clients.</summary>
    Served,
}

/// <summary>How to run one world; with the seed, all that decides what happens in it.</summary>
public sealed record SimOptions
{
    public WorldKind World { get; init; } = WorldKind.Core;

    /// <summary>Simulated microseconds of faults; healing comes on top.</summary>
    public long FaultMicros { get; init; } = 3_000_000;

    /// <summary>Simulated microseconds within which everything outstanding must complete once a quorum is healed.</summary>
    public long HealMicros { get; init; } = 20_000_000;

    /// <summary>Takes one line an event; null: none are made. Does not change what happens.</summary>
    public Action<string>? Line { get; init; }

#if MUTANTS
    /// <summary>The bug that is planted.</summary>
    public Mutant Mutant { get; init; }
#endif
}

/// <summary>What came of one world.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Hash">The trace's hash: the same seed and options give the same one.</param>
/// <param name="Broken">The broken promise's name, or null.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="SimulatedMicros">World time at its end.</param>
/// <param name="Steps">Events.</param>
/// <param name="Operations">Operations of clients that were checked.</param>
/// <param name="Undecided">Histories that the linearizability search gave up on.</param>
/// <param name="Faults">Faults that struck.</param>
public sealed record SimOutcome(ulong Seed, ulong Hash, string? Broken, string Detail, long SimulatedMicros, long Steps, long Operations, int Undecided, long Faults);
