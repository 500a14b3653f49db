using System.Globalization;
using Quorate.Storage;

namespace Quorate;

/// <summary>Everything that a member may be told. Each property is a setting of the same name in a file, in the environment and on the command line (<see cref="Settings"/>).</summary>
public sealed class QuorateOptions
{
    /// <summary>This member's number in its cluster, 1 to 254.</summary>
    public int Id { get; set; } = 1;

    /// <summary>1=HOST:PORT,2=HOST:PORT,...: every member of the cluster with the address of its mesh. Empty: a cluster of one that listens to no peers.</summary>
    public string Members { get; set; } = "";

    /// <summary>HOST:PORT on which this member listens to its peers; empty: what <see cref="Members"/> says of it.</summary>
    public string Peer { get; set; } = "";

    /// <summary>Where log, snapshots and identity stand.</summary>
    public string Data { get; set; } = "quorate-data";

    /// <summary>HOST:PORT for ZooKeeper's clients; port 0 picks a free one.</summary>
    public string ZooKeeper { get; set; } = "127.0.0.1:2181";

    /// <summary>How decisions are made: raft.</summary>
    public string Protocol { get; set; } = "raft";

    /// <summary>memory, mapped (survives the process, not the machine) or disk.</summary>
    public string Storage { get; set; } = "disk";

    /// <summary>Form a new cluster when only a majority of the listed members is there (storage.md §6.2). It risks a second cluster of the others, should they ever form without these. Only first formation asks it.</summary>
    public bool FormWithQuorum { get; set; }

    /// <summary>Milliseconds: the unit of session time-outs.</summary>
    public int TickTime { get; set; } = 2000;

    /// <summary>Milliseconds; -1: two ticks.</summary>
    public int MinSessionTimeout { get; set; } = -1;

    /// <summary>Milliseconds; -1: twenty ticks.</summary>
    public int MaxSessionTimeout { get; set; } = -1;

    /// <summary>Connections that one address may have; 0: any number.</summary>
    public int MaxClientCnxns { get; set; }

    /// <summary>Four-letter words that are answered, separated by commas; * for all.</summary>
    public string FourLetterWords { get; set; } = "*";

    /// <summary>Bytes of the largest request.</summary>
    public int JuteMaxBuffer { get; set; } = Limits.MaxRequestBytes;

    /// <summary>user:BASE64 of the digest identity that no access list binds; empty: there is none.</summary>
    public string SuperDigest { get; set; } = "";

    /// <summary>Whether container and TTL nodes may be made.</summary>
    public bool ExtendedTypesEnabled { get; set; } = true;

    /// <summary>Milliseconds between two looks for container and TTL nodes that are due.</summary>
    public int ContainerCheckIntervalMs { get; set; } = 60_000;

    /// <summary>Container and TTL nodes that go in a minute at most.</summary>
    public int ContainerMaxPerMinute { get; set; } = 10_000;

    /// <summary>Bytes of a journal segment; at least four times the largest entry and an opening.</summary>
    public int SegmentBytes { get; set; } = Limits.SegmentBytes;

    /// <summary>Bytes of log after which a snapshot is made.</summary>
    public long SnapshotDueBytes { get; set; } = Limits.SnapshotDueBytes;

    /// <summary>The members, sorted by id; a cluster of one without an address when none are listed. Call after <see cref="Check"/>.</summary>
    public IReadOnlyList<(byte Id, string Address)> ParseMembers() => TryParseMembers(Members, out var members) is null ? members : [];

    /// <summary>The first thing that is wrong, in one line that names key, value and what is allowed; null when nothing is.</summary>
    public string? Check()
    {
        if (Id is < 1 or > 254) return Wrong("id", Id, "a number from 1 to 254");
        if (TryParseMembers(Members, out var members) is { } reason) return $"members: {reason}";
        if (Members.Length > 0 && !members.Any(m => m.Id == Id)) return $"members: id {Id.ToString(CultureInfo.InvariantCulture)} is not in the list {Members}";
        if (Peer.Length > 0 && Address.Parse(Peer, out reason) is null) return Wrong("peer", Peer, "HOST:PORT: " + reason);
        if (Address.Parse(ZooKeeper, out reason) is null) return Wrong("zookeeper", ZooKeeper, "HOST:PORT: " + reason);
        if (Data.Length == 0) return "data: the data directory is empty";
        if (Protocol != "raft") return Wrong("protocol", Protocol, "raft (the others are planned)");
        if (Storage is not ("memory" or "mapped" or "disk")) return Wrong("storage", Storage, "memory, mapped or disk");
        if (TickTime is < 1 or > 3_600_000) return Wrong("tickTime", TickTime, "milliseconds from 1 to 3600000");
        int min = MinSessionTimeout < 0 ? 2 * TickTime : MinSessionTimeout, max = MaxSessionTimeout < 0 ? 20 * TickTime : MaxSessionTimeout;
        if (min > max) return $"minSessionTimeout: {min.ToString(CultureInfo.InvariantCulture)} must not be larger than maxSessionTimeout {max.ToString(CultureInfo.InvariantCulture)}";
        if (MaxClientCnxns < 0) return Wrong("maxClientCnxns", MaxClientCnxns, "0 (any number) or more");
        if (JuteMaxBuffer is < 1024 or > Limits.MaxRequestBytes) return Wrong("jute.maxbuffer", JuteMaxBuffer, $"bytes from 1024 to {Limits.MaxRequestBytes.ToString(CultureInfo.InvariantCulture)}");
        if (SuperDigest.Length > 0 && !SuperDigest.Contains(':', StringComparison.Ordinal)) return Wrong("DigestAuthenticationProvider.superDigest", SuperDigest, "user:BASE64");
        if (ContainerCheckIntervalMs is < 1 or > 3_600_000) return Wrong("znode.container.checkIntervalMs", ContainerCheckIntervalMs, "milliseconds from 1 to 3600000");
        if (ContainerMaxPerMinute < 1) return Wrong("znode.container.maxPerMinute", ContainerMaxPerMinute, "1 or more");
        long least = StorageOptions.LeastSegmentBytes(Limits.MaxEntryBytes);
        if (SegmentBytes < least || SegmentBytes % Limits.BlockBytes != 0) return Wrong("segmentBytes", SegmentBytes, string.Create(CultureInfo.InvariantCulture, $"a multiple of {Limits.BlockBytes} from {least} (four of the largest entries)"));
        if (SnapshotDueBytes < 64 * 1024) return Wrong("snapshotDueBytes", SnapshotDueBytes, "bytes from 65536");
        return null;
    }

    private string? TryParseMembers(string text, out List<(byte Id, string Address)> members)
    {
        members = [];
        if (text.Length == 0)
        {
            members.Add(((byte)Id, ""));
            return null;
        }
        foreach (string part in text.Split(','))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !byte.TryParse(part.AsSpan(0, equals).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out byte id) || id is 0 or 255) return $"'{part}' is not ID=HOST:PORT with an id from 1 to 254";
            string address = part[(equals + 1)..].Trim();
            if (Address.Parse(address, out string reason) is not { } parsed) return $"'{part}': {reason}";
            if (parsed.Port == 0) return $"'{part}': a member needs a port of its own";
            foreach (var other in members)
            {
                if (other.Id == id) return $"id {id.ToString(CultureInfo.InvariantCulture)} stands twice in {text}";
                if (other.Address == address) return $"the address {address} stands twice in {text}";
            }
            members.Add((id, address));
        }
        if (members.Count > Limits.MaxVoters) return $"{members.Count.ToString(CultureInfo.InvariantCulture)} members are listed, at most {Limits.MaxVoters.ToString(CultureInfo.InvariantCulture)} may vote";
        members.Sort((a, b) => a.Id.CompareTo(b.Id));
        return null;
    }

    private static string Wrong(string key, object value, string allowed) => string.Create(CultureInfo.InvariantCulture, $"{key}: '{value}' is not allowed; it must be {allowed}");
}
