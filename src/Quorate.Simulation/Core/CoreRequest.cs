namespace Quorate.Simulation.Core;

internal enum RequestKind { Command, Read, Configuration, Transfer }

/// <summary>Something that a client or an operator asks of one node.</summary>
internal sealed class CoreRequest
{
    public required RequestKind Kind { get; init; }
    public RegisterCommand Command { get; init; }
    public ClusterConfiguration? Configuration { get; init; }
    public ReplicaId Target { get; init; }

    /// <summary>Called on the node's side when there is something to tell: (accepted or done, value).</summary>
    public Action<Reply, long>? Answered { get; init; }
}

internal enum Reply
{
    /// <summary>It took effect; the value is its result.</summary>
    Done,

    /// <summary>It did not and will not take effect.</summary>
    Refused,
}
