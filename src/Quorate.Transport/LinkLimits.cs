namespace Quorate.Transport;

/// <summary>Limits of links between members (DESIGN §9.7); the sizes that other rooms know too stand in <see cref="Limits"/>.</summary>
public static class LinkLimits
{
    /// <summary>Bytes of a frame before the handshake is done: a stranger makes us hold no more.</summary>
    public const int MaxGreetingBytes = 1024;

    /// <summary>UTF-8 bytes of an address or of a refusal's reason in a handshake.</summary>
    public const int MaxTextBytes = 320;

    /// <summary>Connections at one time that have not finished their handshake; more are closed at once.</summary>
    public const int MaxStrangers = 256;

    /// <summary>Microseconds that an incoming connection has for its handshake.</summary>
    public const long StrangerMicros = 5_000_000;

    /// <summary>Microseconds that our own dial has, from connecting to the answer.</summary>
    public const long DialMicros = 2_000_000;

    /// <summary>Microseconds before the first redial.</summary>
    public const long RedialLeastMicros = 20_000;

    /// <summary>Microseconds between redials at most.</summary>
    public const long RedialMostMicros = 500_000;

    /// <summary>Microseconds between the pings of a standing link.</summary>
    public const long PingMicros = 1_000_000;

    /// <summary>Microseconds without an answer to a ping after which a link is taken for dead and dialled anew.</summary>
    public const long PongMicros = 4_000_000;

    /// <summary>Microseconds without any frame after which an incoming connection is closed.</summary>
    public const long SilentMicros = 10_000_000;

    /// <summary>Microseconds within which a frame proves that the other holder of an id lives, so that a second one is a duplicate and not its successor.</summary>
    public const long DuplicateMicros = 1_500_000;

    /// <summary>Microseconds after which a link that was reported down, but whose outgoing half stands, is reported up again although its incoming half is missing.</summary>
    public const long HalfLinkMicros = 500_000;

    /// <summary>Unsent bytes of a link at which no chunk of a body is added: what is urgent waits behind one chunk at most.</summary>
    public const int BulkBelowBytes = 64 * 1024;

    /// <summary>Bytes of a body that its receiver has not confirmed.</summary>
    public const long BulkWindowBytes = 8L * 1024 * 1024;

    /// <summary>Bytes of a body between two confirmations.</summary>
    public const long BulkConfirmBytes = 1024 * 1024;

    /// <summary>Bytes that a receiver of bodies may have waiting for its disk before it confirms nothing more.</summary>
    public const long BulkBacklogBytes = 8L * 1024 * 1024;

    /// <summary>Microseconds until the next chunk when nothing else wakes the strand.</summary>
    public const long BulkPaceMicros = 1_000;

    /// <summary>Microseconds until a body that is held up by its window or by a slow link is looked at again.</summary>
    public const long BulkRetryMicros = 10_000;
}
