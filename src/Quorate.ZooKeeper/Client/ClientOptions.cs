namespace Quorate.ZooKeeper.Client;

public sealed class ClientOptions
{
    /// <summary>HOST:PORT each; tried in an order of the seed's choosing, one after the other, round and round.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    public int SessionTimeoutMillis { get; init; } = 10_000;

    /// <summary>Chooses the order of servers and the pauses between rounds.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Try the servers as they are listed, the first one first.</summary>
    public bool KeepOrder { get; init; }

    /// <summary>After an expiry begin a new session by itself, as kazoo and Curator do.</summary>
    public bool NewSessionAfterExpiry { get; init; } = true;

    /// <summary>Milliseconds of the longest pause after a round in which no server answered; the first pause is a sixteenth of it. Between two servers of a round there is none.</summary>
    public int LongestPauseMillis { get; init; } = 1000;

    /// <summary>Milliseconds until an attempt to connect and shake hands is given up; 0: the session time-out over the number of servers.</summary>
    public int ConnectMillis { get; init; }
}

public enum ClientState : byte
{
    /// <summary>Not started.</summary>
    New,

    /// <summary>Looking for a server; the session, if there is one, may live on.</summary>
    Disconnected,
    Connected,

    /// <summary>The session is over: its ephemeral nodes are gone, and every watch.</summary>
    Expired,
    Closed,
}

/// <summary>Hears what the client hears. Called inside <see cref="ZooKeeperClient.Pump"/> and its connection's turns; new requests may be made from here.</summary>
public interface IClientListener
{
    void OnState(ZooKeeperClient client, ClientState state);

    void OnReply(ZooKeeperClient client, in ClientReply reply);

    void OnEvent(ZooKeeperClient client, int type, ReadOnlySpan<byte> path, long zxid);
}

/// <summary>An answer, or the news that there will be none (<see cref="ErrorCode.ConnectionLoss"/>: outcome unknown; <see cref="ErrorCode.SessionExpired"/>).</summary>
public readonly ref struct ClientReply
{
    public int Xid { get; init; }
    public int Op { get; init; }

    /// <summary>What the request was given to be known by.</summary>
    public long Tag { get; init; }

    /// <summary>0 when nothing was heard.</summary>
    public long Zxid { get; init; }

    public int Error { get; init; }

    /// <summary>The response record as it came.</summary>
    public ReadOnlySpan<byte> Body { get; init; }

    /// <summary>Monotone micros when the request was made.</summary>
    public long Since { get; init; }

    public bool Ok => Error == ErrorCode.Ok;

    /// <summary>The data of a getData.</summary>
    public ReadOnlySpan<byte> Data
    {
        get
        {
            var r = new JuteReader(Body);
            return r.Buffer(out _);
        }
    }

    /// <summary>The path of a create or sync.</summary>
    public ReadOnlySpan<byte> Path => Data;

    /// <summary>The Stat that ends the record of getData, exists, setData, setACL, create2, getChildren2, getACL.</summary>
    public WireStat Stat => WireStat.Read(Body.Length < WireStat.Size ? default : Body[^WireStat.Size..]);

    /// <summary>The names of a getChildren or getChildren2.</summary>
    public string[] Names()
    {
        var r = new JuteReader(Body);
        var names = new string[r.Count(4, out _)];
        for (int i = 0; i < names.Length; i++) names[i] = System.Text.Encoding.UTF8.GetString(r.Buffer(out _));
        return names;
    }
}

/// <summary>A Stat as a client sees it.</summary>
public readonly record struct WireStat(
    long Czxid, long Mzxid, long Ctime, long Mtime, int Version, int Cversion, int Aversion, long EphemeralOwner, int DataLength, int NumChildren, long Pzxid)
{
    public const int Size = 68;

    public static WireStat Read(ReadOnlySpan<byte> bytes)
    {
        var r = new JuteReader(bytes);
        return new WireStat(r.Long(), r.Long(), r.Long(), r.Long(), r.Int(), r.Int(), r.Int(), r.Long(), r.Int(), r.Int(), r.Long());
    }
}
