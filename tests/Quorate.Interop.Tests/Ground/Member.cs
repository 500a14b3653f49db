using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Interop.Tests.Ground;

/// <summary>What a member is started with, in words that both servers understand.</summary>
internal sealed record Setting
{
    public int TickTime { get; init; } = 2000;
    /// <summary>Container and TTL sweep, ms; 0 leaves the default of a minute.</summary>
    public int SweepMs { get; init; }
    /// <summary>Password of the super user, whose digest both servers are given.</summary>
    public const string SuperPassword = "test";
    public const string SuperDigest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";
    public bool ExtendedTypes { get; init; } = true;
    public IReadOnlyList<string> More { get; init; } = [];
    public int FileLimit { get; init; }
}

/// <summary>One real server process, ZooKeeper's or ours; it can be killed, paused and started again on its data.</summary>
internal abstract class Member(string directory, int id, Setting setting) : IDisposable
{
    public string Directory { get; } = directory;
    public int Id { get; } = id;
    public Setting Setting { get; } = setting;
    public int Port { get; protected init; }
    public Child? Child { get; protected set; }
    public abstract bool IsZooKeeper { get; }
    public string Address => "127.0.0.1:" + Port.ToString(CultureInfo.InvariantCulture);
    public bool Runs => Child is { HasExited: false };
    protected int Starts { get; private set; }

    public void Start()
    {
        if (Runs) throw new InvalidOperationException("member runs already");
        Child?.Dispose();
        Child = Spawn(Path.Combine(Directory, "run" + (++Starts).ToString(CultureInfo.InvariantCulture)));
    }

    protected abstract Child Spawn(string directory);

    public void Kill() => Child!.KillHard();
    public void Pause() => Child!.Signal(Ground.Child.SigStop);
    public void Continue() => Child!.Signal(Ground.Child.SigCont);

    /// <summary>SIGTERM and its exit code.</summary>
    public int Stop(double seconds = 10)
    {
        Child!.Signal(Ground.Child.SigTerm);
        if (!Child.WaitForExit(seconds)) throw new InvalidOperationException("SIGTERM did not end member " + Id + " in " + seconds + " s\n" + Words());
        return Child.ExitCode;
    }

    public void Dispose()
    {
        Child?.Dispose();
        // Here and not at the end of the run: the host of the tests gives that too little time for gigabytes of segments.
        if (Environment.GetEnvironmentVariable("QUORATE_INTEROP_KEEP") is null && System.IO.Directory.Exists(Directory)) System.IO.Directory.Delete(Directory, true);
    }

    public string Words() => Child is null ? "" : "--- out\n" + Tail(Child.OutText) + "\n--- err\n" + Tail(Child.ErrText);

    private static string Tail(string s) => s.Length > 3000 ? s[^3000..] : s;

    /// <summary>Sends raw bytes on a fresh connection and returns all text until the end of the stream.</summary>
    public string Word(string word, double seconds = 5)
    {
        using var s = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)(seconds * 1000), SendTimeout = (int)(seconds * 1000) };
        s.Connect(IPAddress.Loopback, Port);
        s.Send(Encoding.ASCII.GetBytes(word));
        var all = new MemoryStream();
        var buffer = new byte[65536];
        try
        {
            for (int n; (n = s.Receive(buffer)) > 0;) all.Write(buffer, 0, n);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What came before a reset is still the answer: closing with unread bytes makes the kernel reset.
        }
        return Encoding.UTF8.GetString(all.ToArray());
    }

    /// <summary>leader, follower, standalone, or "" while it does not serve.</summary>
    public string Role()
    {
        try
        {
            var text = Word("srvr", 2);
            var at = text.IndexOf("Mode: ", StringComparison.Ordinal);
            return at < 0 ? "" : text[(at + 6)..].Split('\n')[0].Trim();
        }
        catch (SocketException)
        {
            return "";
        }
    }

    public void WaitUntilServing(double seconds)
    {
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (Role().Length == 0)
        {
            if (Child is null || Child.HasExited) throw new InvalidOperationException("member " + Id + " ended, exit code " + Child?.ExitCode + "\n" + Words());
            if (DateTime.UtcNow > end) throw new InvalidOperationException("member " + Id + " does not serve after " + seconds + " s\n" + Words());
            Thread.Sleep(30);
        }
    }
}

/// <summary>Debian's ZooKeeper 3.8.0.</summary>
internal sealed class ZooKeeperMember : Member
{
    private static readonly string[] Jars = ("zookeeper zookeeper-jute slf4j-api slf4j-nop logback-classic logback-core log4j-1.2-api commons-cli commons-io commons-lang commons-lang3 metrics-core snappy-java snappy "
        + "netty-handler netty-all netty-buffer netty-common netty-transport netty-codec netty-resolver netty jetty-server jetty-servlet jetty-http jetty-io jetty-util jetty-util-ajax jetty-security servlet-api "
        + "jackson-core jackson-databind jackson-annotations jline2 jline audience-annotations").Split(' ');

    private readonly (int Client, int Peer, int Election)[] _ports;

    public ZooKeeperMember(string directory, int id, Setting setting, (int Client, int Peer, int Election)[] ports) : base(directory, id, setting)
    {
        _ports = ports;
        Port = ports[id - 1].Client;
    }

    public override bool IsZooKeeper => true;

    public static string ClassPath => string.Join(':', Jars.Select(j => "/usr/share/java/" + j + ".jar").Where(File.Exists));

    protected override Child Spawn(string directory)
    {
        Missing.Demand(Needs.ZooKeeper);
        var data = Path.Combine(Directory, "data");
        System.IO.Directory.CreateDirectory(data);
        File.WriteAllText(Path.Combine(data, "myid"), Id.ToString(CultureInfo.InvariantCulture));
        var cfg = new StringBuilder($"tickTime={Setting.TickTime}\ninitLimit=10\nsyncLimit=5\nclientPort={Port}\nclientPortAddress=127.0.0.1\ndataDir={data}\nadmin.enableServer=false\n4lw.commands.whitelist=*\nmaxClientCnxns=0\nextendedTypesEnabled={(Setting.ExtendedTypes ? "true" : "false")}\n");
        if (_ports.Length > 1)
            for (var i = 0; i < _ports.Length; i++)
                cfg.Append($"server.{i + 1}=127.0.0.1:{_ports[i].Peer}:{_ports[i].Election}\n");
        var file = Path.Combine(Directory, "zoo.cfg");
        File.WriteAllText(file, cfg.ToString());
        var command = new List<string>
        {
            "/usr/bin/java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", ClassPath, "-Dzookeeper.admin.enableServer=false",
            "-Dzookeeper.DigestAuthenticationProvider.superDigest=" + Setting.SuperDigest,
        };
        if (Setting.SweepMs > 0) command.Add("-Dznode.container.checkIntervalMs=" + Setting.SweepMs.ToString(CultureInfo.InvariantCulture));
        command.AddRange(["org.apache.zookeeper.server.quorum.QuorumPeerMain", file]);
        return new Child(directory, command, null, 900, Setting.FileLimit);
    }
}

/// <summary>./quorate serve, started as DESIGN §8 says and as shared/tools/ensemble.py does.</summary>
internal sealed class QuorateMember : Member
{
    private readonly (int Client, int Peer, int Http)[] _ports;

    public QuorateMember(string directory, int id, Setting setting, (int Client, int Peer, int Http)[] ports) : base(directory, id, setting)
    {
        _ports = ports;
        Port = ports[id - 1].Client;
    }

    public override bool IsZooKeeper => false;
    public int HttpPort => _ports[Id - 1].Http;
    public int PeerPort => _ports[Id - 1].Peer;
    public string DataDirectory { get; init; } = "";
    public string Data => DataDirectory.Length > 0 ? DataDirectory : Path.Combine(Directory, "data");

    public List<string> Command()
    {
        var command = new List<string> { Mode.Quorate, "serve", "--data", Data, "--zookeeper", Address, "--http", "127.0.0.1:" + HttpPort.ToString(CultureInfo.InvariantCulture), "--pid-file", PidFile };
        if (_ports.Length > 1)
            command.AddRange(["--id", Id.ToString(CultureInfo.InvariantCulture), "--members", string.Join(',', _ports.Select((p, i) => $"{i + 1}=127.0.0.1:{p.Peer}"))]);
        command.AddRange(["--set", "tickTime=" + Setting.TickTime.ToString(CultureInfo.InvariantCulture), "--set", "DigestAuthenticationProvider.superDigest=" + Setting.SuperDigest]);
        if (Setting.SweepMs > 0) command.AddRange(["--set", "znode.container.checkIntervalMs=" + Setting.SweepMs.ToString(CultureInfo.InvariantCulture)]);
        if (!Setting.ExtendedTypes) command.AddRange(["--set", "extendedTypesEnabled=false"]);
        command.AddRange(Setting.More);
        return command;
    }

    public string PidFile => Path.Combine(Directory, "pid");

    protected override Child Spawn(string directory)
    {
        if (!File.Exists(Mode.Quorate)) throw new InvalidOperationException("there is no " + Mode.Quorate);
        return new Child(directory, Command(), PidFile, 900, Setting.FileLimit);
    }

    /// <summary>The line `ready: id=1 zookeeper=HOST:PORT http=HOST:PORT`.</summary>
    public string? ReadyLine => Child?.OutText.Split('\n').FirstOrDefault(l => l.StartsWith("ready: ", StringComparison.Ordinal));
}
