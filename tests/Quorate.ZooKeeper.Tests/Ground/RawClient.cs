using System.Buffers.Binary;
using System.Text;
using Quorate.ZooKeeper.Client;

namespace Quorate.ZooKeeper.Tests.Ground;

/// <summary>A reply or an event, cut out of the bytes that came back.</summary>
public sealed record Frame(int Xid, long Zxid, int Error, byte[] Body)
{
    public WireStat Stat => WireStat.Read(Body.AsSpan(Body.Length - WireStat.Size));

    public string Text
    {
        get
        {
            var r = new JuteReader(Body);
            return Encoding.UTF8.GetString(r.Buffer(out _));
        }
    }

    public string[] Names => new ClientReply { Body = Body }.Names();

    /// <summary>`3(/v)` for an event, else xid and error.</summary>
    public override string ToString()
    {
        if (Xid != -1) return $"{Xid}:{Error}";
        var r = new JuteReader(Body);
        int type = r.Int();
        Assert.Equal(3, r.Int());
        return $"{type}({Encoding.UTF8.GetString(r.Buffer(out _))})";
    }
}

public sealed class RawClient(FaceWorld world, FakeConnection connection)
{
    private readonly List<byte> _heard = [];
    private int _xid;

    public FakeConnection Connection { get; } = connection;
    public long Session { get; private set; }
    public byte[] Password { get; private set; } = new byte[16];
    public int Timeout { get; private set; }
    public bool Over => Connection.Over;

    public static byte[] ConnectFrame(int timeout = 10_000, long session = 0, byte[]? password = null, bool readOnlyByte = true, long seen = 0, int version = 0, bool nullPassword = false)
    {
        var w = new ByteWriter();
        int frame = w.BeginFrame();
        w.JuteInt(version);
        w.JuteLong(seen);
        w.JuteInt(timeout);
        w.JuteLong(session);
        w.JuteBuffer(password ?? new byte[16], nullPassword);
        if (readOnlyByte) w.JuteBool(false);
        w.EndFrame(frame);
        return w.Written.ToArray();
    }

    public static byte[] RequestFrame(int xid, int op, byte[] body)
    {
        var w = new ByteWriter();
        w.JuteInt(8 + body.Length);
        w.JuteInt(xid);
        w.JuteInt(op);
        w.Bytes(body);
        return w.Written.ToArray();
    }

    public static byte[] Body(Action<ByteWriter> write)
    {
        var w = new ByteWriter();
        write(w);
        return w.Written.ToArray();
    }

    /// <summary>Arrives and is read in one turn.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        Connection.Arrive(bytes);
        Turn();
    }

    public void Turn() => world.Turn();

    /// <summary>Everything that came since the last call, and nothing else.</summary>
    public byte[] TakeBytes()
    {
        byte[] bytes = [.. _heard, .. Connection.TakeOutput()];
        _heard.Clear();
        return bytes;
    }

    public List<Frame> TakeFrames()
    {
        byte[] bytes = TakeBytes();
        var frames = new List<Frame>();
        int at = 0;
        while (at < bytes.Length)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));
            var r = new JuteReader(bytes.AsSpan(at + 4, length));
            frames.Add(new Frame(r.Int(), r.Long(), r.Int(), r.Rest.ToArray()));
            Assert.True(r.Ok);
            at += 4 + length;
        }
        return frames;
    }

    /// <summary>What came, in one line.</summary>
    public string Heard() => string.Join(' ', TakeFrames());

    public byte[] TakeHandshake()
    {
        byte[] bytes = TakeBytes();
        if (bytes.Length == 0) return bytes;
        var r = new JuteReader(bytes.AsSpan(4));
        Assert.Equal(bytes.Length - 4, BinaryPrimitives.ReadInt32BigEndian(bytes));
        r.Int();
        Timeout = r.Int();
        Session = r.Long();
        Password = r.Buffer(out _).ToArray();
        return bytes[4..];
    }

    public int Post(int op, Action<ByteWriter> body)
    {
        Connection.Arrive(RequestFrame(++_xid, op, Body(body)));
        return _xid;
    }

    /// <summary>One request and its answer; what else came before it is an error of the test.</summary>
    public Frame Ask(int op, Action<ByteWriter> body)
    {
        int xid = Post(op, body);
        Turn();
        var frames = TakeFrames();
        Assert.Single(frames);
        if (op != OpCode.Ping) Assert.Equal(xid, frames[0].Xid);
        return frames[0];
    }

    public int PostCreate(string path, string? data = "", int flags = 0, int op = OpCode.Create, long? ttl = null, IReadOnlyList<WireAcl>? acls = null) =>
        Post(op, CreateBody(path, data, flags, ttl, acls));

    public Frame Create(string path, string? data = "", int flags = 0, int op = OpCode.Create, long? ttl = null, IReadOnlyList<WireAcl>? acls = null) =>
        Ask(op, CreateBody(path, data, flags, ttl, acls));

    public static Action<ByteWriter> CreateBody(string path, string? data = "", int flags = 0, long? ttl = null, IReadOnlyList<WireAcl>? acls = null) => w =>
    {
        w.JuteString(path);
        w.JuteString(data);
        WireRequests.Acls(w, acls ?? ZooKeeperClient.OpenAcl);
        w.JuteInt(flags);
        if (ttl is { } t) w.JuteLong(t);
    };

    public static Action<ByteWriter> Path(string? path) => w => w.JuteString(path);

    public static Action<ByteWriter> PathFlag(string? path, bool watch = false) => w =>
    {
        w.JuteString(path);
        w.JuteBool(watch);
    };

    public static Action<ByteWriter> PathInt(string? path, int number) => w =>
    {
        w.JuteString(path);
        w.JuteInt(number);
    };

    public static Action<ByteWriter> Set(string path, string? data, int version = -1) => w =>
    {
        w.JuteString(path);
        w.JuteString(data);
        w.JuteInt(version);
    };

    public Frame GetData(string? path, bool watch = false) => Ask(OpCode.GetData, PathFlag(path, watch));
    public Frame Exists(string? path, bool watch = false) => Ask(OpCode.Exists, PathFlag(path, watch));
    public Frame GetChildren(string? path, bool watch = false) => Ask(OpCode.GetChildren, PathFlag(path, watch));
    public Frame SetData(string path, string? data, int version = -1) => Ask(OpCode.SetData, Set(path, data, version));
    public Frame Delete(string path, int version = -1) => Ask(OpCode.Delete, PathInt(path, version));
}
