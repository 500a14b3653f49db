using System.Text;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;
using Xunit.Abstractions;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>A disk that is full, and a disk that fails.</summary>
public sealed class DiskTests(ITestOutputHelper output)
{
    private const int Piece = 400_000;

    [InteropFact(Needs.Quorate | Needs.Root)]
    public void A_full_disk_refuses_writes_keeps_everything_and_recovers_by_itself()
    {
        using var disk = TinyDisk.Mount(400);
        using var e = Ensemble.Make(false, 1, new Setting { More = ["--set", "segmentBytes=20971520", "--set", "snapshotDueBytes=33554432"] }, disk.Path);
        e[0].Start();
        e[0].WaitUntilServing(120);
        var ballast = disk.Fill(24 << 20);
        using var s = new RawSession(e[0].Port, 30000);
        var held = 0;
        var refused = 0;
        for (; held < 1500 && refused == 0; held++)
        {
            refused = s.Call(Op.Create, Op.CreateBody("/n" + held, new byte[Piece], Acl.Open, 0), 20).Err;
            if (refused != 0) break;
        }
        output.WriteLine($"{held} nodes of {Piece} bytes were taken, then {refused}; {disk.Free} bytes free");
        Assert.True(refused < 0, "600 MB went onto a disk with 24 MB of room");
        Assert.True(e[0].Runs, "a full disk stopped the member\n" + e.Words());
        _ = s.Must(Op.GetData, Op.PathWatch("/n0", false));
        _ = s.Must(Op.Ping, []);
        // Deleting goes on, out of the first spare segment (sessions.md §4.4).
        Assert.Equal(0, s.Call(Op.Delete, Op.PathVersion("/n0", -1)).Err);
        // Still full: a restart on it works too (storage.md §6.1: the identity's slots exist for that).
        e[0].Kill();
        e[0].Start();
        e[0].WaitUntilServing(60);
        File.Delete(ballast);
        // Until there is room again no session begins (sessions.md §4.4).
        using var again = Patiently(e[0].Port);
        var taken = -1;
        for (var end = DateTime.UtcNow.AddSeconds(30); DateTime.UtcNow < end && taken != 0; Thread.Sleep(200)) taken = again.Call(Op.Create, Op.CreateBody("/after", new byte[Piece], Acl.Open, 0), 20).Err;
        Assert.True(taken == 0, "there is room again, and writes are still refused: " + taken);
        for (var i = 1; i < held; i++) Assert.True(again.Call(Op.Exists, Op.PathWatch("/n" + i, false)).Err == 0, "/n" + i + " was acknowledged and is lost");
    }

    private static RawSession Patiently(int port)
    {
        for (var end = DateTime.UtcNow.AddSeconds(30); ; Thread.Sleep(100))
        {
            try
            {
                return new RawSession(port, 30000);
            }
            catch (IOException) when (DateTime.UtcNow < end)
            {
                // Refused: there is no room yet.
            }
        }
    }

    /// <remarks>strace makes the system call of the living process answer EIO: the nearest thing to a failing disk without a device of our own.</remarks>
    [InteropFact(Needs.Quorate | Needs.Strace)]
    public void A_sync_that_fails_stops_the_member_and_loses_nothing()
    {
        Missing.Demand(Needs.Strace);
        using var e = Ensemble.Start(false, 1);
        using var s = new RawSession(e[0].Port, 30000);
        for (var i = 0; i < 50; i++) _ = s.Must(Op.Create, Op.CreateBody("/n" + i, Encoding.ASCII.GetBytes("x"), Acl.Open, 0));
        using var strace = new Child(Refusals.Scratch(), ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,pwritev2,io_uring_enter", "-e", "inject=fsync,fdatasync,pwritev2:error=EIO", "-p", e[0].Child!.Pid.ToString()], null, 60);
        var end = DateTime.UtcNow.AddSeconds(20);
        while (File.ReadAllText($"/proc/{e[0].Child!.Pid}/status").Contains("TracerPid:\t0\n", StringComparison.Ordinal) && DateTime.UtcNow < end) Thread.Sleep(20);
        var acknowledged = 50;
        try
        {
            for (; acknowledged < 400; acknowledged++) _ = s.Must(Op.Create, Op.CreateBody("/n" + acknowledged, Encoding.ASCII.GetBytes("x"), Acl.Open, 0), 5);
        }
        catch (Exception x) when (x is IOException or TimeoutException or System.Net.Sockets.SocketException or InvalidDataException)
        {
            output.WriteLine($"after {acknowledged} acknowledged writes: {x.Message}");
        }
        Assert.True(acknowledged < 400, "no sync failed: strace did not reach the member, or its syncs are other calls");
        Assert.True(e[0].Child!.WaitForExit(10), "a failed sync did not stop the member\n" + e.Words());
        Assert.NotEqual(0, e[0].Child!.ExitCode);
        Assert.Contains("segment", e[0].Child!.ErrText, StringComparison.OrdinalIgnoreCase);
        e[0].Start();
        e[0].WaitUntilServing(30);
        using var again = new RawSession(e[0].Port);
        for (var i = 0; i < acknowledged; i++) Assert.True(again.Call(Op.Exists, Op.PathWatch("/n" + i, false)).Err == 0, "/n" + i + " was acknowledged and is lost");
    }
}
