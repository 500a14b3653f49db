namespace Quorate.Transport;

/// <summary>All that the mesh keeps of one other member: a link out, a link in, when to dial, what is awaited.</summary>
internal sealed class Peer(ReplicaId id)
{
    public readonly ReplicaId Id = id;
    public readonly string Name = id.ToString();

    /// <summary>Where we dial it; null when it is not listed (it may dial us all the same).</summary>
    public string? Address;

    /// <summary>Where its operators ask it, as its newest greeting said; empty when nowhere or not known.</summary>
    public string Http = "";

    public OutgoingLink? Out;
    public IncomingLink? In;
    public bool Standing => Out is { Stage: LinkStage.Standing };

    /// <summary>When the next dial is due; <see cref="Soon"/> means at the next pump.</summary>
    public long RedialAt = Instant.Never;
    public int Failures;

    /// <summary>The handler was told that the link is up.</summary>
    public bool ToldUp;
    public long TellAgainAt = Instant.Never;

    /// <summary>The number of the last ping on this link; each carries the next.</summary>
    public ulong Pings;

    /// <summary>A ping is due at the next pump at which the link stands.</summary>
    public bool PingDue;
    public long PingAt;

    /// <summary>Since when a ping waits for its pong; <see cref="Instant.Never"/> when none does.</summary>
    public long UnansweredSince = Instant.Never;

    /// <summary>Frames are old until the pong of this ping returns; 0 when they are not (DESIGN §3, Time).</summary>
    public ulong OldUntil;

    /// <summary>The newest ping of the peer that our pong still owes; 0 for none.</summary>
    public ulong PongOwed;

    public readonly BulkSender Sending = new();
    public readonly BulkReceiver Receiving = new();

    /// <summary>A deadline that the next pump sees as passed.</summary>
    public const long Soon = 0;
}

internal enum LinkStage : byte
{
    Connecting,
    Greeting,
    Standing,
    Closed,
}
