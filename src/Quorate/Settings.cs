using System.Globalization;

namespace Quorate;

/// <summary>A setting: its name everywhere, what it is for, and how a text becomes its value.</summary>
/// <param name="Name">The key in a file, after --set, and (upper case, QUORATE_ before it) in the environment. Where ZooKeeper has the setting, the name is ZooKeeper's.</param>
/// <param name="Value">What to write for its value.</param>
/// <param name="About">One line.</param>
/// <param name="Put">Sets it; returns why it cannot, or null.</param>
/// <param name="Get">Its present value as text.</param>
public sealed record Setting(string Name, string Value, string About, Func<QuorateOptions, string, string?> Put, Func<QuorateOptions, string> Get)
{
    /// <summary>QUORATE_TICKTIME for tickTime, QUORATE_JUTE_MAXBUFFER for jute.maxbuffer.</summary>
    public string EnvironmentName => EnvironmentNameOf(Name);

    public static string EnvironmentNameOf(string name) => "QUORATE_" + name.ToUpperInvariant().Replace('.', '_').Replace('-', '_');
}

/// <summary>Every setting of a member. Flags, environment, file and --set are one configuration: this table.</summary>
public static class Settings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        Number("id", "N", "this member's number in its cluster, 1 to 254", (o, v) => o.Id = v, o => o.Id),
        Text("members", "ID=HOST:PORT,...", "every member with the address of its mesh; none: a cluster of one", (o, v) => o.Members = v, o => o.Members),
        Text("peer", "HOST:PORT", "where to listen to peers; default: what members says of this one", (o, v) => o.Peer = v, o => o.Peer),
        Text("data", "DIR", "where log, snapshots and identity stand", (o, v) => o.Data = v, o => o.Data),
        Text("zookeeper", "HOST:PORT", "where ZooKeeper's clients connect; port 0 picks a free one", (o, v) => o.ZooKeeper = v, o => o.ZooKeeper),
        Text("protocol", "raft", "how decisions are made", (o, v) => o.Protocol = v, o => o.Protocol),
        Text("storage", "disk|mapped|memory", "what a write survives: the machine, the process, nothing", (o, v) => o.Storage = v, o => o.Storage),
        Flag("formWithQuorum", "form a new cluster when only a majority of members is there; the risk: should the others ever form without these, there are two", (o, v) => o.FormWithQuorum = v, o => o.FormWithQuorum),
        Number("tickTime", "MS", "the unit of session time-outs", (o, v) => o.TickTime = v, o => o.TickTime),
        Number("minSessionTimeout", "MS", "the shortest session time-out; -1: two ticks", (o, v) => o.MinSessionTimeout = v, o => o.MinSessionTimeout),
        Number("maxSessionTimeout", "MS", "the longest session time-out; -1: twenty ticks", (o, v) => o.MaxSessionTimeout = v, o => o.MaxSessionTimeout),
        Number("maxClientCnxns", "N", "connections that one address may have; 0: any number", (o, v) => o.MaxClientCnxns = v, o => o.MaxClientCnxns),
        Text("4lw.commands.whitelist", "WORDS|*", "four-letter words that are answered", (o, v) => o.FourLetterWords = v, o => o.FourLetterWords),
        Number("jute.maxbuffer", "BYTES", "the largest request", (o, v) => o.JuteMaxBuffer = v, o => o.JuteMaxBuffer),
        Text("DigestAuthenticationProvider.superDigest", "USER:BASE64", "the digest identity that no access list binds", (o, v) => o.SuperDigest = v, o => o.SuperDigest),
        Flag("extendedTypesEnabled", "container and TTL nodes may be made", (o, v) => o.ExtendedTypesEnabled = v, o => o.ExtendedTypesEnabled),
        Number("znode.container.checkIntervalMs", "MS", "how often container and TTL nodes that are due are looked for", (o, v) => o.ContainerCheckIntervalMs = v, o => o.ContainerCheckIntervalMs),
        Number("znode.container.maxPerMinute", "N", "how many of them go in a minute", (o, v) => o.ContainerMaxPerMinute = v, o => o.ContainerMaxPerMinute),
        Number("segmentBytes", "BYTES", "the size of a journal segment", (o, v) => o.SegmentBytes = v, o => o.SegmentBytes),
        new("snapshotDueBytes", "BYTES", "how much log makes a snapshot due", (o, v) =>
        {
            if (!long.TryParse(v, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)) return "is not a number";
            o.SnapshotDueBytes = number;
            return null;
        }, o => o.SnapshotDueBytes.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Null when there is none of that name. Names are case-sensitive, as ZooKeeper's are.</summary>
    public static Setting? Find(string name) => All.FirstOrDefault(s => s.Name == name);

    /// <summary>The known name that looks most like this one, when one does.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        var (nearest, distance) = known.Select(k => (k, Distance(k.ToUpperInvariant(), name.ToUpperInvariant()))).OrderBy(p => p.Item2).ThenBy(p => p.k, StringComparer.Ordinal).FirstOrDefault();
        return nearest is not null && distance <= Math.Max(1, name.Length / 3) ? nearest : null;
    }

    private static Setting Text(string name, string value, string about, Action<QuorateOptions, string> put, Func<QuorateOptions, string> get) => new(name, value, about, (o, v) =>
    {
        put(o, v);
        return null;
    }, get);

    private static Setting Number(string name, string value, string about, Action<QuorateOptions, int> put, Func<QuorateOptions, int> get) => new(name, value, about, (o, v) =>
    {
        if (!int.TryParse(v, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)) return "is not a number";
        put(o, number);
        return null;
    }, o => get(o).ToString(CultureInfo.InvariantCulture));

    private static Setting Flag(string name, string about, Action<QuorateOptions, bool> put, Func<QuorateOptions, bool> get) => new(name, "true|false", about, (o, v) =>
    {
        if (!bool.TryParse(v, out bool flag)) return "is neither true nor false";
        put(o, flag);
        return null;
    }, o => get(o) ? "true" : "false");

    /// <summary>Levenshtein's.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1));
                corner = above;
            }
        }
        return row[^1];
    }
}
