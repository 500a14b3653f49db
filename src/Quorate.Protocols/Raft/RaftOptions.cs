namespace Quorate.Protocols.Raft;

/// <summary>The numbers that a Raft group runs with; the defaults are the house's (<see cref="Limits"/>).</summary>
public sealed record RaftOptions
{
    public long HeartbeatMicros { get; init; } = Limits.HeartbeatMicros;

    /// <summary>The least time without a leader before anybody campaigns; also what stickiness and check-quorum use (T §4.2.3, §6.2).</summary>
    public long ElectionTimeoutMicros { get; init; } = Limits.ElectionTimeoutMicros;

    public long ElectionSpreadMicros { get; init; } = Limits.ElectionSpreadMicros;

    /// <summary>How long a member may serve after it sent what a proof echoes (sessions.md §6.2).</summary>
    public long ServeWithoutLeaderMicros { get; init; } = Limits.ServeWithoutLeaderMicros;

    /// <summary>How much of a gap between two inputs counts against others (DESIGN §3, Time).</summary>
    public long MaxJudgedGapMicros { get; init; } = Limits.MaxJudgedGapMicros;

    /// <summary>After a reset link to the leader: the pre-vote starts after (1 + rank) times this, so that candidates do not meet (raft.md §16.3).</summary>
    public long HintStaggerMicros { get; init; } = 3_000;

    public int MaxEntryBytes { get; init; } = Limits.MaxEntryBytes;
    public int MaxAppendBytes { get; init; } = Limits.MaxAppendBytes;

    /// <summary>Entries of one Append: bounds a message of empty entries.</summary>
    public int MaxAppendEntries { get; init; } = 16_384;

    public int MaxInflightMessages { get; init; } = Limits.MaxInflightMessages;
    public long MaxInflightBytes { get; init; } = Limits.MaxInflightBytes;
    public long MaxUncommittedBytes { get; init; } = Limits.MaxUncommittedBytes;
    public long TrailingBytes { get; init; } = Limits.TrailingBytes;
    public int MaxPendingReads { get; init; } = 10_000;

    /// <summary>A learner may be promoted when it lacks at most this many payload bytes (T §4.2.1).</summary>
    public long CaughtUpBytes { get; init; } = 1024 * 1024;
}
