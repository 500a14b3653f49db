using System.Globalization;
using System.Text;
using Quorate.Simulation.Served;
using Quorate.Simulation.Time;
using Quorate.ZooKeeper;
using Quorate.ZooKeeper.Client;

namespace Quorate.Simulation.Scenarios;

/// <summary>One machine with a client of ZooKeeper's wire that does what the script says and tells what it hears.</summary>
internal sealed partial class ScriptedClient : IClientListener
{
    private const long AnswerPatience = 5_000_000;
    private readonly ScriptedWorld _world;
    private readonly ClientTurns _turns;
    private readonly SortedDictionary<long, string> _asked = [];
    private readonly SortedDictionary<string, long> _owned = new(StringComparer.Ordinal); // ephemeral nodes and the sessions that made them
    private readonly SimClock _clock;
    private long _clockBegins, _tag, _session;
    private bool _expired;

    public ScriptedClient(ScriptedWorld world, string name, long clockBegins, IReadOnlyList<string> servers, int timeoutMillis)
    {
        _world = world;
        Name = name;
        _clockBegins = clockBegins;
        _clock = new SimClock(clockBegins, 0, 1_700_000_000_000);
        _turns = new ClientTurns(world.Fabric, _clock);
        Client = new ZooKeeperClient(_turns.Network, new ClientOptions { Servers = servers, KeepOrder = true, SessionTimeoutMillis = timeoutMillis, Seed = 1, LongestPauseMillis = 200, ConnectMillis = 700 }, this);
        _turns.Client = Client;
    }

    public string Name { get; }
    public ZooKeeperClient Client { get; }
    public int Machine => _turns.Network.Number;
    public bool Waits => _asked.Count > 0;

    /// <summary>Sessions that it had; the last one is the present one.</summary>
    public List<long> Sessions { get; } = [];

    /// <summary>Events since they were last expected.</summary>
    public List<string> Events { get; } = [];

    /// <summary>The last answer.</summary>
    public string LastReply { get; private set; } = "nothing";

    /// <summary>The session that was over was the last one, and nothing has begun anew.</summary>
    public bool Expired => _expired;

    private long Now => _world.Schedule.NowMicros;

    /// <summary>Begins, with another's session when one is given.</summary>
    public void Begin(ScriptedClient? heir)
    {
        if (heir is null) Client.Start(_turns.Now);
        else Client.Start(_turns.Now, heir.Client.Session, heir.Client.Password);
        _turns.WakeAt(Now + 1);
    }

    /// <summary>SIGSTOP. Who does not run believes nothing, until it is connected anew.</summary>
    public void PauseFor(long micros)
    {
        foreach (string path in _owned.Keys) _world.Locks.Doubts(path, Name);
        _turns.PausedUntil = Now + micros;
    }

    /// <summary>The machine is suspended, its monotone clock with it: the client does not know that it slept.</summary>
    public void SleepFor(long micros)
    {
        PauseFor(micros);
        _clockBegins -= micros;
        _world.Schedule.After(micros, () => _clock.Restart(_clockBegins));
    }

    public void OnState(ZooKeeperClient client, ClientState state)
    {
        switch (state)
        {
            case ClientState.Connected:
                bool same = client.Session == _session;
                _world.Say($"{Name} connected to {_world.NameAt(client.Server)}{(_session == 0 ? "" : same ? ", same session" : ", new session")}");
                if (!same) Sessions.Add(client.Session);
                _session = client.Session;
                _expired = false;
                RemembersItsLocks();
                break;
            case ClientState.Expired:
                _world.Say($"{Name}'s session is over");
                _expired = true;
                ForgetsItsLocks();
                break;
            case ClientState.Closed:
                _world.Say($"{Name} closed");
                ForgetsItsLocks();
                break;
            default:
                if (_session != 0 && !_expired) _world.Say($"{Name} lost its connection to {_world.NameAt(client.Server)}");
                foreach (string path in _owned.Keys) _world.Locks.Doubts(path, Name);
                break;
        }
    }

    public void OnEvent(ZooKeeperClient client, int type, ReadOnlySpan<byte> path, long zxid)
    {
        string what = type switch
        {
            WatchEvent.Created => "created",
            WatchEvent.Deleted => "deleted",
            WatchEvent.DataChanged => "changed",
            _ => "children",
        } + " " + Encoding.UTF8.GetString(path);
        Events.Add(what);
        _world.Say($"{Name} event: {what}");
    }

    public void OnReply(ZooKeeperClient client, in ClientReply reply)
    {
        if (!_asked.Remove(reply.Tag, out string? asked)) return;
        LastReply = Tell(reply);
        _world.Say($"{Name} {asked}: {LastReply}");
        string[] words = asked.Split(' ');
        if (reply.Ok && words[0] == "create" && words.Contains("ephemeral") && !words.Contains("sequential"))
        {
            _owned[words[1]] = client.Session;
            _world.Locks.Believes(words[1], Name);
        }
    }

    /// <summary>Connected with the session that made a node, it believes that the node is there.</summary>
    private void RemembersItsLocks()
    {
        foreach (var (path, session) in _owned)
            if (session == Client.Session) _world.Locks.Believes(path, Name);
    }

    private void ForgetsItsLocks()
    {
        foreach (string path in _owned.Keys) _world.Locks.Doubts(path, Name);
        _owned.Clear();
    }

    private string Tell(in ClientReply reply)
    {
        if (!reply.Ok && !(reply.Op == OpCode.Exists && reply.Error == ErrorCode.NoNode)) return ErrorOf(reply.Error);
        return reply.Op switch
        {
            OpCode.Create => Encoding.UTF8.GetString(reply.Path),
            OpCode.GetData => string.Create(CultureInfo.InvariantCulture, $"{Shorten(Encoding.UTF8.GetString(reply.Data))}, version {reply.Stat.Version}"),
            OpCode.SetData => string.Create(CultureInfo.InvariantCulture, $"ok, version {reply.Stat.Version}"),
            OpCode.Exists when !reply.Ok => "no such node",
            OpCode.Exists => reply.Stat.EphemeralOwner == 0 ? "yes" : $"yes, {_world.OwnerOf(reply.Stat.EphemeralOwner)}'s",
            OpCode.GetChildren => reply.Names() is { Length: > 0 } names ? Shorten(string.Join(' ', names.Order(StringComparer.Ordinal)), names.Length) : "none",
            _ => "ok",
        };
    }

    private static string Shorten(string text, int count = 0) =>
        text.Length == 0 ? "\"\"" : text.Length <= 60 ? text : count > 0 ? string.Create(CultureInfo.InvariantCulture, $"{count} names") : string.Create(CultureInfo.InvariantCulture, $"{text[..12]}… ({text.Length} bytes)");

    private static string ErrorOf(int error) => error switch
    {
        ErrorCode.ConnectionLoss => "connection lost",
        ErrorCode.SessionExpired => "session expired",
        ErrorCode.NoNode => "no such node",
        ErrorCode.NodeExists => "it exists",
        ErrorCode.BadVersion => "bad version",
        ErrorCode.NotEmpty => "not empty",
        ErrorCode.SystemError => "refused: system error",
        _ => string.Create(CultureInfo.InvariantCulture, $"error {error}"),
    };
}
