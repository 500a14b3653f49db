using System.Buffers.Binary;
using System.Text;

namespace Quorate.Primitives.Tree;

/// <summary>
/// Who a connection is: (scheme, id) pairs in one blob that the face makes when they change and keeps; requests carry it, access checks read it. A pair ("super", "") passes every check;
/// ("ip", ADDRESS) is the client's address and always there. Layout: UInt16 count, then for each UInt16 length and bytes, twice.
/// </summary>
public static class Identities
{
    /// <summary>Pairs that one connection may have.</summary>
    public const int MaxPairs = 1000;

    /// <summary>Bytes of one scheme or id: what is longer never matches anything and is cut here.</summary>
    public const int MaxTextBytes = 60_000;

    /// <summary>Makes the blob of these pairs, in their order, each once.</summary>
    public static byte[] Encode(IReadOnlyList<(string Scheme, string Id)> pairs)
    {
        var w = new ByteWriter(64);
        int count = Math.Min(pairs.Count, MaxPairs);
        w.UInt16((ushort)count);
        for (int i = 0; i < count; i++)
        {
            Text(w, pairs[i].Scheme);
            Text(w, pairs[i].Id);
        }
        return w.Written.ToArray();
    }

    /// <summary>A connection that has shown nothing but its address.</summary>
    public static byte[] OfAddress(string address) => Encode([("ip", address)]);

    public static IdentityReader Read(ReadOnlySpan<byte> blob) => new(blob);

    private static void Text(ByteWriter w, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text).AsSpan();
        if (bytes.Length > MaxTextBytes) bytes = bytes[..MaxTextBytes];
        w.UInt16((ushort)bytes.Length);
        w.Bytes(bytes);
    }
}

/// <summary>Goes through the pairs of an identity blob; ends early at bytes that are none.</summary>
public ref struct IdentityReader
{
    private ReadOnlySpan<byte> _rest;
    private int _left;

    internal IdentityReader(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 2) return;
        _left = BinaryPrimitives.ReadUInt16LittleEndian(blob);
        _rest = blob[2..];
    }

    public ReadOnlySpan<byte> Scheme { get; private set; }

    public ReadOnlySpan<byte> Id { get; private set; }

    public bool Next()
    {
        if (_left == 0 || !Take(out var scheme) || !Take(out var id)) return false;
        _left--;
        Scheme = scheme;
        Id = id;
        return true;
    }

    private bool Take(out ReadOnlySpan<byte> text)
    {
        text = default;
        if (_rest.Length < 2) return false;
        int n = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (_rest.Length < 2 + n) return false;
        text = _rest.Slice(2, n);
        _rest = _rest[(2 + n)..];
        return true;
    }
}
