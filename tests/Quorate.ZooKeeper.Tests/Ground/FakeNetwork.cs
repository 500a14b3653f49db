namespace Quorate.ZooKeeper.Tests.Ground;

/// <summary>Joins pumped clients to faces by name: what one side flushed arrives at the other in the next turn. Servers can be down, and connections cut.</summary>
public sealed class FakeNetwork : INetwork
{
    private readonly Dictionary<string, FaceWorld> _servers = [];
    private readonly List<(FakeConnection Client, FakeConnection? Server, FaceWorld? World)> _pairs = [];
    private readonly List<FakeConnection> _toConnect = [], _toRefuse = [];
    private readonly Dictionary<FakeConnection, string> _wanted = [];
    private long _numbers;

    public HashSet<string> Down { get; } = [];
    public List<string> Dialled { get; } = [];

    public void Add(string address, FaceWorld world) => _servers[address] = world;

    public string Listen(string address, Func<Connection, IConnectionOwner?> accept) => address;

    public Connection Connect(string address, IConnectionOwner owner)
    {
        Dialled.Add(address);
        var connection = new FakeConnection(++_numbers, address) { Owner = owner };
        _wanted[connection] = address;
        (Down.Contains(address) ? _toRefuse : _toConnect).Add(connection);
        return connection;
    }

    /// <summary>Every stream to this server breaks, and it takes no more.</summary>
    public void Kill(string address)
    {
        Down.Add(address);
        foreach (var (client, server, world) in _pairs.ToList())
        {
            if (world != _servers[address]) continue;
            _pairs.RemoveAll(p => p.Client == client);
            if (!server!.Over) server.Owner!.OnClosed(server, "killed");
            if (!client.Over) client.Owner!.OnClosed(client, "reset");
        }
    }

    public void Turn()
    {
        foreach (var c in _toRefuse.ToList()) if (!c.Over) c.Owner!.OnClosed(c, "refused");
        _toRefuse.Clear();
        var connecting = _toConnect.ToList();
        _toConnect.Clear();
        foreach (var c in connecting)
        {
            if (c.Over) continue;
            var world = _servers[_wanted[c]];
            _pairs.Add((c, world.Accept("127.0.0.1:" + c.Number).Connection, world));
            c.Owner!.OnConnected(c);
        }
        foreach (var (client, server, world) in _pairs.ToList())
        {
            server!.Arrive(client.TakeOutput());
            if (client.Over && !server.Over)
            {
                server.Turn();
                server.Owner!.OnClosed(server, "closed");
            }
        }
        foreach (var world in _servers.Values) world.Turn();
        foreach (var (client, server, _) in _pairs.ToList())
        {
            if (!client.Over)
            {
                client.Arrive(server!.Aborted ? [] : server.TakeOutput());
                client.Turn();
                if (server.Over && !client.Over) client.Owner!.OnClosed(client, "closed");
            }
            if (server!.Over || client.Over) _pairs.RemoveAll(p => p.Client == client);
        }
    }
}
