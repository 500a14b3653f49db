using System.Buffers.Binary;
using System.Text;

namespace Quorate.Interop.Tests.Wire;

/// <summary>Writes ZooKeeper's serialization; independent of the product on purpose, so that one mistake cannot hide the other.</summary>
internal sealed class JuteWriter
{
    private readonly MemoryStream _out = new();

    public byte[] ToArray() => _out.ToArray();

    public JuteWriter Raw(ReadOnlySpan<byte> b)
    {
        _out.Write(b);
        return this;
    }

    public JuteWriter Byte(int v)
    {
        _out.WriteByte((byte)v);
        return this;
    }

    public JuteWriter Bool(bool v) => Byte(v ? 1 : 0);

    public JuteWriter Int(int v)
    {
        Span<byte> b = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(b, v);
        return Raw(b);
    }

    public JuteWriter Long(long v)
    {
        Span<byte> b = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(b, v);
        return Raw(b);
    }

    public JuteWriter Buffer(byte[]? v) => v is null ? Int(-1) : Int(v.Length).Raw(v);

    public JuteWriter String(string? v) => Buffer(v is null ? null : Encoding.UTF8.GetBytes(v));

    public JuteWriter Strings(string?[]? v)
    {
        if (v is null) return Int(-1);
        Int(v.Length);
        foreach (var s in v) String(s);
        return this;
    }

    public JuteWriter Acls(Acl[]? v)
    {
        if (v is null) return Int(-1);
        Int(v.Length);
        foreach (var a in v) Int(a.Perms).String(a.Scheme).String(a.Id);
        return this;
    }
}

/// <summary>Reads it back; running out of bytes is an error that the row sees.</summary>
internal sealed class JuteReader(byte[] bytes, int at = 0)
{
    private int _at = at;

    public int Left => bytes.Length - _at;
    public byte[] Rest() => Take(Left);
    public int Byte() => Take(1)[0];
    public bool Bool() => Byte() != 0;
    public int Int() => BinaryPrimitives.ReadInt32BigEndian(Take(4));
    public long Long() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public byte[]? Buffer()
    {
        var n = Int();
        return n == -1 ? null : Take(n);
    }

    public string? String() => Buffer() is { } b ? Encoding.UTF8.GetString(b) : null;

    public string?[] Strings()
    {
        var n = Int();
        var v = new string?[Math.Max(0, n)];
        for (var i = 0; i < v.Length; i++) v[i] = String();
        return v;
    }

    public Acl[] Acls()
    {
        var n = Int();
        var v = new Acl[Math.Max(0, n)];
        for (var i = 0; i < v.Length; i++) v[i] = new Acl(Int(), String(), String());
        return v;
    }

    public Stat Stat() => new(Long(), Long(), Long(), Long(), Int(), Int(), Int(), Long(), Int(), Int(), Long());

    private byte[] Take(int n)
    {
        if (n < 0 || n > Left) throw new InvalidDataException($"{n} bytes wanted, {Left} left");
        var b = bytes[_at..(_at + n)];
        _at += n;
        return b;
    }
}

internal sealed record Acl(int Perms, string? Scheme, string? Id)
{
    public static readonly Acl[] Open = [new(31, "world", "anyone")];
}

internal sealed record Stat(long Czxid, long Mzxid, long Ctime, long Mtime, int Version, int Cversion, int Aversion, long EphemeralOwner, int DataLength, int NumChildren, long Pzxid);
