using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

internal enum EventKind : byte { Started, Appended, Delivered, Committed, Left, Leads }

/// <summary>Something that a step did and that promises about all members speak of. Other: of an appended entry the term before it, of a delivered one the member's own term.</summary>
internal readonly record struct Event(EventKind Kind, long Index = 0, ulong Term = 0, ulong Other = 0, Entry Entry = default);

/// <summary>One member's part of a step: what it is afterwards, what left it, and what is to be judged. Shared by every state in which the same member takes the same step.</summary>
internal sealed class NodeStep(ExploredNode after, Flying[] left, Event[] events)
{
    public ExploredNode After { get; } = after;
    public Flying[] Left { get; } = left;
    public Event[] Events { get; } = events;

    /// <summary>It adds to what was ever appended and decided.</summary>
    public bool Remembers { get; } = events.Any(e => e.Kind is EventKind.Started or EventKind.Appended or EventKind.Delivered);

    /// <summary>The history behind this step, by the one before it: a pure function, too.</summary>
    public Dictionary<RaftGlobalInvariants, RaftGlobalInvariants> Histories { get; } = new(ReferenceEqualityComparer.Instance);
}
