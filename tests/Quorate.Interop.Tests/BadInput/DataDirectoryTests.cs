using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>Directories that are not this member's to use, and bytes in them that are not what was written.</summary>
public sealed class DataDirectoryTests
{
    private static readonly Setting Small = new() { More = ["--set", "segmentBytes=20971520"] };

    /// <summary>A lone member on its data, killed in the end so that the directory stands as SIGKILL leaves it.</summary>
    private static QuorateMember Made(Action<RawSession> write, int idleMs = 400, Setting? setting = null)
    {
        var e = Ensemble.Start(false, 1, setting ?? Small);
        try
        {
            using (var s = new RawSession(e[0].Port, 30000)) write(s);
            Thread.Sleep(idleMs);
            e[0].Kill();
            return (QuorateMember)e[0];
        }
        catch
        {
            e.Dispose();
            throw;
        }
    }

    private static string[] Again(QuorateMember m, string? data = null, string id = "1") =>
        ["serve", "--id", id, "--data", data ?? m.Data, "--zookeeper", "127.0.0.1:" + Ports.Free(), "--http", "none", .. m.Setting.More];

    internal static void Write(RawSession s, string path, string data) => _ = s.Must(Op.Create, Op.CreateBody(path, Encoding.ASCII.GetBytes(data), Acl.Open, 0));

    /// <summary>Where a text stands in the files below a directory.</summary>
    internal static List<(string File, long Offset)> Find(string directory, string text)
    {
        var needle = Encoding.ASCII.GetBytes(text);
        var found = new List<(string, long)>();
        foreach (var f in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(f);
            for (var at = 0; (at = bytes.AsSpan(at).IndexOf(needle) is var i and >= 0 ? at + i : -1) >= 0; at++) found.Add((f, at));
        }
        return found;
    }

    internal static void FlipBit(string file, long offset)
    {
        using var f = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        f.Position = offset;
        var b = f.ReadByte();
        f.Position = offset;
        f.WriteByte((byte)(b ^ 4));
    }

    [InteropFact(Needs.Quorate)]
    public void A_directory_that_cannot_be_written()
    {
        var file = Path.Combine(Refusals.Scratch(), "file");
        File.WriteAllText(file, "x");
        Refusals.Refused([file], Refusals.Serve(file));
        Refusals.Refused([file], Refusals.Serve(Path.Combine(file, "below")));
        Refusals.Refused(["/proc/nope"], Refusals.Serve("/proc/nope"));
        Assert.Equal("x", File.ReadAllText(file));
    }

    [InteropFact(Needs.Quorate | Needs.Root)]
    public void A_file_system_that_is_read_only()
    {
        using var disk = TinyDisk.Mount(16);
        disk.MakeReadOnly();
        Refusals.Refused([disk.Path], Refusals.Serve(Path.Combine(disk.Path, "data")));
    }

    [InteropFact(Needs.Quorate)]
    public void Another_members_directory()
    {
        using var m = Made(s => Write(s, "/a", "x"));
        Refusals.Refused([m.Data], Again(m, null, "2"));
        // Nothing was touched: its owner starts on it as before.
        m.Start();
        m.WaitUntilServing(30);
        using var s = new RawSession(m.Port);
        _ = s.Must(Op.Exists, Op.PathWatch("/a", false));
    }

    [InteropFact(Needs.Quorate)]
    public void A_directory_that_a_running_member_holds()
    {
        using var e = Ensemble.Start(false, 1, Small);
        Refusals.Refused([((QuorateMember)e[0]).Data], Again((QuorateMember)e[0]));
        using var s = new RawSession(e[0].Port);
        _ = s.Must(Op.Exists, Op.PathWatch("/", false));
    }

    [InteropFact(Needs.Quorate)]
    public void Segments_without_an_identity_and_an_identity_that_is_damaged()
    {
        using var m = Made(s => Write(s, "/a", "x"));
        var identity = Directory.EnumerateFiles(m.Data, "*identity*", SearchOption.AllDirectories).Single();
        var good = File.ReadAllBytes(identity);
        File.Delete(identity);
        Refusals.Refused(["identity"], Again(m));
        var bad = (byte[])good.Clone();
        for (var at = 16; at < bad.Length; at += 4096) bad[at] ^= 1;
        File.WriteAllBytes(identity, bad);
        Refusals.Refused([identity], Again(m));
        // One slot of two is enough, and is mended.
        bad = (byte[])good.Clone();
        bad[16] ^= 1;
        File.WriteAllBytes(identity, bad);
        m.Start();
        m.WaitUntilServing(30);
        using var s = new RawSession(m.Port);
        _ = s.Must(Op.Exists, Op.PathWatch("/a", false));
    }

    [InteropFact(Needs.Quorate)]
    public void A_torn_tail_is_cut_and_everything_before_it_is_there()
    {
        for (var round = 0; round < 3; round++)
        {
            using var m = Made(s =>
            {
                for (var i = 0; i < 50; i++) Write(s, "/n" + i, "whole-" + i);
                Thread.Sleep(300);
                Write(s, "/last", "torn-torn-torn-" + new string('t', 9000));
            }, 0);
            var at = Find(m.Data, "torn-torn-torn-").MaxBy(f => f.Offset);
            using (var f = new FileStream(at.File, FileMode.Open, FileAccess.ReadWrite))
            {
                // The disk took the first part of the batch and not the rest: zeros, old bytes, and everything behind.
                f.Position = at.Offset + (round * 3000);
                var n = (int)Math.Min(256 << 10, f.Length - f.Position);
                f.Write(new byte[n]);
            }
            m.Start();
            m.WaitUntilServing(30);
            using (var s = new RawSession(m.Port))
                for (var i = 0; i < 50; i++) _ = s.Must(Op.Exists, Op.PathWatch("/n" + i, false));
            // A second start finds the same.
            m.Kill();
            m.Start();
            m.WaitUntilServing(30);
            using (var s = new RawSession(m.Port))
            {
                for (var i = 0; i < 50; i++) _ = s.Must(Op.Exists, Op.PathWatch("/n" + i, false));
                Write(s, "/after", "x");
            }
        }
    }

    [InteropFact(Needs.Quorate)]
    public void A_flipped_bit_in_the_log_is_named_and_a_lone_member_refuses()
    {
        using var m = Made(s =>
        {
            for (var i = 0; i < 200; i++) Write(s, "/n" + i, "needle-" + i.ToString("000") + "-" + new string('n', 300));
        });
        var at = Find(m.Data, "needle-100-").Single();
        FlipBit(at.File, at.Offset + 3);
        RefusesDamage(m, at);
        // Put right, it is whole again: the refusal touched nothing.
        FlipBit(at.File, at.Offset + 3);
        m.Start();
        m.WaitUntilServing(30);
        using var s = new RawSession(m.Port);
        for (var i = 0; i < 200; i++) _ = s.Must(Op.Exists, Op.PathWatch("/n" + i, false));
    }

    [InteropFact(Needs.Quorate)]
    public void A_flipped_bit_in_the_snapshot_is_named_and_a_lone_member_refuses()
    {
        var small = new Setting { More = ["--set", "segmentBytes=20971520", "--set", "snapshotDueBytes=16777216"] };
        using var m = Made(s =>
        {
            Write(s, "/needle", "needle-in-the-snapshot");
            Write(s, "/fat", "");
            for (var i = 0; i < 120; i++) _ = s.Must(Op.SetData, Op.SetDataBody("/fat", new byte[900_000], -1));
            Thread.Sleep(2000);
        }, 400, small);
        var found = Find(m.Data, "needle-in-the-snapshot");
        var at = found.Where(f => Path.GetFileName(f.File).EndsWith(".snapshot", StringComparison.Ordinal)).Select(f => ((string File, long Offset)?)f).LastOrDefault()
            ?? throw new InvalidOperationException("no snapshot holds the node after 108 MB of log: " + string.Join(' ', Directory.EnumerateFiles(m.Data, "*", SearchOption.AllDirectories)));
        // Every snapshot that is left holds it; all are spoilt, so that there is nothing whole to fall back on: the log begins behind them (freed segments still hold old bytes, which count for nothing).
        foreach (var f in found.Where(f => Path.GetFileName(f.File).EndsWith(".snapshot", StringComparison.Ordinal))) FlipBit(f.File, f.Offset + 3);
        RefusesDamage(m, at);
    }

    [InteropFact(Needs.Quorate)]
    public void A_flipped_bit_at_one_member_of_three_is_named_and_repaired_from_the_others()
    {
        using var e = Ensemble.Start(false, 3, new Setting { More = ["--set", "segmentBytes=25165824"] }); // three windows of 4 MiB are half of it
        using (var s = new RawSession(e.Leader().Port, 30000))
            for (var i = 0; i < 200; i++) Write(s, "/n" + i, "needle-" + i.ToString("000") + "-" + new string('n', 300));
        Thread.Sleep(400);
        var m = (QuorateMember)e.Follower();
        m.Kill();
        var at = Find(m.Data, "needle-100-").First();
        FlipBit(at.File, at.Offset + 3);
        m.Start();
        m.WaitUntilServing(60);
        Assert.Contains(Path.GetFileName(at.File), m.Child!.ErrText + m.Child.OutText, StringComparison.Ordinal);
        using var after = new RawSession(m.Port);
        _ = after.Must(Op.Sync, Op.JustPath("/"));
        for (var i = 0; i < 200; i++)
        {
            var data = new JuteReader(after.Must(Op.GetData, Op.PathWatch("/n" + i, false)).Body).Buffer()!;
            Assert.Equal("needle-" + i.ToString("000") + "-" + new string('n', 300), Encoding.ASCII.GetString(data));
        }
    }

    /// <summary>The member ends by itself, with a line that names the file and an offset; it never serves.</summary>
    private static void RefusesDamage(QuorateMember m, (string File, long Offset) at)
    {
        m.Start();
        var watch = Stopwatch.StartNew();
        while (!m.Child!.HasExited && watch.Elapsed.TotalSeconds < 30)
        {
            Assert.True(m.Role().Length == 0, "it serves on a damaged log\n" + m.Words());
            Thread.Sleep(50);
        }
        Assert.True(m.Child.HasExited, "it neither serves nor ends\n" + m.Words());
        Assert.NotEqual(0, m.Child.ExitCode);
        var error = m.Child.ErrText;
        Assert.Contains(Path.GetFileName(at.File), error, StringComparison.Ordinal);
        Assert.Matches(new Regex(@"offset\D{0,12}\d+|at byte \d+", RegexOptions.IgnoreCase), error);
        Assert.DoesNotContain("   at ", error);
    }
}
