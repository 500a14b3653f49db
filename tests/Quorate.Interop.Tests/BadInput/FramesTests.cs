using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;
using Xunit.Abstractions;

namespace Quorate.Interop.Tests.BadInput;

public sealed class LoneMember : IDisposable
{
    private readonly Lazy<Ensemble> _ensemble = new(() => Ensemble.OfThisRun(1, new Setting { FileLimit = Missing.Thing(Needs.ManyFiles) is null ? 15000 : 0 }));

    internal Member Member => _ensemble.Value[0];

    public void Dispose()
    {
        if (_ensemble.IsValueCreated) _ensemble.Value.Dispose();
    }
}

/// <summary>What strangers may send to the client port. The server stays up, stays small, and serves everybody else meanwhile.</summary>
public sealed class FramesTests(LoneMember lone, ITestOutputHelper output) : IClassFixture<LoneMember>
{
    private static readonly int[] Lengths = [-1, int.MinValue, int.MaxValue, 1048576, 0, 1, 7];

    private static long Resident(int pid) => long.Parse(File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    private void StillServes()
    {
        using var s = new RawSession(lone.Member.Port);
        _ = s.Must(Op.Exists, Op.PathWatch("/", false));
        var c = s.Must(Op.Create, Op.CreateBody("/ok-", [], Acl.Open, 3));
        _ = s.Must(Op.Delete, Op.PathVersion(new JuteReader(c.Body).String(), -1));
        s.Close();
    }

    [InteropFact(Needs.Ensemble)]
    public void Garbage()
    {
        var random = new Random(4);
        StillServes();
        var pid = lone.Member.Child!.Pid;
        var before = Resident(pid);
        for (var i = 0; i < 300; i++)
        {
            using var c = new RawConnection(lone.Member.Port);
            try
            {
                if (i % 2 == 0)
                {
                    c.Send(new Hello { TimeOut = 4000 }.ToFrame());
                    _ = c.ReadFrame();
                }
                var junk = new byte[random.Next(1, 5000)];
                random.NextBytes(junk);
                // A third of it in a frame of the right length, so that it is read as a request.
                if (i % 3 == 0 && junk.Length > 4) BinaryPrimitives.WriteInt32BigEndian(junk, junk.Length - 4);
                // A well-framed request of any opcode with a body that means nothing.
                if (i % 4 == 0) c.Send(RawConnection.Request(random.Next(), random.Next(-12, 110), junk));
                else c.Send(junk);
                if (i % 5 == 0) _ = c.ReadToEnd(0.05);
            }
            catch (Exception e) when (e is SocketException or TimeoutException or InvalidDataException)
            {
                // Hung up on, or an answer that we cannot read: either is fine, what counts is that the server lives.
            }
        }
        StillServes();
        Assert.Equal(pid, lone.Member.Child!.Pid);
        Assert.True(Resident(pid) - before < 100 << 20, $"grew from {before} to {Resident(pid)} bytes");
    }

    [InteropFact(Needs.Ensemble)]
    public void Lengths_that_are_none_close_at_once()
    {
        foreach (var inside in new[] { false, true })
            foreach (var n in Lengths)
            {
                using var c = new RawConnection(lone.Member.Port);
                if (inside)
                {
                    c.Send(new Hello { TimeOut = 4000 }.ToFrame());
                    _ = c.ReadFrame();
                }
                var bytes = new byte[4 + Math.Clamp(n, 0, 100)];
                BinaryPrimitives.WriteInt32BigEndian(bytes, n);
                c.Send(bytes);
                Assert.Empty(c.ReadToEnd(30));
            }
        StillServes();
    }

    [InteropFact(Needs.Ensemble)]
    public void Truncated_requests_of_every_kind_are_answered_and_change_nothing()
    {
        using var s = new RawSession(lone.Member.Port);
        _ = s.Must(Op.Create, Op.CreateBody("/cut", "x"u8.ToArray(), Acl.Open, 0));
        (int, byte[])[] requests =
        [
            (Op.Create, Op.CreateBody("/cut/a", "x"u8.ToArray(), Acl.Open, 0)), (Op.Create2, Op.CreateBody("/cut/a", "x"u8.ToArray(), Acl.Open, 0)), (Op.SetData, Op.SetDataBody("/cut", "y"u8.ToArray(), -1)), (Op.Delete, Op.PathVersion("/cut", -1)),
            (Op.SetAcl, Op.SetAclBody("/cut", Acl.Open, -1)), (Op.Exists, Op.PathWatch("/cut", false)), (Op.GetData, Op.PathWatch("/cut", false)), (Op.GetChildren2, Op.PathWatch("/cut", false)), (Op.Multi, Op.MultiBody((Op.SetData, Op.SetDataBody("/cut", [], -1)))),
            (Op.AddWatch, Op.PathVersion("/cut", 0)), (Op.CreateTtl, Op.CreateTtlBody("/cut/t", [], Acl.Open, 5, 1000)), (Op.SetWatches, new JuteWriter().Long(0).Strings(["/cut"]).Strings([]).Strings([]).ToArray()),
        ];
        foreach (var (op, body) in requests)
            for (var n = 0; n < body.Length; n++)
                Assert.True(s.Call(op, body[..n]).Err == -5, $"{Op.Name(op)} cut to {n} of {body.Length} bytes was not answered -5");
        var r = new JuteReader(s.Must(Op.GetData, Op.PathWatch("/cut", false)).Body);
        Assert.Equal("x"u8.ToArray(), r.Buffer());
        var stat = r.Stat();
        Assert.Equal((0, 0), (stat.Version, stat.NumChildren));
        _ = s.Must(Op.Delete, Op.PathVersion("/cut", -1));
        s.Close();
    }

    [InteropFact(Needs.Quorate)]
    public void A_client_that_never_reads_is_hung_up_on_and_memory_stays_bounded()
    {
        using var s = new RawSession(lone.Member.Port);
        _ = s.Must(Op.Create, Op.CreateBody("/fat", new byte[1_000_000], Acl.Open, 0));
        var pid = lone.Member.Child!.Pid;
        var before = Resident(pid);
        using var deaf = new RawConnection(lone.Member.Port, 2);
        deaf.Socket.ReceiveBufferSize = 8192;
        deaf.Send(new Hello { TimeOut = 30000 }.ToFrame());
        var asked = 0;
        var most = before;
        var closed = false;
        var slowest = TimeSpan.Zero;
        var request = RawConnection.Request(1, Op.GetData, Op.PathWatch("/fat", false));
        for (var end = DateTime.UtcNow.AddSeconds(25); DateTime.UtcNow < end && !closed;)
        {
            try
            {
                for (var i = 0; i < 50; i++, asked++) deaf.Send(request);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                // Not read any more: back-pressure. It must end in a hang-up or stay bounded.
            }
            catch (SocketException)
            {
                closed = true;
            }
            most = Math.Max(most, Resident(pid));
            var watch = Stopwatch.StartNew();
            _ = s.Must(Op.Ping, []);
            if (watch.Elapsed > slowest) slowest = watch.Elapsed;
        }
        output.WriteLine($"{asked} requests of 1 MB asked, resident grew by {(most - before) >> 20} MiB, hung up: {closed}, slowest ping of another client {slowest.TotalMilliseconds:0} ms");
        Assert.True(closed, "a client that reads nothing was not hung up on in 25 s");
        Assert.True(most - before < 250L << 20, $"resident grew by {(most - before) >> 20} MiB");
        Assert.True(slowest.TotalSeconds < 2, "another client's ping took " + slowest);
        _ = s.Must(Op.Delete, Op.PathVersion("/fat", -1));
        s.Close();
    }

    private static void PingAll(List<RawConnection> all)
    {
        foreach (var c in all) c.Send(RawConnection.Request(-2, Op.Ping, []));
        foreach (var c in all) Assert.Equal(16, (c.ReadFrame() ?? throw new IOException("an idle connection was closed")).Length);
    }

    [InteropFact(Needs.Ensemble | Needs.ManyFiles)]
    public void Ten_thousand_idle_connections()
    {
        StillServes();
        var pid = lone.Member.Child!.Pid;
        long before = 0;
        var idle = new List<RawConnection>();
        try
        {
            var hello = new Hello { TimeOut = 40000 }.ToFrame();
            for (var i = 0; i < 10000; i++)
            {
                var c = new RawConnection(lone.Member.Port);
                idle.Add(c);
                c.Send(hello);
                if (i % 500 != 499) continue;
                foreach (var each in idle.Skip(i - 499)) Assert.Equal(37, each.ReadFrame(30)!.Length);
                // The first 2,000 also pay for what a young process grows once, whoever comes.
                if (i == 1999) before = Resident(pid);
                // A server that takes a minute for all of them must not expire the first ones meanwhile.
                if (i % 2000 == 1999) PingAll(idle);
            }
            Thread.Sleep(500);
            var grown = Resident(pid) - before;
            output.WriteLine($"10,000 idle sessions: {grown / 8000} bytes of resident memory each");
            StillServes();
            // 2 KiB each, and 4 MiB for what the runtime itself grows by meanwhile (its compiler, its heap's budget): 1,444 to 2,071 were seen.
            if (!Mode.ZooKeeperOnly) Assert.True(grown < 8000 * 2048 + (4 << 20), $"{grown / 8000} bytes each");
            PingAll(idle);
        }
        finally
        {
            foreach (var c in idle) c.Dispose();
        }
        StillServes();
    }
}
