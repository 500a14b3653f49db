using Quorate.Transport.Tests.World;

namespace Quorate.Transport.Tests;

public sealed class MeshAllocationTests
{
    /// <summary>Frames of one peer are received without a byte allocated, and begun and ended without one.</summary>
    [Fact]
    public void Warm_frames_allocate_nothing()
    {
        var notes = new MemoryWorld(1).Add(1, 101);
        var quiet = new Quiet();
        var sink = new Quiet();
        var mesh = new Mesh(sink, notes, new MeshIdentity(new ReplicaId(3), 103, 1, 7, 1, "m3:1"), quiet);
        mesh.Listen("m3:1");
        mesh.SetPeers([(new ReplicaId(1), "m1:1")]);
        mesh.Pump(new Instant(1000, 1));

        // The other end's part, by hand: a welcome on what we dialled, a hello and frames on what it dialled.
        var bytes = new ByteWriter();
        new Greeting(1, 7, new ReplicaId(1), new ReplicaId(3), 101, 1, 0, "", "").Write(bytes, FrameKind.Welcome);
        sink.Dialled!.Owner!.OnConnected(sink.Dialled);
        sink.Dialled.Owner.OnBytes(sink.Dialled, bytes.Written);
        bytes.Clear();
        new Greeting(1, 7, new ReplicaId(1), new ReplicaId(3), 101, 1, 1, "", "").Write(bytes, FrameKind.Hello);
        var incoming = new Bare();
        incoming.Owner = sink.Accept!(incoming);
        incoming.Owner!.OnBytes(incoming, bytes.Written);
        bytes.Clear();
        for (int i = 0; i < 100; i++)
        {
            int start = Frame.Begin(bytes, FrameKind.Protocol);
            bytes.Int64(i);
            Frame.End(bytes, start);
        }

        long allocated = 0, consumed = 0;
        for (int round = 0; round < 200; round++)
        {
            if (round == 100) allocated = GC.GetAllocatedBytesForCurrentThread();
            consumed += incoming.Owner.OnBytes(incoming, bytes.Written);
            for (int i = 0; i < 100; i++)
            {
                mesh.Begin(new ReplicaId(1), FrameKind.Session)!.Int64(i);
                mesh.End(new ReplicaId(1));
            }
            mesh.Pump(new Instant(2000 + round, 2));
            sink.Dialled.Output.Clear();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
        Assert.Equal(200L * bytes.Length, consumed);
        Assert.Equal(20_000, quiet.Frames);
    }

    private sealed class Quiet : IMeshHandler, INetwork
    {
        public int Frames { get; private set; }
        public Bare? Dialled { get; private set; }
        public Func<Connection, IConnectionOwner?>? Accept { get; private set; }
        public void OnLinkUp(ReplicaId peer, ulong directory, ulong run, long link) { }
        public void OnLinkDown(ReplicaId peer) { }
        public void OnFrame(Sender from, FrameKind kind, ReadOnlySpan<byte> body) => Frames++;
        public void OnBulkBegin(Sender from, ReadOnlySpan<byte> header, long length) { }
        public void OnBulkBytes(Sender from, ReadOnlySpan<byte> bytes) { }
        public void OnBulkEnd(Sender from, bool whole) { }
        public void OnRefused(ReplicaId peer, string reason) { }
        public Connection Connect(string address, IConnectionOwner owner) => Dialled = new Bare { Owner = owner };

        public string Listen(string address, Func<Connection, IConnectionOwner?> accept)
        {
            Accept = accept;
            return address;
        }
    }

    private sealed class Bare : Connection
    {
        public override bool Reading { get; set; } = true;
        public override void Flush() { }
        public override void Again() { }
        public override void Close() { }
        public override void Abort() { }
    }
}
