using System.Globalization;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>One run of one row against one server: a namespace of its own, masked answers, and sessions that are closed at the end whatever happened.</summary>
internal sealed class Stage : IDisposable
{
    private readonly RawSession _admin;
    private readonly List<Actor> _actors = [];
    private readonly Dictionary<long, string> _sessions = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly long _base;

    public Stage(Row row, Ensemble ensemble)
    {
        Row = row;
        Ensemble = ensemble;
        Root = "/r" + row.Id.Replace(' ', '-');
        _admin = new RawSession(Target.Port, 30000);
        // Row 65 wants a tree in which nobody has been.
        _base = row.Venue == Venue.Fresh ? _admin.Must(Op.Ping, []).Zxid : _admin.Must(Op.Create, Op.CreateBody(Root, [], Acl.Open, 0)).Zxid;
    }

    public Row Row { get; }
    public Ensemble Ensemble { get; }
    public Member Target => Ensemble[0];
    public Transcript Transcript { get; } = new();
    public string Root { get; }
    public RawSession Admin => _admin;

    public string P(string name) => Root + "/" + name;

    /// <summary>A step of its own making, for what is no reply.</summary>
    public Step Step(string label)
    {
        var n = _labels[label] = _labels.GetValueOrDefault(label) + 1;
        var s = new Step(this, label + "#" + n.ToString(CultureInfo.InvariantCulture));
        Transcript.Steps.Add(s);
        return s;
    }

    /// <summary>A fact of the row's own, told and expected at once.</summary>
    public void Is(string label, object actual, object expected) => Step(label).Add("value", actual).Has("value", expected);

    /// <summary>SIGTERM, and a new start on the same data.</summary>
    public void Restart()
    {
        Target.Stop();
        Target.Start();
        Target.WaitUntilServing(60);
    }

    /// <summary>A new session, named a, b, c in order.</summary>
    public Actor Session(int timeOut = 30000, Member? at = null)
    {
        var a = Connect(new Hello { TimeOut = timeOut }, at);
        if (a.Welcome is null) throw new InvalidOperationException("no session");
        return a;
    }

    /// <summary>A connection with the given first frame; its answer is a step.</summary>
    public Actor Connect(Hello hello, Member? at = null)
    {
        var a = new Actor(this, ((char)('a' + _actors.Count)).ToString(), at ?? Target);
        _actors.Add(a);
        a.Shake(hello);
        return a;
    }

    /// <summary>A connection on which nothing was said.</summary>
    public Actor Bare()
    {
        var a = new Actor(this, ((char)('a' + _actors.Count)).ToString(), Target);
        _actors.Add(a);
        return a;
    }

    public void Know(long sessionId, string name) => _sessions.TryAdd(sessionId, name);

    /// <summary>Zxids are told as steps since the row began; on a server that others use at the same time only as real or not.</summary>
    public string Zxid(long z) => z <= 0 ? z.ToString(CultureInfo.InvariantCulture)
        : Row.Venue is Venue.Slow ? "z"
        : z < _base ? "earlier" : "z+" + (z - _base).ToString(CultureInfo.InvariantCulture);

    public string Owner(long id) => id == 0 ? "0" : _sessions.TryGetValue(id, out var n) ? "session " + n : "0x" + id.ToString("x", CultureInfo.InvariantCulture);

    public static string Time(long t) => t > 0 ? "time" : t.ToString(CultureInfo.InvariantCulture);

    public void Dispose()
    {
        foreach (var a in _actors) a.End();
        if (!Target.Runs) return;
        try
        {
            if (Row.Venue != Venue.Fresh) Remove(Root);
            _admin.Close();
        }
        catch (Exception e) when (e is IOException or TimeoutException or System.Net.Sockets.SocketException or InvalidDataException)
        {
            // The row stopped or broke its server: its own expectations say so.
        }
        _admin.Dispose();
    }

    private void Remove(string path)
    {
        _ = _admin.Call(Op.Auth, Op.AuthBody("digest", "super:" + Setting.SuperPassword));
        RemoveBelow(path);
    }

    private void RemoveBelow(string path)
    {
        var r = _admin.Call(Op.GetChildren, Op.PathWatch(path, false));
        if (r.Err != 0) return;
        foreach (var c in new JuteReader(r.Body).Strings()) RemoveBelow(path + "/" + c);
        _ = _admin.Call(Op.Delete, Op.PathVersion(path, -1));
    }
}
