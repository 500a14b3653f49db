using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Quorate.Runtime.Faces;

namespace Quorate.ZooKeeper;

/// <summary>Four letters as the first four bytes of a connection are answered in text, and the connection ends (zookeeper.md §3.4).</summary>
internal sealed class FourLetterWords(ZooKeeperFace face, ISessions sessions, IMemberFigures? figures)
{
    private const string NotServing = "This ZooKeeper instance is not currently serving requests\n";
    private static readonly string[] s_words = ["ruok", "isro", "srvr", "stat", "mntr", "conf", "cons", "envi", "wchs", "wchc", "wchp", "crst", "srst", "dirs"];
    private static readonly CultureInfo s_plain = CultureInfo.InvariantCulture;

    /// <summary>The four bytes, read as a frame's length, are a word. (No frame is that long.)</summary>
    public static bool IsWord(int length) => WordOf(length) is not null;

    public void Answer(int length, ByteWriter into)
    {
        string word = WordOf(length)!;
        string allowed = face.Options.FourLetterWords;
        bool listed = allowed.Trim() == "*" || allowed.Split(',', StringSplitOptions.TrimEntries).Any(w => w is "*" || w == word);
        string text = !listed ? word + " is not executed because it is not in the whitelist.\n"
            : word is "ruok" ? "imok"
            : word is "isro" ? sessions.Serving ? "rw" : "null"
            : word is "envi" ? Environment()
            : !sessions.Serving ? NotServing
            : Tell(word);
        into.Bytes(Encoding.UTF8.GetBytes(text));
    }

    private string Tell(string word)
    {
        var text = new StringBuilder();
        switch (word)
        {
            case "srvr":
                Version(text);
                Server(text);
                break;
            case "stat":
                Version(text);
                text.Append("Clients:\n");
                Connections(text, whole: false);
                text.Append('\n');
                Server(text);
                break;
            case "cons":
                Connections(text, whole: true);
                text.Append('\n');
                break;
            case "mntr":
                Monitor(text);
                break;
            case "conf":
                Configuration(text);
                break;
            case "wchs":
                text.Append(s_plain, $"{face.WatchingConnections} connections watching {face.WatchedPaths} paths\nTotal watches:{face.WatchCount}\n");
                break;
            case "wchc":
                ByConnection(text);
                break;
            case "wchp":
                ByPath(text);
                break;
            case "crst":
                foreach (var client in face.Slots) client?.ResetFigures();
                text.Append("Connection stats reset.\n");
                break;
            case "srst":
                face.ResetFigures();
                text.Append("Server stats reset.\n");
                break;
            case "dirs":
                text.Append(s_plain, $"datadir_size: {face.Tree.DataBytes}\nlogdir_size: {face.Tree.DataBytes}\n");
                break;
        }
        return text.ToString();
    }

    private string Mode => figures?.Mode ?? (sessions.Alone ? "standalone" : sessions.Leading ? "leader" : "follower");

    private int NodeCount => face.Tree.NodeCount + 1; // ZooKeeper enters the root twice

    private void Version(StringBuilder text) => text.Append(s_plain, $"Zookeeper version: {face.Options.VersionText}\n");

    private void Server(StringBuilder text)
    {
        var latency = face.Latency;
        text.Append(s_plain, $"Latency min/avg/max: {latency.MinMillis}/{latency.AverageMillis:0.####}/{latency.MaxMillis}\n");
        text.Append(s_plain, $"Received: {face.Received}\nSent: {face.Sent}\nConnections: {face.ConnectionCount}\nOutstanding: {Outstanding()}\nZxid: 0x{sessions.LastZxid:x}\nMode: {Mode}\n");
        text.Append(s_plain, $"Node count: {NodeCount}\n");
        if (Mode == "leader") text.Append("Proposal sizes last/min/max: -1/-1/-1\n");
    }

    private int Outstanding()
    {
        int sum = 0;
        foreach (var client in face.Slots) sum += client?.Unapplied ?? 0;
        return sum;
    }

    private void Connections(StringBuilder text, bool whole)
    {
        foreach (var client in face.Slots) client?.Describe(text, whole);
    }

    private void Monitor(StringBuilder text)
    {
        var latency = face.Latency;
        void Line(string key, object value) => text.Append(s_plain, $"zk_{key}\t{value}\n");
        Line("version", face.Options.VersionText);
        Line("server_state", Mode);
        Line("peer_state", Mode == "leader" ? "leading - broadcast" : Mode == "follower" ? "following - broadcast" : Mode);
        Line("avg_latency", latency.AverageMillis.ToString("0.####", s_plain));
        Line("min_latency", latency.MinMillis);
        Line("max_latency", latency.MaxMillis);
        Line("packets_received", face.Received);
        Line("packets_sent", face.Sent);
        Line("num_alive_connections", face.ConnectionCount);
        Line("outstanding_requests", Outstanding());
        Line("znode_count", NodeCount);
        Line("watch_count", face.WatchCount);
        Line("ephemerals_count", face.Tree.EphemeralCount);
        Line("approximate_data_size", face.Tree.DataBytes);
        Line("global_sessions", sessions.SessionCount);
        Line("local_sessions", 0);
        Line("connection_rejected", face.Rejected);
        if (figures is null) return;
        Line("uptime", figures.UptimeMillis);
        Line("term", figures.Term);
        var more = new List<KeyValuePair<string, string>>();
        figures.AddTo(more);
        foreach (var (key, value) in more) Line(key, value);
    }

    private void Configuration(StringBuilder text)
    {
        var o = face.Options;
        string port = o.ClientAddress[(o.ClientAddress.LastIndexOf(':') + 1)..];
        text.Append(s_plain, $"clientPort={port}\nsecureClientPort=-1\ndataDir={o.DataDirectory}\ndataDirSize={face.Tree.DataBytes}\ndataLogDir={o.DataDirectory}\ndataLogSize={face.Tree.DataBytes}\n");
        text.Append(s_plain, $"tickTime={o.TickTimeMillis}\nmaxClientCnxns={o.MaxClientCnxns}\nminSessionTimeout={o.SmallestTimeout}\nmaxSessionTimeout={o.LargestTimeout}\n");
        text.Append(s_plain, $"clientPortListenBacklog=-1\nserverId={sessions.Self.Value}\n");
    }

    private string Environment()
    {
        var text = new StringBuilder("Environment:\n");
        text.Append(s_plain, $"zookeeper.version={face.Options.VersionText}\nhost.name=localhost\njava.version=none\njava.vendor=Quorate\njava.home=\njava.class.path=\njava.library.path=\njava.io.tmpdir=\njava.compiler=\n");
        text.Append(s_plain, $"os.name={RuntimeInformation.OSDescription}\nos.arch={RuntimeInformation.OSArchitecture}\nos.version=\nuser.name=\nuser.home=\nuser.dir={face.Options.DataDirectory}\n");
        return text.ToString();
    }

    private void ByConnection(StringBuilder text)
    {
        var paths = new List<string>();
        foreach (var client in face.Slots)
        {
            if (client is null || face.Watches.CountOf(client.Slot) == 0) continue;
            paths.Clear();
            face.Watches.PathsOf(client.Slot, paths);
            text.Append(s_plain, $"0x{client.SessionId:x}\n");
            foreach (string path in paths) text.Append(s_plain, $"\t{path}\n");
        }
        text.Append('\n');
    }

    private void ByPath(StringBuilder text)
    {
        var rows = new List<(string Path, string Session)>();
        var paths = new List<string>();
        foreach (var client in face.Slots)
        {
            if (client is null) continue;
            paths.Clear();
            face.Watches.PathsOf(client.Slot, paths);
            foreach (string path in paths) rows.Add((path, $"0x{client.SessionId:x}"));
        }
        rows.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path) is var order && order != 0 ? order : string.CompareOrdinal(a.Session, b.Session));
        for (int i = 0; i < rows.Count; i++)
        {
            if (i == 0 || rows[i].Path != rows[i - 1].Path) text.Append(s_plain, $"{rows[i].Path}\n");
            text.Append(s_plain, $"\t{rows[i].Session}\n");
        }
        text.Append('\n');
    }

    private static string? WordOf(int length)
    {
        foreach (string word in s_words)
            if (((word[0] << 24) | (word[1] << 16) | (word[2] << 8) | word[3]) == length) return word;
        return null;
    }
}
