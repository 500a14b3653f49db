namespace Quorate.Kernel;

public enum ProposalKind : byte
{
    /// <summary>A command to be ordered. Legal while Standing.MayPropose covers it; never refused then. Not answered by the core: apply answers.</summary>
    Command = 1,

    /// <summary>A linearizable read position (Raft §8, ReadIndex). Legal at any replica; answered by <see cref="AnswerKind.ReadAt"/>.</summary>
    Read = 2,

    /// <summary>A new configuration, in <see cref="Proposal.Configuration"/>, one voter changed at most.</summary>
    Configuration = 3,

    /// <summary>Hand leadership to <see cref="Proposal.Target"/>, or to the best follower when none is named.</summary>
    Transfer = 4,
}

/// <summary>What the host asks a core to order or to do. <see cref="Id"/> is the host's, unique in a run; answers name it.</summary>
public readonly record struct Proposal(long Id, ProposalKind Kind, Payload Payload = default, ClusterConfiguration? Configuration = null, ReplicaId Target = default);

public enum AnswerKind : byte
{
    /// <summary>Read: answer when the position is applied.</summary>
    ReadAt = 1,

    /// <summary>Refused for now: nothing happened; try again.</summary>
    Busy = 2,

    /// <summary>Not the leader: nothing happened here; Standing says who may be.</summary>
    Redirect = 3,

    /// <summary>It may or may not happen (a configuration or transfer whose fate this replica lost sight of).</summary>
    Unknown = 4,

    /// <summary>Refused for good: the reason is in the answer's text.</summary>
    Refused = 5,

    /// <summary>A transfer or configuration change is done.</summary>
    Done = 6,
}
