using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>Storage.md §2.4 with real processes and a real flipped file: who could repair the damage is gone, nobody leads, and an operator's word is the only way on.</summary>
public sealed class AcceptedLossTests
{
    private const int Early = 60, Damaged = 100, All = 120;

    [InteropFact(Needs.Quorate)]
    public void A_cluster_whose_damaged_entries_nobody_has_waits_for_an_operator()
    {
        using var e = Ensemble.Start(false, 3, new Setting { More = ["--set", "segmentBytes=25165824"] });
        var marked = (QuorateMember)e.Leader();
        var (absent, gone) = ((QuorateMember)e.Members.First(m => m != marked), (QuorateMember)e.Members.Last(m => m != marked));
        using (var s = new RawSession(marked.Port, 30000))
        {
            for (var i = 0; i < Early; i++) DataDirectoryTests.Write(s, "/n" + i, Text(i));
            absent.Kill();
            for (var i = Early; i < All; i++) DataDirectoryTests.Write(s, "/n" + i, Text(i));
        }
        Thread.Sleep(400); // the last batch is not the highest any more (storage.md §1.6)
        gone.Kill();
        marked.Kill();
        var at = DataDirectoryTests.Find(marked.Data, Text(Damaged)).Single();
        DataDirectoryTests.FlipBit(at.File, at.Offset + 3);
        marked.Start();
        absent.Start();

        var index = WaitForMark(marked);
        Assert.Matches(new Regex($@"entries {index} to {index} .* are damaged in batch \d+ \(file .*{Path.GetFileName(at.File)}, offset \d+\)"), marked.Child!.ErrText + marked.Child.OutText);
        Assert.True(marked.Role().Length == 0 && absent.Role().Length == 0, "somebody serves without what was acknowledged\n" + e.Words());
        Refuses("damaged are " + index.ToString(CultureInfo.InvariantCulture), marked, index + 1);
        Refuses("nothing is damaged at this member", absent, index);
        Assert.Equal(index, WaitForMark(marked));

        var (code, output, error) = Accept(marked, index);
        Assert.True(code == 0, output + error + e.Words());
        marked.WaitUntilServing(60);
        absent.WaitUntilServing(60);
        Holds(absent, Damaged);
        using (var s = new RawSession(marked.Port)) DataDirectoryTests.Write(s, "/after", "x");
        // Whoever comes back with what was given up follows.
        gone.Start();
        gone.WaitUntilServing(60);
        Holds(gone, Damaged);
    }

    private static string Text(int i) => "needle-" + i.ToString("000", CultureInfo.InvariantCulture) + "-" + new string('n', 300);

    private static (int Code, string Out, string Err) Accept(QuorateMember m, long index) =>
        Child.Run(Refusals.Scratch(), [Mode.Quorate, "members", "accept-loss", "--http", "127.0.0.1:" + m.HttpPort, "--indexes", index.ToString(CultureInfo.InvariantCulture)], 60);

    private static void Refuses(string says, QuorateMember m, long index)
    {
        var (code, output, error) = Accept(m, index);
        Assert.True(code == 1 && error.Contains(says, StringComparison.Ordinal), $"exit code {code}, and not '{says}': {output}{error}");
    }

    /// <summary>The highest damaged index, once its own status names it.</summary>
    private static long WaitForMark(QuorateMember m)
    {
        var said = "";
        for (var end = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < end; Thread.Sleep(100))
        {
            var (code, output, error) = Child.Run(Refusals.Scratch(), [Mode.Quorate, "status", "--json", "--http", "127.0.0.1:" + m.HttpPort], 60);
            said = output + error;
            if (code != 1 || !output.StartsWith('{')) continue;
            var status = JsonDocument.Parse(output).RootElement;
            if (status.GetProperty("damaged").GetInt32() == 1) return status.GetProperty("damagedHighest").GetInt64();
        }
        throw new InvalidOperationException("no mark at member " + m.Id + "\n" + said + m.Words());
    }

    /// <summary>Everything below the loss is there, and nothing from it on.</summary>
    private static void Holds(QuorateMember m, int count)
    {
        using var s = new RawSession(m.Port);
        _ = s.Must(Op.Sync, Op.JustPath("/"));
        for (var i = 0; i < All; i++) Assert.Equal(i < count, s.Call(Op.Exists, Op.PathWatch("/n" + i, false)).Err == 0);
    }
}
