using System.Buffers.Binary;

namespace Quorate.Storage;

/// <summary>
/// A snapshot file (storage.md §4.2): blocks of 1 MiB, the last one short, each
/// <code>
/// magic (8) | format (2) | last (1) | 0 | CRC-32C of the block (4) | partition (4) | content bytes (4) | position: index, term, digest (24) | block number (8) | content | zeros up to 4 KiB
/// </code>
/// The content of all blocks but the last is one stream of appends, each with an Int32 length before it; the first append is the configuration at the position.
/// The last block's content is counts: blocks, rows, appends, and the digest.
/// </summary>
internal static class SnapshotFormat
{
    public const int HeadBytes = 64;
    public const int BlockBytes = Limits.SnapshotBlockBytes;
    public const int ContentBytes = BlockBytes - HeadBytes;
    public const int LastContentBytes = 32;
    private const ulong Magic = 0x3150_414E_5352_5551; // "QURSNAP1"
    private const ushort FormatNumber = 1;

    /// <summary>Heads, pads and checksums a block whose content stands behind the head; returns its length in the file.</summary>
    public static int Seal(Span<byte> block, int content, int partition, in SnapshotIdentity identity, long number, bool last)
    {
        int length = BatchHeader.RoundUp(HeadBytes + content);
        block[(HeadBytes + content)..length].Clear();
        var head = block[..HeadBytes];
        head.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(head[8..], FormatNumber);
        head[10] = last ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], partition);
        BinaryPrimitives.WriteInt32LittleEndian(head[20..], content);
        BinaryPrimitives.WriteInt64LittleEndian(head[24..], identity.Index);
        BinaryPrimitives.WriteUInt64LittleEndian(head[32..], identity.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(head[40..], identity.Digest);
        BinaryPrimitives.WriteInt64LittleEndian(head[48..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], Crc32C.Of(block[..length]));
        return length;
    }

    /// <summary>Reads a block's head and checks the whole block; false when it is not this block of this snapshot.</summary>
    public static bool TryOpen(Span<byte> block, int partition, in SnapshotIdentity identity, long number, out int content, out int length, out bool last)
    {
        content = 0;
        length = 0;
        last = false;
        if (block.Length < HeadBytes || BinaryPrimitives.ReadUInt64LittleEndian(block) != Magic) return false;
        ushort format = BinaryPrimitives.ReadUInt16LittleEndian(block[8..]);
        if (format > FormatNumber) throw new StorageRefusal($"a snapshot has format {format}; this version reads up to {FormatNumber}");
        last = block[10] == 1;
        content = BinaryPrimitives.ReadInt32LittleEndian(block[20..]);
        if (content < 0 || content > ContentBytes) return false;
        length = BatchHeader.RoundUp(HeadBytes + content);
        if (length > block.Length) return false;
        uint stated = BinaryPrimitives.ReadUInt32LittleEndian(block[12..]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], 0);
        uint actual = Crc32C.Of(block[..length]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], stated);
        return stated == actual
            && BinaryPrimitives.ReadInt32LittleEndian(block[16..]) == partition
            && BinaryPrimitives.ReadInt64LittleEndian(block[24..]) == identity.Index
            && BinaryPrimitives.ReadUInt64LittleEndian(block[32..]) == identity.Term
            && BinaryPrimitives.ReadUInt64LittleEndian(block[40..]) == identity.Digest
            && BinaryPrimitives.ReadInt64LittleEndian(block[48..]) == number;
    }

    /// <summary>Reads the digest that the first block states; the caller verifies the file with it.</summary>
    public static bool TryDigest(ReadOnlySpan<byte> head, out ulong digest)
    {
        digest = 0;
        if (head.Length < HeadBytes || BinaryPrimitives.ReadUInt64LittleEndian(head) != Magic) return false;
        digest = BinaryPrimitives.ReadUInt64LittleEndian(head[40..]);
        return true;
    }

    public static void WriteCounts(Span<byte> content, long blocks, long rows, long appends, ulong digest)
    {
        BinaryPrimitives.WriteInt64LittleEndian(content, blocks);
        BinaryPrimitives.WriteInt64LittleEndian(content[8..], rows);
        BinaryPrimitives.WriteInt64LittleEndian(content[16..], appends);
        BinaryPrimitives.WriteUInt64LittleEndian(content[24..], digest);
    }

    public static (long Blocks, long Rows, long Appends, ulong Digest) ReadCounts(ReadOnlySpan<byte> content) =>
        (BinaryPrimitives.ReadInt64LittleEndian(content), BinaryPrimitives.ReadInt64LittleEndian(content[8..]), BinaryPrimitives.ReadInt64LittleEndian(content[16..]), BinaryPrimitives.ReadUInt64LittleEndian(content[24..]));

    public static byte[] EncodeConfiguration(ConfigurationAt? at)
    {
        if (at is null) return [];
        var w = new ByteWriter(64);
        w.Int64(at.Index);
        w.Bytes(at.Configuration.Encode());
        return w.Written.ToArray();
    }

    public static ConfigurationAt? DecodeConfiguration(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 9) return null;
        return ClusterConfiguration.Decode(bytes[8..]) is { } c ? new ConfigurationAt(BinaryPrimitives.ReadInt64LittleEndian(bytes), c) : null;
    }
}
