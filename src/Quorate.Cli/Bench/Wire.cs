using System.Buffers.Binary;

namespace Quorate.Cli.Bench;

/// <summary>The few requests of ZooKeeper's protocol that a load needs, as bytes (zookeeper.md §1.2, §1.3). Jute is big-endian.</summary>
internal static class Wire
{
    public const int Create = 1, GetData = 4, SetData = 5, Sync = 9, CloseSession = -11;
    public const int NodeExists = -110, NoNode = -101;

    public static void Connect(ByteWriter w, int timeoutMillis)
    {
        int at = Begin(w);
        w.Int32Big(0);
        w.Int64Big(0);
        w.Int32Big(timeoutMillis);
        w.Int64Big(0);
        w.Int32Big(16);
        w.Take(16).Clear();
        w.Bool(false);
        End(w, at);
    }

    public static void CreateNode(ByteWriter w, int xid, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data)
    {
        int at = Header(w, xid, Create);
        Text(w, path);
        Text(w, data);
        w.Int32Big(1);
        w.Int32Big(31);
        Text(w, "world"u8);
        Text(w, "anyone"u8);
        w.Int32Big(0);
        End(w, at);
    }

    public static void Set(ByteWriter w, int xid, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data)
    {
        int at = Header(w, xid, SetData);
        Text(w, path);
        Text(w, data);
        w.Int32Big(-1);
        End(w, at);
    }

    public static void Get(ByteWriter w, int xid, ReadOnlySpan<byte> path)
    {
        int at = Header(w, xid, GetData);
        Text(w, path);
        w.Bool(false);
        End(w, at);
    }

    public static void SyncPath(ByteWriter w, int xid, ReadOnlySpan<byte> path)
    {
        int at = Header(w, xid, Sync);
        Text(w, path);
        End(w, at);
    }

    public static void Close(ByteWriter w, int xid) => End(w, Header(w, xid, CloseSession));

    /// <summary>The length of the whole first frame, prefix included; 0 when it is not all there.</summary>
    public static int FrameLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4) return 0;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (length is < 0 or > 64 * 1024 * 1024) throw new IOException($"the server sent a frame of {length} bytes");
        return bytes.Length >= 4 + length ? 4 + length : 0;
    }

    private static int Header(ByteWriter w, int xid, int operation)
    {
        int at = Begin(w);
        w.Int32Big(xid);
        w.Int32Big(operation);
        return at;
    }

    private static int Begin(ByteWriter w)
    {
        w.Int32Big(0);
        return w.Length;
    }

    private static void End(ByteWriter w, int at) => w.PatchInt32Big(at - 4, w.Length - at);

    private static void Text(ByteWriter w, ReadOnlySpan<byte> bytes)
    {
        w.Int32Big(bytes.Length);
        w.Bytes(bytes);
    }
}

/// <summary>The header of a reply.</summary>
internal readonly record struct ReplyHeader(int Xid, long Zxid, int Error)
{
    /// <summary>From a whole frame, length prefix included.</summary>
    public static ReplyHeader Read(ReadOnlySpan<byte> frame) => frame.Length < 20
        ? throw new IOException("the server sent a reply that is too short")
        : new(BinaryPrimitives.ReadInt32BigEndian(frame[4..]), BinaryPrimitives.ReadInt64BigEndian(frame[8..]), BinaryPrimitives.ReadInt32BigEndian(frame[16..]));
}
