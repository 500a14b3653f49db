using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Kills;

/// <summary>Three members under load while they are killed, stopped and started again; afterwards what stands in the tree.</summary>
/// <remarks>The schedule is fixed, the moments are the machine's. Everything is bounded; the members end by process id with the fixture.</remarks>
public sealed class Storm : IDisposable
{
    private readonly Lazy<Storm> _self;
    private Ensemble? _ensemble;

    public Storm() => _self = new(() =>
    {
        Run();
        return this;
    });

    internal History History { get; } = new();
    internal Dictionary<string, (int Version, string Data)> Finally { get; } = [];
    internal HashSet<string> LogFinally { get; } = [];
    internal List<string> EphemeralsFinally { get; } = [];
    internal List<string> DifferencesFinally { get; } = [];

    /// <summary>The storm, played once for all facts.</summary>
    internal Storm Played => _self.Value;

    public void Dispose() => _ensemble?.Dispose();

    private void Run()
    {
        var e = _ensemble = Ensemble.OfThisRun(3);
        using (var s = new RawSession(e.Leader().Port, 30000))
        {
            for (var i = 0; i < 4; i++) _ = s.Must(Op.Create, Op.CreateBody("/register-" + i, [], Acl.Open, 0));
            _ = s.Must(Op.Create, Op.CreateBody("/counter", "0"u8.ToArray(), Acl.Open, 0));
            _ = s.Must(Op.Create, Op.CreateBody("/log", [], Acl.Open, 0));
            s.Close();
        }
        Worker[] workers =
        [
            .. Enumerable.Range(0, 4).Select(i => new Registrar(i, e, History)), .. Enumerable.Range(4, 3).Select(i => new Incrementer(i, e, History)),
            .. Enumerable.Range(7, 2).Select(i => new Logger(i, e, History)), .. Enumerable.Range(9, 3).Select(i => new Locker(i, e, History)),
        ];
        foreach (var w in workers) w.Start();
        try
        {
            Thread.Sleep(1000);
            Faults(e);
        }
        finally
        {
            foreach (var w in workers) w.Stop();
            foreach (var w in workers) w.Join();
        }
        Look(e);
    }

    private void Faults(Ensemble e)
    {
        Fault("leader killed", () => { var m = e.Leader(); m.Kill(); return m; }, m => m.Start(), e);
        Fault("follower killed", () => { var m = e.Follower(); m.Kill(); return m; }, m => m.Start(), e);
        Fault("leader stopped for 3 s", () => { var m = e.Leader(); m.Pause(); return m; }, m => { Thread.Sleep(1500); m.Continue(); }, e);
        Fault("follower stopped for 3 s", () => { var m = e.Follower(); m.Pause(); return m; }, m => { Thread.Sleep(1500); m.Continue(); }, e);
        Fault("leader and follower killed", () =>
        {
            var (l, f) = (e.Leader(), e.Follower());
            l.Kill();
            f.Kill();
            f.Start();
            return l;
        }, m => m.Start(), e);
        Fault("all three killed", () =>
        {
            foreach (var m in e.Members) m.Kill();
            e[0].Start();
            e[1].Start();
            return e[2];
        }, m => m.Start(), e);
        Fault("leader killed again", () => { var m = e.Leader(); m.Kill(); return m; }, m => m.Start(), e);
    }

    private void Fault(string what, Func<Member> harm, Action<Member> heal, Ensemble e)
    {
        var at = History.Now;
        var harmed = harm();
        var since = History.Now;
        // The next acknowledgement that came after the harm was done, at whoever is left; 5 ms are for answers already on their way.
        History.Mark(since + 0.005);
        while (double.IsInfinity(History.First) && History.Now - since < 40) Thread.Sleep(10);
        History.Faults.Enqueue(new(what, at, History.First - since));
        Thread.Sleep(1500);
        heal(harmed);
        e.WaitUntilAllServe(60);
        Thread.Sleep(700);
    }

    /// <summary>Reads the end of the story from every member, behind a sync.</summary>
    private void Look(Ensemble e)
    {
        string? first = null;
        // Workers end without a word: their sessions expire first, after 4 s and what the server adds.
        using (var s = new RawSession(e[0].Port, 30000))
        {
            for (var end = DateTime.UtcNow.AddSeconds(12); DateTime.UtcNow < end; Thread.Sleep(200))
                if (Enumerable.Range(0, 12).All(i => s.Call(Op.Exists, Op.PathWatch("/alive-" + i, false)).Err != 0) && s.Call(Op.Exists, Op.PathWatch("/lock", false)).Err != 0) break;
            s.Close();
        }
        foreach (var m in e.Members)
        {
            using var s = new RawSession(m.Port, 30000);
            _ = s.Must(Op.Sync, Op.JustPath("/"));
            var names = new JuteReader(s.Must(Op.GetChildren, Op.PathWatch("/", false)).Body).Strings().Select(n => n!).Order(StringComparer.Ordinal).ToList();
            var all = new List<string>();
            foreach (var n in names.Where(n => n != "zookeeper"))
            {
                var j = new JuteReader(s.Must(Op.GetData, Op.PathWatch("/" + n, false)).Body);
                var (data, stat) = (j.Buffer() ?? [], j.Stat());
                all.Add(n + " " + stat + " " + Convert.ToHexString(data));
                Finally["/" + n] = (stat.Version, System.Text.Encoding.UTF8.GetString(data));
                if (stat.EphemeralOwner != 0 && m == e[0]) EphemeralsFinally.Add("/" + n);
            }
            var log = new JuteReader(s.Must(Op.GetChildren, Op.PathWatch("/log", false)).Body).Strings().Select(n => "/log/" + n).Order(StringComparer.Ordinal).ToList();
            LogFinally.UnionWith(log);
            all.AddRange(log);
            var text = string.Join('\n', all);
            first ??= text;
            if (text != first) DifferencesFinally.Add("member " + m.Id + " says otherwise than member " + e[0].Id);
            s.Close();
        }
    }
}
