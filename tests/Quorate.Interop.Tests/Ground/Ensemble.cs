using System.Globalization;

namespace Quorate.Interop.Tests.Ground;

/// <summary>One or three members of one kind, on free ports, with their data below one directory.</summary>
internal sealed class Ensemble : IDisposable
{
    private static int _made;

    private Ensemble(bool zookeeper, Member[] members)
    {
        IsZooKeeper = zookeeper;
        Members = members;
    }

    public bool IsZooKeeper { get; }
    public Member[] Members { get; }
    public Member this[int i] => Members[i];
    public string Servers => string.Join(',', Members.Select(m => m.Address));

    /// <summary>The server that this run is about: ours, or ZooKeeper when the scripts themselves are to be proved.</summary>
    public static Ensemble OfThisRun(int n, Setting? setting = null) => Start(Mode.ZooKeeperOnly, n, setting);

    public static Ensemble Start(bool zookeeper, int n, Setting? setting = null)
    {
        var e = Make(zookeeper, n, setting);
        try
        {
            foreach (var m in e.Members) m.Start();
            // The first start of a clean clone builds (DESIGN §8).
            foreach (var m in e.Members) m.WaitUntilServing(zookeeper ? 60 : 120);
            return e;
        }
        catch
        {
            e.Dispose();
            throw;
        }
    }

    /// <param name="zookeeper">ZooKeeper's, else ours.</param>
    /// <param name="n">How many members.</param>
    /// <param name="setting">What they are started with.</param>
    /// <param name="below">Where our members' data goes, when not into the run's own directory; what they print stays there.</param>
    public static Ensemble Make(bool zookeeper, int n, Setting? setting = null, string? below = null)
    {
        var s = setting ?? new Setting();
        var directory = Path.Combine(Mode.Scratch, (zookeeper ? "zookeeper" : "quorate") + Interlocked.Increment(ref _made).ToString(CultureInfo.InvariantCulture));
        var p = Ports.Free(3 * n);
        var ports = Enumerable.Range(0, n).Select(i => (p[3 * i], p[3 * i + 1], p[3 * i + 2])).ToArray();
        return new Ensemble(zookeeper, [.. Enumerable.Range(1, n).Select(id =>
        {
            var d = Path.Combine(directory, id.ToString(CultureInfo.InvariantCulture));
            Directory.CreateDirectory(d);
            return zookeeper ? (Member)new ZooKeeperMember(d, id, s, ports) : new QuorateMember(d, id, s, ports) { DataDirectory = below is null ? "" : Path.Combine(below, "data" + id.ToString(CultureInfo.InvariantCulture)) };
        })]);
    }

    public Member Leader(double seconds = 20)
    {
        for (var end = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < end; Thread.Sleep(50))
            foreach (var m in Members)
                if (m.Runs && m.Role() is "leader" or "standalone") return m;
        throw new InvalidOperationException("no leader after " + seconds + " s\n" + Words());
    }

    public Member Follower() => Members.First(m => m.Runs && m.Role() == "follower");

    public void WaitUntilAllServe(double seconds = 30)
    {
        foreach (var m in Members) if (m.Runs) m.WaitUntilServing(seconds);
        _ = Leader(seconds);
    }

    public string Words() => string.Join('\n', Members.Select(m => "=== member " + m.Id + "\n" + m.Words()));

    public void Dispose()
    {
        // All at once: three orderly ends one after the other would cost three times the wait.
        foreach (var m in Members) { m.Child?.Signal(Child.SigCont); m.Child?.Signal(Child.SigTerm); }
        foreach (var m in Members) m.Dispose();
    }
}
