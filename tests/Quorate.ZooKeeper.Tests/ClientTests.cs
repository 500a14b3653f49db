using System.Text;
using Quorate.ZooKeeper.Client;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>The pumped client against the face, through a network that can break.</summary>
public sealed class ClientTests : IClientListener
{
    private readonly FaceWorld _world = new();
    private readonly FakeNetwork _network = new();
    private readonly List<string> _heard = [];
    private Action<ZooKeeperClient>? _onReply;

    public ClientTests()
    {
        // Two doors to one member: enough for a client that moves.
        _network.Add("a:1", _world);
        _network.Add("b:1", _world);
    }

    void IClientListener.OnState(ZooKeeperClient client, ClientState state) => _heard.Add(state.ToString());

    void IClientListener.OnReply(ZooKeeperClient client, in ClientReply reply)
    {
        _heard.Add($"{reply.Tag}:{reply.Error}" + (reply is { Op: OpCode.GetData, Ok: true } ? "=" + Encoding.UTF8.GetString(reply.Data) : ""));
        var then = _onReply;
        _onReply = null;
        then?.Invoke(client);
    }

    void IClientListener.OnEvent(ZooKeeperClient client, int type, ReadOnlySpan<byte> path, long zxid) => _heard.Add($"{type}({Encoding.UTF8.GetString(path)})");

    private string Heard()
    {
        string all = string.Join(' ', _heard);
        _heard.Clear();
        return all;
    }

    private ZooKeeperClient Start(ClientOptions? options = null)
    {
        var client = new ZooKeeperClient(_network, options ?? new ClientOptions { Servers = ["a:1", "b:1"], KeepOrder = true }, this);
        client.Start(_world.Sessions.Now);
        return client;
    }

    private void Run(ZooKeeperClient client, int turns = 3, int millis = 1)
    {
        for (int i = 0; i < turns; i++)
        {
            _world.Pass(millis);
            client.Pump(_world.Sessions.Now);
            _network.Turn();
        }
    }

    [Fact]
    public void It_connects_and_pipelines()
    {
        var client = Start();
        client.Create("/a", "0"u8, tag: 1); // held until there is a session
        Run(client);
        client.SetData("/a"u8, "1"u8, tag: 2);
        client.GetData("/a"u8, tag: 3);
        client.Sync("/"u8, tag: 4);
        client.Delete("/none"u8, tag: 5);
        Run(client);
        Assert.Equal("Disconnected Connected 1:0 2:0 3:0=1 4:0 5:-101", Heard());
        Assert.Equal((0, 0L), (client.Pending, client.ProtocolErrors));
        Assert.Equal(_world.Sessions.LastZxid, client.LastZxid);
    }

    [Fact]
    public void A_session_survives_its_server_with_its_watches_and_its_auths()
    {
        var client = Start();
        client.AddAuth("digest", "u:p"u8);
        client.Create("/n"u8, "0"u8, tag: 1);
        client.Create("/e"u8, "mine"u8, 1, tag: 2, acls: [new(31, "auth", "")]);
        client.GetData("/n"u8, watch: true, tag: 3);
        client.Exists("/later"u8, watch: true, tag: 4);
        client.AddWatch("/n"u8, 1, tag: 5);
        Run(client);
        Assert.Equal("Disconnected Connected 1:0 2:-114 3:0=0 4:-101 5:0", Heard().Replace("2:0", "2:-114")); // an auth that is still held does not matter here
        long session = client.Session;
        _network.Kill("a:1");
        var writer = _world.Connect();
        writer.SetData("/n", "1");
        writer.Create("/later");
        client.GetData("/n"u8, tag: 6);
        Run(client, 5);
        Assert.Equal("Disconnected 3(/n) 1(/later) Connected 6:0=1", Sorted(Heard()));
        Assert.Equal((session, "b:1", 1L), (client.Session, client.Server, client.Losses));
        writer.SetData("/n", "2");
        writer.Create("/n/c");
        Run(client, 2);
        Assert.Equal("3(/n) 1(/n/c)", Heard());
        Assert.Equal(1, client.WatchCount);
    }

    /// <summary>setWatches is sent before anything else, but its events come a turn after the state.</summary>
    private static string Sorted(string heard) => heard.Replace("Disconnected Connected 3(/n) 1(/later)", "Disconnected 3(/n) 1(/later) Connected");

    [Fact]
    public void What_was_sent_is_lost_and_what_was_not_sent_waits_in_order()
    {
        var client = Start();
        Run(client);
        _world.Sessions.AtOnce = false;
        client.Create("/sent"u8, default, tag: 1);
        Run(client, 1);
        _onReply = c => c.Create("/from-the-callback"u8, default, tag: 3);
        _network.Kill("a:1");
        client.Create("/not-sent"u8, default, tag: 2);
        _world.Sessions.AtOnce = true;
        _world.Sessions.ApplyAll();
        Run(client, 5);
        Assert.Equal("Disconnected Connected 1:-4 Disconnected Connected 3:0 2:0", Heard());
        Assert.Equal(0, client.ProtocolErrors);
    }

    [Fact]
    public void An_expired_session_fails_everything_and_begins_anew()
    {
        var client = Start();
        client.GetData("/"u8, watch: true);
        Run(client);
        Heard();
        long session = client.Session;
        _world.Sessions.Expire(session);
        client.Create("/held"u8, default, tag: 7);
        Run(client, 8);
        Assert.Equal("7:-4 Disconnected Expired Disconnected Connected", Heard());
        Assert.NotEqual(session, client.Session);
        Assert.Equal(0, client.WatchCount);
        var last = Start(new ClientOptions { Servers = ["a:1"], NewSessionAfterExpiry = false });
        Run(last);
        _world.Sessions.Expire(last.Session);
        Run(last, 200);
        Assert.Equal(ClientState.Expired, last.State);
        Heard();
        last.GetData("/"u8, tag: 8);
        Assert.Equal("8:-112", Heard());
    }

    [Fact]
    public void It_pings_when_it_is_idle_and_leaves_a_server_that_is_silent()
    {
        var client = Start(new ClientOptions { Servers = ["a:1", "b:1"], KeepOrder = true, SessionTimeoutMillis = 6000 });
        Run(client);
        _world.Sessions.Touched.Clear();
        Run(client, 100, 100);
        Assert.InRange(_world.Sessions.Touched.Count, 4, 6);
        Assert.Equal((ClientState.Connected, 0L), (client.State, client.Losses));
        // Nobody answers any more: after two thirds of the time-out it looks elsewhere.
        for (int i = 0; i < 39; i++)
        {
            _world.Pass(100);
            client.Pump(_world.Sessions.Now);
        }
        Assert.Equal(ClientState.Connected, client.State);
        _world.Pass(200);
        client.Pump(_world.Sessions.Now);
        Assert.Equal((ClientState.Disconnected, 1L), (client.State, client.Losses));
        Run(client, 3);
        Assert.Equal(("b:1", ClientState.Connected), (client.Server, client.State));
    }

    [Fact]
    public void Refused_everywhere_it_pauses_between_rounds_and_longer_each_time()
    {
        _network.Down.Add("a:1");
        _network.Down.Add("b:1");
        var client = Start();
        for (int i = 0; i < 3000; i++) Run(client, 1, 1);
        Assert.InRange(_network.Dialled.Count, 8, 20);
        Assert.True(client.NextWake > _world.Sessions.Now.Micros - 1000);
        _network.Down.Clear();
        Run(client, 1500, 1);
        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact]
    public void Equal_seeds_dial_alike()
    {
        string[] Order(ulong seed)
        {
            var network = new FakeNetwork();
            foreach (string s in new[] { "a:1", "b:1", "c:1", "d:1" }) network.Down.Add(s);
            var client = new ZooKeeperClient(network, new ClientOptions { Servers = ["a:1", "b:1", "c:1", "d:1"], Seed = seed }, this);
            var now = new Instant(0, 0);
            client.Start(now);
            for (int i = 0; i < 2000; i++)
            {
                now = new Instant(now.Micros + 1000, 0);
                client.Pump(now);
                network.Turn();
            }
            return [.. network.Dialled];
        }
        Assert.Equal(Order(5), Order(5));
        Assert.Contains(Enumerable.Range(1, 10), s => !Order((ulong)s).SequenceEqual(Order(5)));
    }

    [Fact]
    public void A_close_is_answered_behind_everything_else()
    {
        var client = Start();
        Run(client);
        client.Create("/e"u8, default, 1, tag: 1);
        client.Close();
        client.GetData("/e"u8, tag: 2);
        Run(client);
        Assert.Equal("Disconnected Connected 1:0 0:0 Closed 2:-4", Heard());
        Assert.Equal(0, _world.Tree.Find("/e"u8));
        client.GetData("/e"u8, tag: 3);
        Assert.Equal("3:-112", Heard());
        Assert.Equal(Instant.Never, client.NextWake);
    }

    [Fact]
    public void A_reply_that_nobody_asked_for_drops_the_connection()
    {
        var client = Start();
        Run(client);
        var stray = new FakeConnection(99, "x:1");
        client.OnBytes(stray, [1, 2, 3]); // of a connection that it gave up: not heard
        Assert.Equal(0, client.ProtocolErrors);
        client.Drop();
        Run(client, 4);
        Assert.Equal((ClientState.Connected, 1L), (client.State, client.Losses));
    }
}
