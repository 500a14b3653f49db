using System.Text;

namespace Quorate.ZooKeeper.Client;

/// <summary>Requests and their answers, in one order.</summary>
public sealed partial class ZooKeeperClient
{
    private struct Waiting
    {
        public int Xid, Op;
        public bool Sent;
        public long Tag, Since;
        public Watched Kind;
        public string? Path;
    }

    private readonly Queue<Waiting> _pending = new();
    private readonly ByteWriter _held = new(); // frames made while there was no connection
    private readonly ByteWriter _body = new(256);
    private readonly List<(string Scheme, byte[] Proof)> _auths = [];
    private int _xid;

    /// <summary>world:anyone, everything: what a create gets that names no list.</summary>
    public static IReadOnlyList<WireAcl> OpenAcl { get; } = [new(31, "world", "anyone")];

    public int Create(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, int flags = 0, long tag = 0, IReadOnlyList<WireAcl>? acls = null, int op = OpCode.Create, long ttl = -1)
    {
        WireRequests.Create(Body(), path, data, acls ?? OpenAcl, flags, op == OpCode.CreateTtl ? ttl : null);
        return Send(op, tag, _body.Written);
    }

    public int Create(string path, ReadOnlySpan<byte> data, int flags = 0, long tag = 0) => Create(Encoding.UTF8.GetBytes(path), data, flags, tag);

    public int Delete(ReadOnlySpan<byte> path, int version = -1, long tag = 0)
    {
        Body().JuteBuffer(path);
        _body.JuteInt(version);
        return Send(OpCode.Delete, tag, _body.Written);
    }

    public int SetData(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, int version = -1, long tag = 0)
    {
        Body().JuteBuffer(path);
        _body.JuteBuffer(data);
        _body.JuteInt(version);
        return Send(OpCode.SetData, tag, _body.Written);
    }

    public int GetData(ReadOnlySpan<byte> path, bool watch = false, long tag = 0) => Read(OpCode.GetData, path, watch, Watched.Data, tag);

    public int Exists(ReadOnlySpan<byte> path, bool watch = false, long tag = 0) => Read(OpCode.Exists, path, watch, Watched.Exist, tag);

    public int GetChildren(ReadOnlySpan<byte> path, bool watch = false, long tag = 0) => Read(OpCode.GetChildren, path, watch, Watched.Child, tag);

    public int GetChildren2(ReadOnlySpan<byte> path, bool watch = false, long tag = 0) => Read(OpCode.GetChildren2, path, watch, Watched.Child, tag);

    public int GetAcl(ReadOnlySpan<byte> path, long tag = 0)
    {
        Body().JuteBuffer(path);
        return Send(OpCode.GetAcl, tag, _body.Written);
    }

    public int SetAcl(ReadOnlySpan<byte> path, IReadOnlyList<WireAcl> acls, int version = -1, long tag = 0)
    {
        Body().JuteBuffer(path);
        WireRequests.Acls(_body, acls);
        _body.JuteInt(version);
        return Send(OpCode.SetAcl, tag, _body.Written);
    }

    public int Sync(ReadOnlySpan<byte> path, long tag = 0)
    {
        Body().JuteBuffer(path);
        return Send(OpCode.Sync, tag, _body.Written);
    }

    /// <summary>Mode 0: persistent; 1: persistent and recursive.</summary>
    public int AddWatch(ReadOnlySpan<byte> path, int mode, long tag = 0)
    {
        Body().JuteBuffer(path);
        _body.JuteInt(mode);
        return Send(OpCode.AddWatch, tag, _body.Written, mode == 0 ? Watched.Persistent : Watched.Recursive, Encoding.UTF8.GetString(path));
    }

    /// <summary>Types as the wire has them: 1 children, 2 data, 3 any, 4 persistent, 5 recursive.</summary>
    public int RemoveWatches(ReadOnlySpan<byte> path, int type, long tag = 0)
    {
        Body().JuteBuffer(path);
        _body.JuteInt(type);
        string text = Encoding.UTF8.GetString(path);
        ForgetWatch(text, type);
        return Send(OpCode.RemoveWatches, tag, _body.Written);
    }

    /// <summary>The body of <see cref="WireRequests"/>' multi parts, ended with <see cref="WireRequests.MultiEnd"/>.</summary>
    public int Multi(ReadOnlySpan<byte> parts, long tag = 0) => Send(OpCode.Multi, tag, parts);

    /// <summary>Any operation, its body made by the caller.</summary>
    public int Request(int op, ReadOnlySpan<byte> body, long tag = 0) => Send(op, tag, body);

    /// <summary>Shows an identity now and at every later connection.</summary>
    public void AddAuth(string scheme, ReadOnlySpan<byte> proof)
    {
        _auths.Add((scheme, proof.ToArray()));
        if (_shaken) SendAuth(scheme, proof);
    }

    private int Read(int op, ReadOnlySpan<byte> path, bool watch, Watched kind, long tag)
    {
        Body().JuteBuffer(path);
        _body.JuteBool(watch);
        return Send(op, tag, _body.Written, watch ? kind : Watched.None, watch ? Encoding.UTF8.GetString(path) : null);
    }

    private ByteWriter Body()
    {
        _body.Clear();
        return _body;
    }

    private int Send(int op, long tag, ReadOnlySpan<byte> body, Watched kind = Watched.None, string? path = null)
    {
        _xid = _xid == int.MaxValue ? 1 : _xid + 1;
        if (State == ClientState.Closed || (State == ClientState.Expired && !_options.NewSessionAfterExpiry))
        {
            _listener.OnReply(this, new ClientReply { Xid = _xid, Op = op, Tag = tag, Error = ErrorCode.SessionExpired, Since = _now.Micros });
            return _xid;
        }
        bool sent = _shaken;
        _pending.Enqueue(new Waiting { Xid = _xid, Op = op, Sent = sent, Tag = tag, Since = _now.Micros, Kind = kind, Path = path });
        var w = sent ? _connection!.Output : _held;
        Frame(w, _xid, op, body);
        if (!sent) return _xid;
        _lastSent = _now.Micros;
        _connection!.Flush();
        return _xid;
    }

    private static void Frame(ByteWriter w, int xid, int op, ReadOnlySpan<byte> body)
    {
        w.JuteInt(8 + body.Length);
        w.JuteInt(xid);
        w.JuteInt(op);
        w.Bytes(body);
    }

    /// <summary>What was asked while there was no connection goes out now.</summary>
    private void SendHeld()
    {
        if (!_shaken || _held.Length == 0) return;
        _connection!.Output.Bytes(_held.Written);
        _held.Release();
        for (int left = _pending.Count; left > 0; left--)
        {
            var waiting = _pending.Dequeue();
            waiting.Sent = true;
            _pending.Enqueue(waiting);
        }
        _connection.Flush();
    }

    private void SendAuth(string scheme, ReadOnlySpan<byte> proof)
    {
        Body().JuteInt(0);
        _body.JuteString(scheme);
        _body.JuteBuffer(proof);
        Frame(_connection!.Output, -4, OpCode.Auth, _body.Written);
        _connection.Flush();
    }

    private void Ping()
    {
        Frame(_connection!.Output, -2, OpCode.Ping, default);
        _lastSent = _now.Micros;
        _connection.Flush();
    }

    private void Hear(ReadOnlySpan<byte> frame)
    {
        var r = new JuteReader(frame);
        int xid = r.Int();
        long zxid = r.Long();
        int error = r.Int();
        if (r.Failed)
        {
            ProtocolError();
            return;
        }
        if (xid == -1)
        {
            int type = r.Int();
            r.Int();
            var path = r.Buffer(out _);
            Fired(type, path);
            _listener.OnEvent(this, type, path, zxid);
            return;
        }
        if (zxid > 0) LastZxid = Math.Max(LastZxid, zxid);
        if (xid is -2 or -4 or -8) return;
        if (_pending.Count == 0 || _pending.Peek().Xid != xid || !_pending.Peek().Sent)
        {
            ProtocolError();
            return;
        }
        var waiting = _pending.Dequeue();
        if (waiting.Kind != Watched.None) Keep(waiting.Kind, waiting.Path!, error);
        _listener.OnReply(this, new ClientReply { Xid = xid, Op = waiting.Op, Tag = waiting.Tag, Zxid = zxid, Error = error, Body = r.Rest, Since = waiting.Since });
        if (waiting.Op != OpCode.CloseSession) return;
        Session = 0;
        Shut();
    }

    /// <summary>Sent and unanswered: the outcome is unknown. What was not sent keeps waiting.</summary>
    private void FailSent(int error)
    {
        var lost = new List<Waiting>();
        for (int left = _pending.Count; left > 0; left--)
        {
            var waiting = _pending.Dequeue();
            if (waiting.Sent) lost.Add(waiting);
            else _pending.Enqueue(waiting);
        }
        foreach (var waiting in lost) Fail(waiting, error);
    }

    private void FailAll(int error)
    {
        _held.Release();
        for (int left = _pending.Count; left > 0; left--) Fail(_pending.Dequeue(), error);
    }

    private void Fail(in Waiting waiting, int error) =>
        _listener.OnReply(this, new ClientReply { Xid = waiting.Xid, Op = waiting.Op, Tag = waiting.Tag, Error = error, Since = waiting.Since });
}
