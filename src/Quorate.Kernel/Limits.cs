namespace Quorate.Kernel;

/// <summary>Every limit of the house: a name, a unit, a number (DESIGN §9.7). docs/limits.md is made from this file. Those that a user may set are the defaults of settings of the same name.</summary>
public static class Limits
{
    /// <summary>Bytes of the largest log entry, session envelope included. The face's largest request (jute.maxbuffer, 1,048,575) and its envelope fit.</summary>
    public const int MaxEntryBytes = 4 * 1024 * 1024;

    /// <summary>Bytes of a journal segment (storage.md §1.1).</summary>
    public const int SegmentBytes = 64 * 1024 * 1024;

    /// <summary>Bytes: the unit of the disk. Headers and batches begin at its multiples.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Bytes of one block of a snapshot (storage.md §4.2).</summary>
    public const int SnapshotBlockBytes = 1024 * 1024;

    /// <summary>Bytes of log since the last snapshot that make the next one due (storage.md §3.2).</summary>
    public const long SnapshotDueBytes = 64L * 1024 * 1024;

    /// <summary>Bytes of log that stay behind a snapshot for slow followers.</summary>
    public const long TrailingBytes = 32L * 1024 * 1024;

    /// <summary>Bytes of journal, blocks and headers included, that stay behind a snapshot for slow followers.</summary>
    public const long TrailingJournalBytes = 64L * 1024 * 1024;

    /// <summary>Bytes of snapshot that may wait for the disk (storage.md §4.2).</summary>
    public const long SnapshotUnwrittenBytes = 32L * 1024 * 1024;

    /// <summary>Bytes of a member's numbered writes that its own apply does not cover (sessions.md §4.3).</summary>
    public const int StreamWindowBytes = 4 * 1024 * 1024;

    /// <summary>Microseconds between a leader's beats.</summary>
    public const long HeartbeatMicros = 25_000;

    /// <summary>Microseconds without a leader before a follower campaigns, at least.</summary>
    public const long ElectionTimeoutMicros = 150_000;

    /// <summary>Microseconds: width of the random part of the election time-out.</summary>
    public const long ElectionSpreadMicros = 100_000;

    /// <summary>Microseconds that a member serves after the last proof of a leader (sessions.md §6.2).</summary>
    public const long ServeWithoutLeaderMicros = 600_000;

    /// <summary>Microseconds that a member's apply may lag behind a proven commit while it serves.</summary>
    public const long MaxApplyLagMicros = 10_000_000;

    /// <summary>Microseconds after which a member that could not store a snapshot that it had received says so to its sender, who sends again.</summary>
    public const long ReceiveRetryMicros = 1_000_000;

    /// <summary>Microseconds of a gap between two pumps that count for judging others (DESIGN §3, Time).</summary>
    public const long MaxJudgedGapMicros = 200_000;

    /// <summary>Damaged entries of one question to the voters whether they ever had them (storage.md §2.4).</summary>
    public const int MaxLossEntries = 1024;

    /// <summary>Append messages in flight to one peer.</summary>
    public const int MaxInflightMessages = 64;

    /// <summary>Payload bytes in flight to one peer.</summary>
    public const long MaxInflightBytes = 8L * 1024 * 1024;

    /// <summary>Payload bytes of one append message (one larger entry travels alone).</summary>
    public const int MaxAppendBytes = 1024 * 1024;

    /// <summary>Payload bytes that a leader holds proposed and not committed.</summary>
    public const long MaxUncommittedBytes = 64L * 1024 * 1024;

    /// <summary>Bytes of one frame between members.</summary>
    public const int MaxFrameBytes = 8 * 1024 * 1024;

    /// <summary>Bytes queued to one peer before frames to it are refused (Undelivered).</summary>
    public const long MaxPeerQueueBytes = 32L * 1024 * 1024;

    /// <summary>Bytes of one chunk of a bulk body.</summary>
    public const int BulkChunkBytes = 256 * 1024;

    /// <summary>Bytes of one client request, as ZooKeeper's jute.maxbuffer.</summary>
    public const int MaxRequestBytes = 0xfffff;

    /// <summary>Requests parked on one connection (sessions.md §7.2).</summary>
    public const int MaxParkedRequests = 64;

    /// <summary>Bytes parked on one connection.</summary>
    public const int MaxParkedBytes = 1024 * 1024;

    /// <summary>Unsent reply bytes of one connection.</summary>
    public const long MaxUnsentBytes = 64L * 1024 * 1024;

    /// <summary>Unsent reply bytes of a member.</summary>
    public const long MaxUnsentMemberBytes = 512L * 1024 * 1024;

    /// <summary>Requests that one turn takes from one connection.</summary>
    public const int TurnRequests = 64;

    /// <summary>Reply bytes that one turn gives one connection.</summary>
    public const int TurnReplyBytes = 256 * 1024;

    /// <summary>Voters of a group.</summary>
    public const int MaxVoters = 9;

    /// <summary>A transaction counter at which the leader proposes a new epoch (sessions.md §3.3).</summary>
    public const uint EpochCounterLimit = 0xf000_0000;
}
