using System.Globalization;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>Members that do not belong: of another cluster, with an id that is taken, and strangers on the peers' port.</summary>
public sealed class StrangersTests
{
    private static void Serves(Member m)
    {
        using var s = new RawSession(m.Port);
        var r = s.Must(Op.Create, Op.CreateBody("/ok-", [], Acl.Open, 2));
        _ = s.Must(Op.Exists, Op.PathWatch(new JuteReader(r.Body).String(), false));
        s.Close();
    }

    private static string Words(Member m) => m.Child!.OutText + m.Child.ErrText;

    /// <summary>It has ended with exit code 2, or it runs and serves nobody.</summary>
    private static void NeverServes(Child c, int port, double seconds)
    {
        for (var end = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < end; Thread.Sleep(100))
        {
            if (c.HasExited)
            {
                Assert.Equal(2, c.ExitCode);
                return;
            }
            using var s = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
            try
            {
                s.Connect("127.0.0.1", port);
            }
            catch (System.Net.Sockets.SocketException)
            {
                continue;
            }
            using var r = new RawConnection(port);
            r.Send(new Hello().ToFrame());
            byte[]? answer = null;
            try
            {
                answer = r.ReadFrame(1);
            }
            catch (TimeoutException)
            {
                // Not answered is not served.
            }
            Assert.Null(answer);
        }
    }

    [InteropFact(Needs.Quorate)]
    public void A_member_of_another_cluster()
    {
        using var ours = Ensemble.Start(false, 3);
        using var theirs = Ensemble.Start(false, 3);
        Serves(ours[0]);
        Serves(theirs[0]);
        var (mine, other) = ((QuorateMember)ours[2], (QuorateMember)theirs[2]);
        mine.Kill();
        other.Kill();
        // Their third member, with their data, is told to join our two.
        var port = Ports.Free();
        using var stranger = new Child(Refusals.Scratch(), [Mode.Quorate, "serve", "--id", "3", "--data", other.Data, "--zookeeper", "127.0.0.1:" + port.ToString(CultureInfo.InvariantCulture), "--http", "none",
            "--members", string.Join(',', ours.Members.Cast<QuorateMember>().Select(m => $"{m.Id}=127.0.0.1:{m.PeerPort}"))], null, 120);
        NeverServes(stranger, port, 6);
        Assert.Contains("cluster", stranger.OutText + stranger.ErrText + Words(ours[0]) + Words(ours[1]), StringComparison.OrdinalIgnoreCase);
        Serves(ours[0]);
        Serves(ours[1]);
        stranger.Dispose();
        mine.Start();
        ours.WaitUntilAllServe();
        Serves(mine);
    }

    [InteropFact(Needs.Quorate)]
    public void An_id_that_is_taken()
    {
        using var e = Ensemble.Start(false, 3);
        var twin = (QuorateMember)e[1];
        var port = Ports.Free();
        var peer = Ports.Free();
        // Same id, empty directory, beside the living member.
        using var child = new Child(Refusals.Scratch(), [Mode.Quorate, "serve", "--id", "2", "--data", Path.Combine(Refusals.Scratch(), "data"), "--zookeeper", "127.0.0.1:" + port.ToString(CultureInfo.InvariantCulture), "--http", "none", "--peer", "127.0.0.1:" + peer.ToString(CultureInfo.InvariantCulture),
            "--members", string.Join(',', e.Members.Cast<QuorateMember>().Select(m => $"{m.Id}=127.0.0.1:{(m == twin ? peer : m.PeerPort)}"))], null, 120);
        NeverServes(child, port, 6);
        foreach (var m in e.Members)
        {
            Assert.True(m.Runs, "member " + m.Id + " ended\n" + m.Words());
            Serves(m);
        }
        Assert.Matches("(?i)(id|member) ?2|another directory|duplicate", child.OutText + child.ErrText + string.Join('\n', e.Members.Select(Words)));
    }

    [InteropFact(Needs.Quorate)]
    public void Garbage_on_the_peers_port()
    {
        using var e = Ensemble.Start(false, 3);
        var random = new Random(9);
        var leader = (QuorateMember)e.Leader();
        for (var i = 0; i < 100; i++)
        {
            using var c = new RawConnection(leader.PeerPort);
            var junk = new byte[random.Next(1, 20000)];
            random.NextBytes(junk);
            try
            {
                c.Send(i % 4 == 0 ? new Hello().ToFrame() : junk);
                if (i % 10 == 0) _ = c.ReadToEnd(0.05);
            }
            catch (Exception x) when (x is System.Net.Sockets.SocketException or TimeoutException)
            {
                // Hung up on, as it should be.
            }
        }
        Assert.Equal(leader, e.Leader());
        foreach (var m in e.Members) Serves(m);
    }
}
