using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper.Tests.Ground;

/// <summary>A face over a real tree and fake sessions, with clients that speak raw bytes.</summary>
public sealed class FaceWorld : INotes
{
    private readonly List<RawClient> _clients = [];
    private long _numbers;

    public FaceWorld(FaceOptions? options = null, TreeOptions? tree = null, bool atOnce = true)
    {
        Tree = new DataTree(tree ?? new TreeOptions());
        Sessions = new FakeSessions(Tree) { AtOnce = atOnce };
        Face = new ZooKeeperFace(Tree, Sessions, options ?? new FaceOptions(), this);
        Sessions.Face = Face;
    }

    public DataTree Tree { get; }
    public FakeSessions Sessions { get; }
    public ZooKeeperFace Face { get; }
    public List<string> Lines { get; } = [];

    public void Note(int level, string text) => Lines.Add(text);

    public RawClient Accept(string remote = "127.0.0.1:40000")
    {
        var connection = new FakeConnection(++_numbers, remote);
        var owner = Face.Accept(connection);
        connection.Owner = owner;
        if (owner is null) connection.Close();
        var client = new RawClient(this, connection);
        _clients.Add(client);
        return client;
    }

    /// <summary>A client with a session.</summary>
    public RawClient Connect(string remote = "127.0.0.1:40000")
    {
        var client = Accept(remote);
        client.Send(RawClient.ConnectFrame());
        if (!Sessions.AtOnce) Sessions.ApplyAll();
        client.Turn();
        client.TakeHandshake();
        return client;
    }

    /// <summary>One turn: the face is pumped, then everybody's input is read once.</summary>
    public void Turn()
    {
        Face.Pump(Sessions.Now);
        foreach (var client in _clients) client.Connection.Turn();
        if (Sessions.AtOnce) Sessions.AnswerSyncs();
    }

    public void Pass(int millis) => Sessions.Now = new Instant(Sessions.Now.Micros + millis * 1000L, Sessions.Now.WallMillis + millis);
}
