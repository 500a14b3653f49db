namespace Quorate.ZooKeeper;

/// <summary>Settings of the client port; those that ZooKeeper has carry its names (DESIGN §8).</summary>
public sealed class FaceOptions
{
    public int TickTimeMillis { get; init; } = 2000;

    /// <summary>-1: twice the tick.</summary>
    public int MinSessionTimeoutMillis { get; init; } = -1;

    /// <summary>-1: twenty times the tick.</summary>
    public int MaxSessionTimeoutMillis { get; init; } = -1;

    /// <summary>Connections of one source address; 0 means no limit. The one too many is closed before any byte.</summary>
    public int MaxClientCnxns { get; init; }

    /// <summary>user:BASE64 of the digest identity that no access list binds; empty: there is none.</summary>
    public string SuperDigest { get; init; } = "";

    /// <summary>createTTL and createContainer; off, createTTL is Unimplemented (zookeeper.md §1.4).</summary>
    public bool ExtendedTypesEnabled { get; init; } = true;

    /// <summary>Four-letter words that are answered, separated by commas; `*` for all.</summary>
    public string FourLetterWords { get; init; } = "*";

    /// <summary>Bytes of the largest frame (jute.maxbuffer).</summary>
    public int MaxRequestBytes { get; init; } = Limits.MaxRequestBytes;

    public long MaxUnsentBytes { get; init; } = Limits.MaxUnsentBytes;
    public long MaxUnsentMemberBytes { get; init; } = Limits.MaxUnsentMemberBytes;
    public int MaxParkedRequests { get; init; } = Limits.MaxParkedRequests;
    public int MaxParkedBytes { get; init; } = Limits.MaxParkedBytes;
    public int TurnRequests { get; init; } = Limits.TurnRequests;
    public int TurnReplyBytes { get; init; } = Limits.TurnReplyBytes;

    /// <summary>Milliseconds that a connection may take to begin its session: ZooKeeper's 10 s are rounded up to a multiple of themselves, 10 to 20 s (zookeeper.md §2.7).</summary>
    public int HandshakeMillis { get; init; } = 12_000;

    /// <summary>What `srvr`, `mntr` and `envi` call us: the ZooKeeper whose answers these are, then our own name.</summary>
    public string VersionText { get; init; } = "3.9.5-quorate-0.1.0, built on 2026-11-21 00:00 UTC";

    /// <summary>HOST:PORT of the client port, for `conf`.</summary>
    public string ClientAddress { get; init; } = "127.0.0.1:2181";

    /// <summary>For `conf`.</summary>
    public string DataDirectory { get; init; } = "";

    internal int SmallestTimeout => MinSessionTimeoutMillis < 0 ? 2 * TickTimeMillis : MinSessionTimeoutMillis;
    internal int LargestTimeout => MaxSessionTimeoutMillis < 0 ? 20 * TickTimeMillis : MaxSessionTimeoutMillis;

    /// <summary>What a client gets that asked for this time-out.</summary>
    public int Negotiate(int asked) => Math.Max(SmallestTimeout, Math.Min(asked, LargestTimeout));
}

/// <summary>What four-letter words tell of the member behind the face.</summary>
public interface IMemberFigures
{
    /// <summary>standalone, leader, follower or observer.</summary>
    string Mode { get; }

    ulong Term { get; }
    long UptimeMillis { get; }

    /// <summary>More lines for `mntr`: key without `zk_`, and value.</summary>
    void AddTo(List<KeyValuePair<string, string>> lines);
}
