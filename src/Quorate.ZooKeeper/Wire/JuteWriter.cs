using System.Buffers.Binary;

namespace Quorate.ZooKeeper;

/// <summary>Writes Jute (zookeeper.md §1.1) onto the house's byte buffer.</summary>
public static class JuteWriter
{
    public static void JuteInt(this ByteWriter w, int value) => w.Int32Big(value);
    public static void JuteLong(this ByteWriter w, long value) => w.Int64Big(value);
    public static void JuteBool(this ByteWriter w, bool value) => w.Bool(value);

    public static void JuteBuffer(this ByteWriter w, ReadOnlySpan<byte> bytes)
    {
        var span = w.Take(4 + bytes.Length);
        BinaryPrimitives.WriteInt32BigEndian(span, bytes.Length);
        bytes.CopyTo(span[4..]);
    }

    public static void JuteNull(this ByteWriter w) => w.Int32Big(-1);

    /// <summary>A buffer that keeps null (-1) and empty apart.</summary>
    public static void JuteBuffer(this ByteWriter w, ReadOnlySpan<byte> bytes, bool isNull)
    {
        if (isNull) w.JuteNull();
        else w.JuteBuffer(bytes);
    }

    public static void JuteString(this ByteWriter w, string? text)
    {
        if (text is null)
        {
            w.JuteNull();
            return;
        }
        int n = System.Text.Encoding.UTF8.GetByteCount(text);
        w.Int32Big(n);
        System.Text.Encoding.UTF8.GetBytes(text, w.Take(n));
    }

    /// <summary>Begins a frame: room for its length. <see cref="EndFrame"/> takes what this returns.</summary>
    public static int BeginFrame(this ByteWriter w)
    {
        int at = w.Length;
        w.Take(4);
        return at;
    }

    public static void EndFrame(this ByteWriter w, int at) => w.PatchInt32Big(at, w.Length - at - 4);

    /// <summary>A reply's header (zookeeper.md §1.3).</summary>
    public static void ReplyHeader(this ByteWriter w, int xid, long zxid, int error)
    {
        var span = w.Take(16);
        BinaryPrimitives.WriteInt32BigEndian(span, xid);
        BinaryPrimitives.WriteInt64BigEndian(span[4..], zxid);
        BinaryPrimitives.WriteInt32BigEndian(span[12..], error);
    }

    /// <summary>A frame that is a reply's header alone.</summary>
    public static void HeaderFrame(this ByteWriter w, int xid, long zxid, int error)
    {
        w.Int32Big(16);
        w.ReplyHeader(xid, zxid, error);
    }

    /// <summary>A multi's header (zookeeper.md §1.5).</summary>
    public static void MultiHeader(this ByteWriter w, int type, bool done, int error)
    {
        w.Int32Big(type);
        w.Bool(done);
        w.Int32Big(error);
    }
}
