using System.Net.Sockets;
using System.Runtime.InteropServices;
using Quorate.Transport.Doors;

namespace Quorate.Transport.Tests.Doors;

[Collection("doors")]
public sealed partial class ManyConnectionsTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft, Hard;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, ref Limit limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, ref Limit limit);

    private const int Descriptors = 7;

    /// <summary>Both ends are in this process, so 4,500 connections are 9,000 descriptors; the client ends are bare descriptors that cost no managed bytes.</summary>
    [Fact]
    public void Idle_connections_cost_under_a_kibibyte_each()
    {
        if (!OperatingSystem.IsLinux()) return;
        var limit = default(Limit);
        getrlimit(Descriptors, ref limit);
        var before = limit;
        limit.Soft = limit.Hard;
        setrlimit(Descriptors, ref limit);
        int count = (int)Math.Min(10_000, (limit.Soft - 500) / 2);
        var clients = new List<Descriptor>(count);
        try
        {
            using var stage = new Stage("epoll");
            stage.Strand.Start();
            var owner = Owner.Echo();
            string address = stage.Listen(_ => owner);
            long held = GC.GetTotalMemory(true);
            Dial(address, count, clients);
            Stage.Until(() => stage.Ask(() => stage.Network.Count) == count, "all accepted");
            long each = (GC.GetTotalMemory(true) - held) / count;
            Assert.InRange(each, 1, 600);
            Assert.InRange(stage.Ask(() => 1), 1, 1);
            long turns = stage.Strand.Turns;
            Thread.Sleep(300);
            Assert.InRange(stage.Strand.Turns - turns, 0, 2);
            Console.WriteLine($"{count} idle connections: {each} managed bytes each");
        }
        finally
        {
            foreach (var client in clients) client.Dispose();
            setrlimit(Descriptors, ref before);
        }
    }

    private static unsafe void Dial(string address, int count, List<Descriptor> clients)
    {
        var to = System.Net.IPEndPoint.Parse(address).Serialize();
        for (int i = 0; i < count; i++)
        {
            var client = new Descriptor(Libc.socket(Libc.AF_INET, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0));
            clients.Add(client);
            fixed (byte* bytes = to.Buffer.Span) Assert.Equal(0, Libc.connect(client.Number, bytes, to.Size));
        }
    }

    /// <summary>Out of descriptors: one note, no spin, and accepting goes on when there are some again.</summary>
    [Fact]
    public void Running_out_of_descriptors_pauses_accepting()
    {
        if (!OperatingSystem.IsLinux()) return;
        var before = default(Limit);
        getrlimit(Descriptors, ref before);
        using var stage = new Stage("epoll");
        stage.Strand.Start();
        string address = stage.Listen(_ => Owner.Echo());
        using var first = Stage.Client(address);
        first.Send("x"u8);
        Stage.ReadAll(first, 1);
        using var second = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
        long turns;
        try
        {
            var none = before with { Soft = 3 };
            setrlimit(Descriptors, ref none);
            second.Connect(System.Net.IPEndPoint.Parse(address));
            Thread.Sleep(350);
            turns = stage.Strand.Turns;
            Thread.Sleep(500);
            turns = stage.Strand.Turns - turns;
        }
        finally
        {
            setrlimit(Descriptors, ref before);
        }
        Assert.InRange(turns, 1, 20);
        Assert.Contains("cannot accept connections for 100 ms: Too many open files", Assert.Single(stage.Notes.Texts, text => text.StartsWith("cannot accept", StringComparison.Ordinal)));
        second.Send("y"u8);
        Assert.Equal("y"u8.ToArray(), Stage.ReadAll(second, 1));
    }
}
