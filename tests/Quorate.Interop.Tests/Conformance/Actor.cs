using System.Net.Sockets;
using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>One client of a row: sends bytes, and tells every answer as a step of the transcript.</summary>
internal sealed partial class Actor(Stage stage, string name, Member at)
{
    private RawConnection _connection = new(at.Port);
    private readonly Queue<(string Name, int Op)> _due = new();
    private readonly List<string> _events = [];
    private int _xid;
    private bool _ended;

    public string Name { get; } = name;
    /// <summary>The answer to the last ConnectRequest.</summary>
    public Step? Connected { get; private set; }
    /// <summary>The body of the last reply.</summary>
    public byte[] Body { get; private set; } = [];
    public Welcome? Welcome { get; private set; }
    public long SessionId { get; private set; }
    public byte[] Password { get; private set; } = new byte[16];
    public int TimeOut { get; private set; }
    /// <summary>The highest zxid that this connection was told.</summary>
    public long Seen { get; private set; }
    public RawConnection Connection => _connection;

    /// <summary>Sends a ConnectRequest on the connection as it is, and reads the answer.</summary>
    public Step Shake(Hello hello)
    {
        Send(hello.ToFrame());
        return ReadWelcome();
    }

    public Step ReadWelcome(double seconds = 10)
    {
        var s = Connected = stage.Step(Name + ".connect");
        byte[]? frame;
        try
        {
            frame = _connection.ReadFrame(seconds);
        }
        catch (TimeoutException)
        {
            return s.Add("outcome", "silent");
        }
        if (frame is null) return s.Add("outcome", "closed");
        var w = Welcome.Parse(frame);
        if (w.TimeOut > 0)
        {
            if (SessionId == 0) stage.Know(w.SessionId, Name);
            (Welcome, SessionId, Password, TimeOut) = (w, w.SessionId, w.Password, w.TimeOut);
        }
        return s.Add("outcome", "reply").Add("length", w.Length).Add("version", w.Version).Add("timeOut", w.TimeOut)
            .Add("session", w.SessionId == 0 ? "0" : w.SessionId >>> 56 == at.Id ? "its own server's" : "server " + (w.SessionId >>> 56)).Add("password", w.Password.All(b => b == 0) ? w.Password.Length + " zeros" : w.Password.Length + " bytes").Add("readOnly", w.ReadOnly);
    }

    /// <summary>The same session on a new connection, at another member if given; the old one is left open.</summary>
    public Actor Again(Member? where = null, byte[]? password = null, long? lastZxid = null, int? timeOut = null) =>
        stage.Connect(new Hello { SessionId = SessionId, Password = password ?? Password, TimeOut = timeOut ?? TimeOut, LastZxid = lastZxid ?? 0 }, where);

    public void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _connection.Send(bytes);
        }
        catch (SocketException)
        {
            // The peer hung up while we wrote: the next read says so, as a step.
        }
    }

    /// <summary>A request whose answer is read later, by <see cref="Next"/>.</summary>
    public void Pipeline(int op, byte[] body, int? xid = null) => Send(Queued(op, body, xid));

    /// <summary>The bytes of a request whose answer will be read by <see cref="Next"/>.</summary>
    public byte[] Queued(int op, byte[] body, int? xid = null)
    {
        _due.Enqueue((Op.Name(op), op));
        return RawConnection.Request(xid ?? (op == Op.Ping ? -2 : ++_xid), op, body);
    }

    public Step Call(int op, byte[] body, int? xid = null, double seconds = 10)
    {
        Pipeline(op, body, xid);
        return Next(seconds);
    }

    /// <summary>The next reply, with the events that came before it.</summary>
    public Step Next(double seconds = 10)
    {
        var (label, op) = _due.Dequeue();
        var s = stage.Step(Name + "." + label);
        try
        {
            while (true)
            {
                var frame = _connection.ReadFrame(seconds);
                if (frame is null) return Finish(s.Add("outcome", "closed"));
                var reply = Reply.Parse(frame);
                if (reply.Xid == -1 && reply.Body.Length >= 12)
                {
                    Hear(reply);
                    continue;
                }
                Body = reply.Body;
                if (reply.Zxid > 0) Seen = Math.Max(Seen, reply.Zxid);
                s.Add("outcome", "reply").Add("xid", reply.Xid).Add("zxid", stage.Zxid(reply.Zxid)).Add("err", reply.Err);
                if (reply.Err == 0) Answer.Tell(stage, s, op, reply.Body);
                // After an error ZooKeeper may leave the tail of a body behind; §7 masks it for -5.
                else if (reply.Err != -5) s.Add("rest", Convert.ToHexStringLower(reply.Body));
                if (op == Op.CloseSession) _ended = true;
                return Finish(s);
            }
        }
        catch (TimeoutException)
        {
            return Finish(s.Add("outcome", "silent"));
        }
    }

    /// <summary>Waits for one event without asking for anything.</summary>
    public Step Await(double seconds = 5)
    {
        var s = stage.Step(Name + ".event");
        try
        {
            var frame = _connection.ReadFrame(seconds);
            if (frame is null) return Finish(s.Add("outcome", "closed"));
            var reply = Reply.Parse(frame);
            if (reply.Xid == -1) Hear(reply);
            return Finish(s.Add("outcome", reply.Xid == -1 ? "event" : "reply"));
        }
        catch (TimeoutException)
        {
            return Finish(s.Add("outcome", "silent"));
        }
    }

    /// <summary>The frame as it stands, for rows about bytes.</summary>
    public byte[]? Frame(double seconds = 10) => _connection.ReadFrame(seconds);

    /// <summary>Reads until the connection ends and tells what came; the kernel's reset counts as an end (§7, last list).</summary>
    public Step Hangup(double seconds = 5)
    {
        var s = stage.Step(Name + ".end");
        try
        {
            var bytes = _connection.ReadToEnd(seconds);
            return s.Add("outcome", "closed").Add("bytes", Convert.ToHexStringLower(bytes));
        }
        catch (TimeoutException)
        {
            return s.Add("outcome", "open");
        }
    }

    /// <summary>Nothing may come on this connection before the answer to a ping.</summary>
    public Step Quiet() => Ping().Events();

    /// <summary>Called at the end of the row: the session must not expire in the middle of another row.</summary>
    public void End()
    {
        _connection.Dispose();
        if (SessionId == 0 || _ended || !at.Runs) return;
        try
        {
            using var s = new RawSession(at.Port, TimeOut, SessionId, Password, 0, 3);
            s.Close();
        }
        catch (Exception e) when (e is SessionGoneException or IOException or TimeoutException or SocketException or InvalidDataException)
        {
            // It is gone already, which is what was wanted.
        }
    }

    /// <summary>Cuts the TCP connection without a word.</summary>
    public void Cut() => _connection.Dispose();

    public void Reopen() => _connection = new RawConnection(at.Port);

    private void Hear(Reply reply)
    {
        var r = new JuteReader(reply.Body);
        var (type, state, path) = (r.Int(), r.Int(), r.String());
        _events.Add(type + (state == 3 ? "" : " state " + state) + (reply.Err == 0 ? "" : " err " + reply.Err) + " " + path);
    }

    private Step Finish(Step s)
    {
        s.Add("events", string.Join("; ", _events));
        _events.Clear();
        return s;
    }
}
