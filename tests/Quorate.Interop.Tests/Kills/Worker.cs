using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Kills;

/// <summary>One client under the storm: a session that moves from member to member, a thread, and one kind of work.</summary>
internal abstract class Worker(int number, Ensemble ensemble, History history)
{
    protected const int TimeOut = 4000;
    private RawSession? _session;
    private long _sessionId;
    private byte[] _password = new byte[16];
    private long _seen;
    private int _moves;
    private volatile bool _stop;
    private Thread? _thread;

    protected int Number => number;
    protected History History => history;
    protected string Me => "/alive-" + number.ToString(CultureInfo.InvariantCulture);

    public void Start()
    {
        _thread = new Thread(Loop) { IsBackground = true };
        _thread.Start();
    }

    public void Stop() => _stop = true;

    public void Join()
    {
        if (_thread?.Join(30000) == false) history.Breaches.Enqueue("worker " + number + " did not end");
        _session?.Dispose();
    }

    /// <summary>One round of work; every loss is an exception that <see cref="Loop"/> turns into a new connection.</summary>
    protected abstract void Round(RawSession s);

    /// <summary>The connection went: what was under way has an unknown outcome.</summary>
    protected virtual void Lost()
    {
    }

    protected static byte[] Bytes(string s) => Encoding.UTF8.GetBytes(s);

    /// <summary>A client gives its server up after two thirds of its time-out without a byte, as ZooKeeper's own clients do.</summary>
    protected Reply Call(RawSession s, int op, byte[] body)
    {
        var r = s.Call(op, body, TimeOut * 2 / 3 / 1000.0);
        _seen = Math.Max(_seen, s.LastZxid);
        return r;
    }

    protected (string Data, int Version) Get(RawSession s, string path)
    {
        var r = Call(s, Op.GetData, Op.PathWatch(path, false));
        if (r.Err != 0) throw new InvalidDataException("getData " + path + " answered " + r.Err);
        var j = new JuteReader(r.Body);
        var data = Encoding.UTF8.GetString(j.Buffer() ?? []);
        return (data, j.Stat().Version);
    }

    private void Loop()
    {
        while (!_stop)
        {
            try
            {
                _session ??= Connect();
                Round(_session);
            }
            catch (Exception e) when (e is IOException or TimeoutException or SocketException)
            {
                Drop();
            }
            catch (SessionGoneException)
            {
                _sessionId = 0;
                history.Lose();
                Drop();
            }
            catch (Exception e)
            {
                history.Breaches.Enqueue("worker " + number + ": " + e.Message);
                Drop();
            }
        }
    }

    private void Drop()
    {
        _session?.Dispose();
        if (_session is not null) Lost();
        _session = null;
        _moves++;
        Thread.Sleep(20);
    }

    private RawSession Connect()
    {
        var port = ensemble[(number + _moves) % ensemble.Members.Length].Port;
        var resumed = _sessionId != 0;
        var s = new RawSession(port, TimeOut, _sessionId, _password, resumed ? _seen : 0, 2.5);
        (_sessionId, _password) = (s.Welcome.SessionId, s.Welcome.Password);
        try
        {
            // A session that goes on has kept what is its own; a new one says that it is there.
            var r = Call(s, Op.Exists, Op.PathWatch(Me, false));
            if (resumed)
            {
                history.Resume();
                if (_made && (r.Err != 0 || new JuteReader(r.Body).Stat().EphemeralOwner != _sessionId)) history.Breaches.Enqueue($"session {_sessionId:x} was resumed without its ephemeral {Me} (err {r.Err})");
            }
            else
            {
                _made = false;
            }
            if (!_made)
            {
                var c = Call(s, Op.Create, Op.CreateBody(Me, [], Acl.Open, 1));
                // -110: an older session of ours still owns the name, until it expires; or this is our own, of unknown outcome.
                _made = c.Err == 0;
            }
            return s;
        }
        catch
        {
            s.Dispose();
            throw;
        }
    }

    private bool _made;
}

/// <summary>A register of its own: conditional writes, each version acknowledged once, nothing acknowledged lost.</summary>
internal sealed class Registrar(int number, Ensemble ensemble, History history) : Worker(number, ensemble, history)
{
    private string Path => "/register-" + Number.ToString(CultureInfo.InvariantCulture);
    private int _version = -1;
    private int _sequence;
    private bool _doubt;

    protected override void Round(RawSession s)
    {
        if (_version < 0 || _doubt)
        {
            _ = Call(s, Op.Sync, Op.JustPath("/"));
            var (data, version) = Get(s, Path);
            // One write was under way: it happened or it did not; anything else is a lost or an invented write.
            if (_version >= 0 && version != _version && version != _version + 1) History.Breaches.Enqueue($"{Path} was at {_version}, one write in doubt, and is at {version} ({data})");
            (_version, _doubt) = (version, false);
        }
        var value = "v" + (++_sequence).ToString(CultureInfo.InvariantCulture);
        _doubt = true;
        var r = Call(s, Op.SetData, Op.SetDataBody(Path, Bytes(value), _version));
        _doubt = false;
        if (r.Err != 0)
        {
            History.Breaches.Enqueue($"{Path} at {_version}: the only writer was answered {r.Err}");
            _version = -1;
            return;
        }
        var stat = new JuteReader(r.Body).Stat();
        if (stat.Version != _version + 1) History.Breaches.Enqueue($"{Path}: version {stat.Version} after {_version}");
        _version = stat.Version;
        History.Registers.Enqueue(new(Path, stat.Version, stat.Mzxid, value, History.Now));
        History.Acknowledge();
        if (Get(s, Path) is var (data2, version2) && (data2 != value || version2 != _version)) History.Breaches.Enqueue($"{Path}: read {data2} at {version2} after its own write of {value} at {_version}");
    }

    protected override void Lost()
    {
        if (_doubt) History.Doubt();
    }
}

/// <summary>A counter that all share: read, then set on that version.</summary>
internal sealed class Incrementer(int number, Ensemble ensemble, History history) : Worker(number, ensemble, history)
{
    private bool _underWay;
    private int _last = -1;

    protected override void Round(RawSession s)
    {
        var (data, version) = Get(s, "/counter");
        if (version < _last) History.Breaches.Enqueue($"/counter went back from {_last} to {version} in one session's eyes");
        _last = version;
        if (data != version.ToString(CultureInfo.InvariantCulture)) History.Breaches.Enqueue($"/counter says {data} at version {version}");
        _underWay = true;
        var r = Call(s, Op.SetData, Op.SetDataBody("/counter", Bytes((version + 1).ToString(CultureInfo.InvariantCulture)), version));
        _underWay = false;
        if (r.Err == 0)
        {
            var stat = new JuteReader(r.Body).Stat();
            _last = stat.Version;
            History.Counter.Enqueue(new("/counter", stat.Version, stat.Mzxid, "", History.Now));
        }
        else if (r.Err != -103) History.Breaches.Enqueue("/counter was answered " + r.Err);
    }

    protected override void Lost()
    {
        if (_underWay) History.Doubt();
        _underWay = false;
    }
}

/// <summary>Sequential nodes: each acknowledged name is there at the end, and was given once.</summary>
internal sealed class Logger(int number, Ensemble ensemble, History history) : Worker(number, ensemble, history)
{
    protected override void Round(RawSession s)
    {
        var r = Call(s, Op.Create, Op.CreateBody("/log/l-", Bytes("x"), Acl.Open, 2));
        if (r.Err != 0) throw new InvalidDataException("create in /log answered " + r.Err);
        History.Log.Enqueue(new JuteReader(r.Body).String()!);
        Thread.Sleep(1);
    }
}

/// <summary>One lock node, made and deleted by whoever gets it: never two holders who may both believe.</summary>
internal sealed class Locker(int number, Ensemble ensemble, History history) : Worker(number, ensemble, history)
{
    private double _from = -1;
    private double _sure;
    private long _czxid;

    protected override void Round(RawSession s)
    {
        if (_from < 0)
        {
            var r = Call(s, Op.Create2, Op.CreateBody("/lock", Bytes(Number.ToString(CultureInfo.InvariantCulture)), Acl.Open, 1));
            if (r.Err == -110)
            {
                // Perhaps it is ours, from a create whose answer was lost: the owner's field tells.
                var e = Call(s, Op.Exists, Op.PathWatch("/lock", false));
                if (e.Err == 0 && new JuteReader(e.Body).Stat() is var mine && mine.EphemeralOwner == s.Welcome.SessionId) (_from, _czxid, _sure) = (History.Now, mine.Czxid, History.Now);
                else Thread.Sleep(5);
                return;
            }
            if (r.Err != 0) throw new InvalidDataException("/lock was answered " + r.Err);
            var j = new JuteReader(r.Body);
            _ = j.String();
            (_from, _czxid, _sure) = (History.Now, j.Stat().Czxid, History.Now);
            return;
        }
        for (var i = 0; i < 5; i++)
        {
            Thread.Sleep(4);
            var asked = History.Now;
            var e = Call(s, Op.Exists, Op.PathWatch("/lock", false));
            if (e.Err != 0 || new JuteReader(e.Body).Stat().Czxid != _czxid) History.Breaches.Enqueue($"the lock of client {Number} (czxid {_czxid:x}) was not its own any more while its session lived");
            // The answer shows that it held when the question was asked, and everything answered later is later still.
            _sure = asked;
        }
        var to = History.Now;
        var (from, czxid) = (_from, _czxid);
        _from = -1;
        History.Lock.Enqueue(new(Number, czxid, from, to));
        _ = Call(s, Op.Delete, Op.PathVersion("/lock", -1));
    }

    protected override void Lost()
    {
        // A client whose connection went no longer believes; what it was told last is what counts.
        if (_from >= 0) History.Lock.Enqueue(new(Number, _czxid, _from, _sure));
        _from = -1;
    }
}
