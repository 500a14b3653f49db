using System.Diagnostics;
using Quorate.Transport.Doors;

namespace Quorate.Transport.Tests.Doors;

/// <summary>What the strand costs by itself: a trivial owner, small frames, many in flight. The client is a second strand on the same two cores.</summary>
[Collection("doors")]
public sealed class EchoFigureTests
{
    private const int Frame = 100;

    /// <summary>Answers each frame of 100 bytes with one.</summary>
    private sealed class Server : IConnectionOwner
    {
        private static readonly byte[] s_answer = new byte[Frame];
        public long Frames;
        public void OnConnected(Connection connection) { }
        public void OnClosed(Connection connection, string reason) { }

        public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
        {
            int consumed = 0;
            for (; bytes.Length - consumed >= Frame; consumed += Frame)
            {
                connection.Output.Bytes(s_answer);
                Frames++;
            }
            if (consumed > 0) connection.Flush();
            return consumed;
        }
    }

    private sealed class Load(int inFlight) : IConnectionOwner
    {
        private static readonly byte[] s_request = new byte[Frame];
        public void OnClosed(Connection connection, string reason) { }

        public void OnConnected(Connection connection)
        {
            for (int i = 0; i < inFlight; i++) connection.Output.Bytes(s_request);
            connection.Flush();
        }

        public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
        {
            int consumed = 0;
            for (; bytes.Length - consumed >= Frame; consumed += Frame) connection.Output.Bytes(s_request);
            if (consumed > 0) connection.Flush();
            return consumed;
        }
    }

    [Theory]
    [InlineData("epoll", 30, 16)]
    [InlineData("epoll", 1, 1)]
    [InlineData("managed", 30, 16)]
    public void Echo(string kind, int connections, int inFlight)
    {
        if (kind == "epoll" && !OperatingSystem.IsLinux()) return;
        using var server = new Stage(kind);
        using var client = new Stage(kind);
        var owner = new Server();
        long allocated = 0, bytes = -1;
        server.Pumped.OnPump = _ =>
        {
            bytes = GC.GetAllocatedBytesForCurrentThread();
            return Instant.Never;
        };
        server.Strand.Start();
        client.Strand.Start();
        string address = server.Listen(_ => owner);
        for (int i = 0; i < connections; i++) client.Ask(() => client.Network.Connect(address, new Load(inFlight)));
        Thread.Sleep(1500);
        long frames = Volatile.Read(ref owner.Frames), turns = server.Strand.Turns;
        allocated = Volatile.Read(ref bytes);
        var clock = Stopwatch.StartNew();
        Thread.Sleep(1500);
        double seconds = clock.Elapsed.TotalSeconds;
        frames = Volatile.Read(ref owner.Frames) - frames;
        turns = server.Strand.Turns - turns;
        allocated = Volatile.Read(ref bytes) - allocated;
        Console.WriteLine($"{kind} {connections}x{inFlight}: {frames / seconds / 1000:F0} k ops/s, {(double)frames / turns:F1} frames a turn, {allocated} bytes allocated in {frames} requests");
        Assert.True(frames > 1000);
        // The portable side asks Select, which makes its own arrays at each turn.
        if (kind == "epoll") Assert.InRange(allocated, 0, 4096);
    }
}
