using System.Text.RegularExpressions;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 137, 138, 140 and the texts of §3.4 for the words that this issue names.</summary>
internal static partial class Rows
{
    // What monitors rely on (§3.4) and what is there in both versions on a server alone.
    private static readonly string[] MonitorKeys =
    [
        "zk_version", "zk_server_state", "zk_avg_latency", "zk_min_latency", "zk_max_latency", "zk_packets_received", "zk_packets_sent", "zk_num_alive_connections", "zk_outstanding_requests", "zk_znode_count", "zk_watch_count",
        "zk_ephemerals_count", "zk_approximate_data_size", "zk_open_file_descriptor_count", "zk_max_file_descriptor_count", "zk_global_sessions", "zk_uptime", "zk_connection_rejected", "zk_stale_sessions_expired",
    ];

    private static readonly string[] NotServing = ["srvr", "stat", "mntr", "conf", "cons"];

    [GeneratedRegex(@"0x[0-9a-f]+|-?\d+(\.\d+)?")]
    private static partial Regex Number();

    /// <summary>Numbers are masked, the words and the shape stay.</summary>
    private static string Shape(string text)
    {
        var lines = text.Split('\n').Select(l => l.StartsWith("Zookeeper version:", StringComparison.Ordinal) ? "Zookeeper version: V" : Number().Replace(l, m => m.Value.StartsWith("0x", StringComparison.Ordinal) ? "0xN" : "N"));
        return string.Join('|', lines);
    }

    private static Row[] Words =>
    [
        Shared("137", "ruok in all its spellings", s =>
        {
            foreach (var parts in new string[][] { ["ruok"], ["ru", "ok"], ["ruok\n"], ["ruok\r\n"] })
            {
                var a = s.Bare();
                foreach (var p in parts)
                {
                    a.Send(Bytes(p));
                    if (parts.Length > 1) Thread.Sleep(60);
                }
                a.Hangup().Closed().Has("bytes", Convert.ToHexStringLower(Bytes("imok")));
            }
        }),
        Shared("138", "ruok inside a session; RUOK; a word that is none", s =>
        {
            var a = s.Session();
            a.Send(Bytes("ruok"));
            a.Hangup().Closed().Has("bytes", "");
            foreach (var w in new[] { "RUOK", "lsnp", "icfg" })
            {
                var b = s.Bare();
                b.Send(Bytes(w));
                b.Hangup().Closed().Has("bytes", "");
            }
        }),
        Shared("srvr", "the text of srvr", s => s.Is("text", Shape(s.Target.Word("srvr")),
            "Zookeeper version: V|Latency min/avg/max: N/N/N|Received: N|Sent: N|Connections: N|Outstanding: N|Zxid: 0xN|Mode: standalone|Node count: N|")),
        Shared("srvr2", "figures of srvr that are no statistics", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            var text = s.Target.Word("srvr");
            s.Is("zxid is the last one", text.Contains("Zxid: 0x" + a.Seen.ToString("x") + "\n", StringComparison.Ordinal), true);
            a.AllChildren("/").Err(0);
            s.Is("version line", Regex.IsMatch(text, @"^Zookeeper version: \d+\.\d+\.\d+[^\n]*, built on [^\n]+\n"), true);
        }),
        Shared("stat", "the text of stat", s =>
        {
            using var other = new RawSession(s.Target.Port);
            var text = s.Target.Word("stat");
            other.Close();
            var lines = Shape(text).Split('|');
            s.Is("head", string.Join('|', lines.Take(2)), "Zookeeper version: V|Clients:");
            s.Is("a client's line", lines.Any(l => l == " /N.N:N[N](queued=N,recved=N,sent=N)"), true);
            s.Is("tail", string.Join('|', lines.SkipWhile(l => l.Length > 0)), "|Latency min/avg/max: N/N/N|Received: N|Sent: N|Connections: N|Outstanding: N|Zxid: 0xN|Mode: standalone|Node count: N|");
        }),
        Shared("cons", "the text of cons", s =>
        {
            var a = s.Session();
            a.Exists(s.Root).Err(0);
            var text = s.Target.Word("cons");
            var line = text.Split('\n').FirstOrDefault(l => l.Contains("sid=0x" + a.SessionId.ToString("x"), StringComparison.Ordinal)) ?? "none";
            s.Is("the session's line", Shape(line), " /N.N:N[N](queued=N,recved=N,sent=N,sid=0xN,lop=EXIS,est=N,to=N,lcxid=0xN,lzxid=0xN,lresp=N,llat=N,minlat=N,avglat=N,maxlat=N)");
            s.Is("time-out", line.Contains("to=30000,lcxid=0x1,", StringComparison.Ordinal), true);
            s.Is("ends with a blank line", text.EndsWith("\n\n", StringComparison.Ordinal), true);
        }),
        Shared("conf", "the text of conf", s =>
        {
            var text = s.Target.Word("conf");
            var keys = string.Join(' ', text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('=')[0]));
            s.Is("keys", keys, "clientPort secureClientPort dataDir dataDirSize dataLogDir dataLogSize tickTime maxClientCnxns minSessionTimeout maxSessionTimeout clientPortListenBacklog serverId");
            foreach (var (k, v) in new[] { ("clientPort", s.Target.Port.ToString()), ("tickTime", "2000"), ("minSessionTimeout", "4000"), ("maxSessionTimeout", "40000"), ("maxClientCnxns", "0") })
                s.Is(k, text.Contains(k + "=" + v + "\n", StringComparison.Ordinal), true);
        }),
        Shared("mntr", "the keys of mntr", s =>
        {
            var a = s.Session();
            a.Create(s.P("e"), 1).Err(0);
            a.GetData(s.P("e"), true).Err(0);
            var d = s.Target.Word("mntr").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')).ToLookup(p => p[0], p => p.Length > 1 ? p[1] : "no value");
            s.Is("keys missing", string.Join(' ', MonitorKeys.Where(k => !d.Contains(k))), "");
            s.Is("zk_server_state", d["zk_server_state"].FirstOrDefault(""), "standalone");
            s.Is("zk_ephemerals_count", d["zk_ephemerals_count"].FirstOrDefault(""), "1");
            s.Is("zk_watch_count", d["zk_watch_count"].FirstOrDefault(""), "1");
            s.Is("zk_global_sessions", d["zk_global_sessions"].FirstOrDefault(""), "2");
            // ZooKeeper counts the root twice ("" and "/"); then /zookeeper with its two, the row's own node, and the one created here.
            s.Is("zk_znode_count", d["zk_znode_count"].FirstOrDefault(""), "7");
        }),
        Quorum("mntr-q", "modes and keys of three members", s =>
        {
            s.Is("modes", string.Join(' ', s.Ensemble.Members.Select(m => m.Role()).Order()), "follower follower leader");
            var leader = s.Ensemble.Leader();
            s.Is("leader's srvr", Shape(leader.Word("srvr")), "Zookeeper version: V|Latency min/avg/max: N/N/N|Received: N|Sent: N|Connections: N|Outstanding: N|Zxid: 0xN|Mode: leader|Node count: N|Proposal sizes last/min/max: N/N/N|");
            var text = leader.Word("mntr");
            foreach (var k in new[] { "zk_server_state\tleader", "zk_peer_state\tleading - broadcast", "zk_synced_followers\t2", "zk_learners\t2", "zk_quorum_size\t3" })
                s.Is(k.Replace('\t', ' '), text.Contains(k + "\n", StringComparison.Ordinal) || text.Contains(k + ".0\n", StringComparison.Ordinal), true);
            s.Is("follower's state", s.Ensemble.Follower().Word("mntr").Contains("zk_peer_state\tfollowing - broadcast\n", StringComparison.Ordinal), true);
        }),
        Quorum("140", "no quorum", s =>
        {
            var a = s.Session(20000, s.Ensemble[0]);
            a.Create(s.P("e"), 1).Err(0);
            s.Ensemble[1].Kill();
            s.Ensemble[2].Kill();
            a.Hangup(30).Closed();
            // Between losing its peers and saying so a server has a moment.
            for (var end = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < end && s.Ensemble[0].Word("srvr").Contains("Mode:", StringComparison.Ordinal);) Thread.Sleep(100);
            foreach (var w in NotServing) s.Is(w, s.Ensemble[0].Word(w), "This ZooKeeper instance is not currently serving requests\n");
            s.Is("ruok", s.Ensemble[0].Word("ruok"), "imok");
            s.Connect(new Hello()).Connected!.Closed();
            s.Ensemble[1].Start();
            s.Ensemble[2].Start();
            s.Ensemble.WaitUntilAllServe(60);
            a.Again().GetData(s.P("e")).Err(0).Has("stat.ephemeralOwner", "session a");
        }),
    ];
}
