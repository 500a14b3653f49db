namespace Quorate.Kernel;

/// <summary>What a core receives: a protocol's own sealed message types, and the host's (<see cref="HostMessage"/>).</summary>
public abstract class ProtocolMessage
{
    /// <summary>At the sender: the log entries that the codec copies into it; empty (the last below the first) in most.</summary>
    public virtual (long First, long Last) Range => (1, 0);
}

/// <summary>Who sent it: the peer with its directory and the number of its link, or the host (<see cref="ReplicaId.None"/>).</summary>
/// <param name="Id">The sender.</param>
/// <param name="Directory">The sender's directory as its handshake said; what is counted is (member, directory).</param>
/// <param name="Link">The link's number in the sender's run.</param>
/// <param name="Old">It arrived before the ping's return after a gap (DESIGN §3, Time): log and votes take its full effect, timers and permissions none.</param>
public readonly record struct Sender(ReplicaId Id, ulong Directory = 0, long Link = 0, bool Old = false)
{
    public static Sender Host => default;
}

/// <summary>What the host tells its core through Receive (DESIGN §3, The host speaks through Receive).</summary>
public abstract class HostMessage : ProtocolMessage;

/// <summary>The link to a peer stands: the peer's directory, run and a link number of our own.</summary>
public sealed class LinkUp(ReplicaId peer, ulong directory, ulong run) : HostMessage
{
    public ReplicaId Peer { get; } = peer;
    public ulong Directory { get; } = directory;
    public ulong Run { get; } = run;
}

/// <summary>A link to or from a peer was reset: a hint that starts a pre-vote early, never a proof.</summary>
public sealed class LinkDown(ReplicaId peer) : HostMessage
{
    public ReplicaId Peer { get; } = peer;
}

/// <summary>Something for this peer was not sent: its queue was full, a range was gone, a bulk stream failed.</summary>
public sealed class Undelivered(ReplicaId to) : HostMessage
{
    public ReplicaId To { get; } = to;
}

/// <summary>
/// Something for this peer waits for entries that are being read from the disk, and so does every range behind it; nothing is lost, and what has no range goes past it. Or, when no longer so: all of it has left.
/// </summary>
public sealed class Delayed(ReplicaId to, bool waits) : HostMessage
{
    public ReplicaId To { get; } = to;
    public bool Waits { get; } = waits;
}

/// <summary>The host has applied up to this index. The digest is the state's there, when it was asked for.</summary>
public sealed class Applied(long index, ulong digest = 0) : HostMessage
{
    public long Index { get; } = index;
    public ulong Digest { get; } = digest;
}

/// <summary>A snapshot at (index, term) is whole, synced and read back; the log up to it may go.</summary>
/// <param name="snapshot">Which.</param>
/// <param name="keepFrom">The lowest index whose keeping the journal can afford: small writes cost whole blocks there, so payload bytes alone do not bound it. 0: no bound.</param>
public sealed class SnapshotStored(SnapshotIdentity snapshot, long keepFrom = 0) : HostMessage
{
    public SnapshotIdentity Snapshot { get; } = snapshot;
    public long KeepFrom { get; } = keepFrom;
}

/// <summary>A snapshot could not be made; the log stays.</summary>
public sealed class SnapshotFailed : HostMessage;

/// <summary>A body that came whole from this peer could not be stored (a full disk, a failed sync of its file): whoever sent it waits for a word.</summary>
public sealed class ReceiveFailed(ReplicaId from, SnapshotIdentity snapshot) : HostMessage
{
    public ReplicaId From { get; } = from;
    public SnapshotIdentity Snapshot { get; } = snapshot;
}

/// <summary>The journal is short of room, or has room again (storage.md §3).</summary>
public sealed class LogSpace(bool low) : HostMessage
{
    public bool Low { get; } = low;
}

/// <summary>
/// Every touch of a client up to this instant (monotone micros; 0: none yet) was reported to the present leader on the present link. An acknowledgement claims this time, not the time of its own sending,
/// as what the proof of serving echoes (sessions.md §6.1: what the proof echoes is an answer that carried the touches).
/// </summary>
public sealed class Answered(long upToMicros) : HostMessage
{
    public long UpToMicros { get; } = upToMicros;
}

/// <summary>
/// An operator's word that these damaged entries are lost for good (storage.md §2.4). The core answers the proposal: done when that is durable, or refused with the reason.
/// Everything of the log from the lowest of them on goes with it.
/// </summary>
public sealed class AcceptLoss(long proposal, long[] indexes) : HostMessage
{
    public long Proposal { get; } = proposal;
    public IReadOnlyList<long> Indexes { get; } = indexes;
}

/// <summary>Hand leadership over if you lead; the member is about to stop.</summary>
public sealed class Retire : HostMessage;
