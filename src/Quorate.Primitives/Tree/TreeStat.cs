using System.Buffers.Binary;

namespace Quorate.Primitives.Tree;

/// <summary>The eleven fields of a Stat, as the wire shows them: cversion converted, owners of containers and TTL nodes hidden (zookeeper.md §2.2, §2.3). In our records: 68 bytes, little-endian, in this order.</summary>
public readonly record struct TreeStat(
    long Czxid, long Mzxid, long Ctime, long Mtime, int Version, int Cversion, int Aversion, long EphemeralOwner, int DataLength, int NumChildren, long Pzxid)
{
    public const int Size = 68;

    public void WriteTo(Span<byte> s)
    {
        BinaryPrimitives.WriteInt64LittleEndian(s, Czxid);
        BinaryPrimitives.WriteInt64LittleEndian(s[8..], Mzxid);
        BinaryPrimitives.WriteInt64LittleEndian(s[16..], Ctime);
        BinaryPrimitives.WriteInt64LittleEndian(s[24..], Mtime);
        BinaryPrimitives.WriteInt32LittleEndian(s[32..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(s[36..], Cversion);
        BinaryPrimitives.WriteInt32LittleEndian(s[40..], Aversion);
        BinaryPrimitives.WriteInt64LittleEndian(s[44..], EphemeralOwner);
        BinaryPrimitives.WriteInt32LittleEndian(s[52..], DataLength);
        BinaryPrimitives.WriteInt32LittleEndian(s[56..], NumChildren);
        BinaryPrimitives.WriteInt64LittleEndian(s[60..], Pzxid);
    }

    /// <summary>The same fields as Jute's Stat: big-endian, same order.</summary>
    public void WriteBigEndian(Span<byte> s)
    {
        BinaryPrimitives.WriteInt64BigEndian(s, Czxid);
        BinaryPrimitives.WriteInt64BigEndian(s[8..], Mzxid);
        BinaryPrimitives.WriteInt64BigEndian(s[16..], Ctime);
        BinaryPrimitives.WriteInt64BigEndian(s[24..], Mtime);
        BinaryPrimitives.WriteInt32BigEndian(s[32..], Version);
        BinaryPrimitives.WriteInt32BigEndian(s[36..], Cversion);
        BinaryPrimitives.WriteInt32BigEndian(s[40..], Aversion);
        BinaryPrimitives.WriteInt64BigEndian(s[44..], EphemeralOwner);
        BinaryPrimitives.WriteInt32BigEndian(s[52..], DataLength);
        BinaryPrimitives.WriteInt32BigEndian(s[56..], NumChildren);
        BinaryPrimitives.WriteInt64BigEndian(s[60..], Pzxid);
    }

    public static TreeStat Read(ReadOnlySpan<byte> s) => new(
        BinaryPrimitives.ReadInt64LittleEndian(s), BinaryPrimitives.ReadInt64LittleEndian(s[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[16..]), BinaryPrimitives.ReadInt64LittleEndian(s[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(s[32..]), BinaryPrimitives.ReadInt32LittleEndian(s[36..]), BinaryPrimitives.ReadInt32LittleEndian(s[40..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[44..]),
        BinaryPrimitives.ReadInt32LittleEndian(s[52..]), BinaryPrimitives.ReadInt32LittleEndian(s[56..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[60..]));
}
