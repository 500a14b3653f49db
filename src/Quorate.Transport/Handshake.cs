using System.Text;

namespace Quorate.Transport;

/// <summary>Why a handshake failed.</summary>
public enum RefusalReason : byte
{
    /// <summary>Both are formed, and into different clusters.</summary>
    OtherCluster = 1,

    /// <summary>The other end has the id of the one that judges, or an id that lives elsewhere.</summary>
    DuplicateId = 2,

    /// <summary>The other end speaks a newer format.</summary>
    NewerFormat = 3,

    /// <summary>The dialler believes that somebody else answers here.</summary>
    WrongTarget = 4,
}

/// <summary>What both ends say first. The fields before <see cref="Cluster"/> never change their place, whatever the format becomes.</summary>
internal readonly record struct Greeting(ushort Format, ulong Cluster, ReplicaId Id, ReplicaId Target, ulong Directory, ulong Run, long Link, string Address, string Http)
{
    /// <summary>"QRM1": tells a member's bytes from a stranger's at once.</summary>
    private const uint Magic = 0x314D5251;

    public void Write(ByteWriter into, FrameKind kind)
    {
        int start = Frame.Begin(into, kind);
        into.UInt32(Magic);
        into.UInt16(Format);
        into.UInt64(Cluster);
        into.Byte(Id.Value);
        into.Byte(Target.Value);
        into.UInt64(Directory);
        into.UInt64(Run);
        into.Int64(Link);
        WriteText(into, Address);
        WriteText(into, Http);
        Frame.End(into, start);
    }

    /// <summary>False when it is no greeting. Of a newer format only <see cref="Format"/> is read.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, ushort newest, out Greeting greeting)
    {
        greeting = default;
        var reader = new ByteReader(body);
        uint magic = reader.UInt32();
        ushort format = reader.UInt16();
        if (reader.Failed || magic != Magic || format == 0) return false;
        if (format > newest)
        {
            greeting = new Greeting(format, 0, default, default, 0, 0, 0, "", "");
            return true;
        }
        ulong cluster = reader.UInt64();
        var id = new ReplicaId(reader.Byte());
        var target = new ReplicaId(reader.Byte());
        ulong directory = reader.UInt64(), run = reader.UInt64();
        long link = reader.Int64();
        string address = ReadText(ref reader), http = ReadText(ref reader);
        greeting = new Greeting(format, cluster, id, target, directory, run, link, address, http);
        return reader.Ok && reader.AtEnd && id.Value is > 0 and < 255;
    }

    public static void WriteRefusal(ByteWriter into, ushort format, RefusalReason reason, string text)
    {
        int start = Frame.Begin(into, FrameKind.Refusal);
        into.UInt32(Magic);
        into.UInt16(format);
        into.Byte((byte)reason);
        WriteText(into, text);
        Frame.End(into, start);
    }

    public static bool TryReadRefusal(ReadOnlySpan<byte> body, out RefusalReason reason, out string text)
    {
        var reader = new ByteReader(body);
        uint magic = reader.UInt32();
        reader.UInt16();
        reason = (RefusalReason)reader.Byte();
        text = ReadText(ref reader);
        return reader.Ok && magic == Magic;
    }

    private static void WriteText(ByteWriter into, string text)
    {
        Span<byte> utf8 = stackalloc byte[LinkLimits.MaxTextBytes];
        Encoding.UTF8.TryGetBytes(text, utf8, out int length);
        into.Sized(utf8[..length]);
    }

    /// <summary>What a stranger wrote may stand in a note, so control characters are taken out.</summary>
    private static string ReadText(ref ByteReader reader)
    {
        var bytes = reader.Sized();
        if (bytes.Length > LinkLimits.MaxTextBytes)
        {
            reader.Fail();
            return "";
        }
        string text = Encoding.UTF8.GetString(bytes);
        foreach (char c in text)
            if (char.IsControl(c)) return "";
        return text;
    }
}
