namespace Quorate.Interop.Tests.Wire;

/// <summary>A session over a bare connection, for loads and histories: one call at a time, every loss an exception.</summary>
internal sealed class RawSession : IDisposable
{
    private int _xid;

    public RawSession(int port, int timeOut = 10000, long sessionId = 0, byte[]? password = null, long lastZxid = 0, double seconds = 10)
    {
        Connection = new RawConnection(port, seconds);
        try
        {
            Connection.Send(new Hello { TimeOut = timeOut, SessionId = sessionId, Password = password ?? new byte[16], LastZxid = lastZxid }.ToFrame());
            var frame = Connection.ReadFrame(seconds) ?? throw new IOException("closed in the handshake");
            Welcome = Welcome.Parse(frame);
            if (Welcome.TimeOut == 0) throw new SessionGoneException();
        }
        catch
        {
            Connection.Dispose();
            throw;
        }
    }

    public RawConnection Connection { get; }
    public Welcome Welcome { get; }
    public long LastZxid { get; private set; }
    public List<(int Type, string Path)> Events { get; } = [];

    public Reply Call(int op, byte[] body, double seconds = 10)
    {
        var xid = op == Op.Ping ? -2 : ++_xid;
        Connection.Send(RawConnection.Request(xid, op, body));
        return Read(xid, seconds);
    }

    public Reply Read(int xid, double seconds = 10)
    {
        while (true)
        {
            var reply = Reply.Parse(Connection.ReadFrame(seconds) ?? throw new IOException("connection closed"));
            if (reply.Xid == -1 && xid != -1)
            {
                var r = new JuteReader(reply.Body);
                var type = r.Int();
                _ = r.Int();
                Events.Add((type, r.String() ?? ""));
                continue;
            }
            if (reply.Xid != xid) throw new InvalidDataException($"reply {reply.Xid} where {xid} was due");
            if (reply.Zxid > 0)
            {
                if (reply.Zxid < LastZxid) throw new InvalidDataException($"zxid went back from {LastZxid:x} to {reply.Zxid:x}");
                LastZxid = reply.Zxid;
            }
            return reply;
        }
    }

    public Reply Must(int op, byte[] body, double seconds = 10)
    {
        var r = Call(op, body, seconds);
        return r.Err == 0 ? r : throw new InvalidDataException($"{Op.Name(op)} answered {r.Err}");
    }

    public void Close() => _ = Call(Op.CloseSession, []);

    public void Dispose() => Connection.Dispose();
}

internal sealed class SessionGoneException : Exception
{
    public SessionGoneException() : base("the session is gone") { }
}
