using Quorate.Primitives.Tree;
using Quorate.Runtime.Faces;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>What a request costs: a warm read no byte, an idle connection little.</summary>
public sealed class CostTests
{
    private const int Many = 100_000;

    /// <summary>The least of several tries: a collection that another test causes ends this thread's allocation buffer, and the counter takes the unused rest of it (up to 8 KiB) for allocated.</summary>
    private static long Least(Func<long> allocated)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 6 && least > 0; i++) least = Math.Min(least, allocated());
        return least;
    }

    /// <summary>Feeds the same bytes to a connection again and again, as a door does that reuses its buffers.</summary>
    private static long AllocatedBy(FaceWorld world, RawClient client, byte[] bytes, int times, Action? between = null)
    {
        var connection = client.Connection;
        long before = 0;
        for (int i = -1000; i < times; i++)
        {
            if (i == 0) before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(connection.Owner!.OnBytes(connection, bytes) == bytes.Length);
            between?.Invoke();
            connection.Output.Clear();
            world.Face.Pump(world.Sessions.Now);
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static byte[] Request(int op, Action<ByteWriter> body) => RawClient.RequestFrame(1, op, RawClient.Body(body));

    [Fact]
    public void A_warm_read_allocates_nothing()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/k", new string('x', 100));
        client.Create("/k/child");
        world.Sessions.Forgetful = true;
        foreach (byte[] request in new[]
        {
            Request(OpCode.GetData, RawClient.PathFlag("/k")),
            Request(OpCode.Exists, RawClient.PathFlag("/k")),
            Request(OpCode.GetChildren2, RawClient.PathFlag("/k")),
            Request(OpCode.GetAcl, RawClient.Path("/k")),
            Request(OpCode.Exists, RawClient.PathFlag("/none")),
            Request(OpCode.GetData, RawClient.PathFlag("/k", watch: true)),
            Request(OpCode.Ping, _ => { }),
        }) Assert.Equal(0, Least(() => AllocatedBy(world, client, request, Many)));
    }

    [Fact]
    public void Parked_reads_and_forwarded_writes_allocate_nothing_in_the_face()
    {
        var sessions = new SilentSessions();
        var face = new ZooKeeperFace(new DataTree(new TreeOptions()), sessions, new FaceOptions(), new FaceWorld());
        var connection = new FakeConnection(1, "127.0.0.1:1");
        var owner = (ZooKeeperConnection)face.Accept(connection)!;
        owner.OnBytes(connection, RawClient.ConnectFrame());
        owner.OnHandshake(new HandshakeResult { Verdict = HandshakeVerdict.Attached, Session = 5, Password = new byte[16], TimeoutMillis = 10_000 });
        byte[] set = Request(OpCode.SetData, RawClient.Set("/k", new string('x', 100)));
        byte[] requests = [.. set, .. Request(OpCode.GetData, RawClient.PathFlag("/")), .. set, .. Request(OpCode.Sync, RawClient.Path("/"))];
        byte[] result = SetResult();
        Assert.Equal(0, Least(() => Rounds()));

        long Rounds()
        {
            long before = 0;
            for (int i = -1000; i < Many; i++)
            {
                if (i == 0) before = GC.GetAllocatedBytesForCurrentThread();
                owner.OnBytes(connection, requests);
                for (int n = 0; n < 2; n++)
                {
                    owner.BeforeApply();
                    owner.OnApplied(9, result);
                }
                owner.OnSynced(sessions.Tokens);
                Assert.True(connection.Output.Length > 0);
                connection.Output.Clear();
                face.Pump(default);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static byte[] SetResult()
    {
        var tree = new DataTree(new TreeOptions());
        var request = new ByteWriter();
        TreeRequests.Begin(request, Identities.OfAddress("127.0.0.1"));
        TreeRequests.SetData(request, "/zookeeper"u8, default, false, -1);
        var transaction = new ByteWriter();
        tree.Prepare(new PrepareContext(1, 5, 0, 10_000), request.Written, transaction);
        var result = new ByteWriter();
        tree.Apply(new ApplyContext(1, 1, 0, 5, true), transaction.Written, new NoSink(), result);
        return result.Written.ToArray();
    }

    [Fact]
    public void An_idle_connection_holds_under_a_kibibyte_of_the_face()
    {
        var sessions = new SilentSessions();
        var face = new ZooKeeperFace(new DataTree(new TreeOptions()), sessions, new FaceOptions(), new FaceWorld());
        var doors = Enumerable.Range(0, 10_000).Select(i => new FakeConnection(i, "127.0.0.1:" + i)).ToArray();
        byte[] connect = RawClient.ConnectFrame();
        long before = GC.GetTotalMemory(true);
        var owners = new ZooKeeperConnection[doors.Length];
        for (int i = 0; i < doors.Length; i++)
        {
            owners[i] = (ZooKeeperConnection)face.Accept(doors[i])!;
            owners[i].OnBytes(doors[i], connect);
            owners[i].OnHandshake(new HandshakeResult { Verdict = HandshakeVerdict.Attached, Session = i + 1, Password = new byte[16], TimeoutMillis = 10_000 });
            doors[i].Output.Release();
        }
        sessions.NowIs = new Instant(60_000_000, 0);
        face.Pump(sessions.Now);
        long each = (GC.GetTotalMemory(true) - before) / doors.Length;
        Assert.InRange(each, 1, 1024);
        GC.KeepAlive(face);
        GC.KeepAlive(owners);
    }

    private sealed class NoSink : IApplySink
    {
        public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access) { }
    }

    /// <summary>Takes everything and says nothing, without a byte of its own.</summary>
    private sealed class SilentSessions : ISessions
    {
        public long Tokens { get; private set; }
        public Instant NowIs { get; set; }
        public ReplicaId Self => new(1);
        public bool Serving => true;
        public bool Leading => true;
        public bool Alone => true;
        public bool HasRoom => true;
        public bool WindowOpen => true;
        public long LastZxid => 9;
        public int SessionCount => 1;
        public int MaxRequestBytes => 4_000_000;
        public Instant Now => NowIs;
        public void Open(SessionConnection connection, int timeoutMillis) { }
        public void Attach(SessionConnection connection, long session, ReadOnlySpan<byte> password, int timeoutMillis) { }
        public void Write(SessionConnection connection, ReadOnlySpan<byte> request) { }
        public void CloseSession(SessionConnection connection) { }
        public long Sync(SessionConnection connection) => ++Tokens;
        public void Touch(SessionConnection connection) { }
        public void Gone(SessionConnection connection) { }
    }
}
