using System.Buffers.Binary;

namespace Quorate.Storage;

[Flags]
internal enum BatchFlags : ushort
{
    None = 0,

    /// <summary>Begins with the facts of every partition (storage.md §1.5).</summary>
    Opening = 1,

    /// <summary>The opening that recovery writes before Start (§2.3).</summary>
    Recovery = 2,

    /// <summary>The batch of §1.6: so that the last real one is not the highest any more.</summary>
    Empty = 4,
}

/// <summary>
/// A batch's header as it was read (storage.md §1.3). It stands before the batch and again behind it, in blocks of its own:
/// <code>
/// batch = header | region (the runs' records) | zeros up to a block | header again, filled up to a block
/// </code>
/// </summary>
internal sealed class BatchHeader
{
    public const int KeyBytes = 16;
    public const int FixedBytes = 88;
    public const ushort FormatNumber = 1;
    private const int ChecksumAt = 20;

    public int HeaderLength { get; private set; }
    public uint Checksum { get; private set; }
    public BatchFlags Flags { get; set; }
    public ulong Segment { get; set; }
    public long Offset { get; set; }
    public int Length { get; set; }
    public int RegionOffset { get; set; }
    public int RegionLength { get; set; }
    public ulong Number { get; set; }

    /// <summary>The number that this one follows: one below, but for a recovery's opening, which names the highest that it does not cut.</summary>
    public ulong Previous { get; set; }
    public uint PreviousChecksum { get; set; }

    /// <summary>The oldest batch still needed.</summary>
    public ulong Needed { get; set; }
    public BatchOp[] Ops { get; private set; } = [];

    public bool Is(BatchFlags flag) => (Flags & flag) != 0;

    public int BackOffset => Length - RoundUp(HeaderLength);

    public static int RoundUp(int bytes) => (bytes + Limits.BlockBytes - 1) & -Limits.BlockBytes;

    /// <summary>The fixed part; records follow, then <see cref="Seal"/>.</summary>
    public void WriteFixed(ByteWriter w, ReadOnlySpan<byte> key)
    {
        w.Clear();
        w.Bytes(key);
        w.Int32(0);  // header length
        w.UInt32(0); // checksum
        w.UInt16(FormatNumber);
        w.UInt16((ushort)Flags);
        w.UInt64(Segment);
        w.Int64(Offset);
        w.Int32(Length);
        w.Int32(RegionOffset);
        w.Int32(RegionLength);
        w.UInt64(Number);
        w.UInt64(Previous);
        w.UInt32(PreviousChecksum);
        w.UInt64(Needed);
        w.Int32(0);  // records
    }

    /// <summary>Sets what was not known before the records stood: place, lengths, checksum.</summary>
    public void Seal(ByteWriter w, int records)
    {
        HeaderLength = w.Length;
        w.PatchInt32(16, HeaderLength);
        w.PatchUInt32(ChecksumAt, 0);
        w.PatchInt64(28, (long)Segment);
        w.PatchInt64(36, Offset);
        w.PatchInt32(44, Length);
        w.PatchInt32(48, RegionOffset);
        w.PatchInt32(52, RegionLength);
        w.PatchInt32(84, records);
        Checksum = Crc32C.Of(w.Written);
        w.PatchUInt32(ChecksumAt, Checksum);
    }

    /// <summary>Length of the header that begins here, 0 when none begins here.</summary>
    public static int Probe(ReadOnlySpan<byte> block, ReadOnlySpan<byte> key)
    {
#if MUTANTS
        if (Mutants.On(Mutant.KeyUnchecked) && block.Length >= FixedBytes && BinaryPrimitives.ReadInt32LittleEndian(block[16..]) is >= FixedBytes and < Limits.BlockBytes and var any) return any;
#endif
        if (block.Length < FixedBytes || !block[..KeyBytes].SequenceEqual(key)) return 0;
        int length = BinaryPrimitives.ReadInt32LittleEndian(block[16..]);
        return length >= FixedBytes ? length : 0;
    }

    /// <summary>Null when the bytes (exactly a header's) are none, or none of this file and place: a block in which one of these differs is no header (§1.3).</summary>
    public static BatchHeader? Parse(Span<byte> bytes, ulong segment, long blockOffset)
    {
        uint stated = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumAt..], 0);
        uint actual = Crc32C.Of(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumAt..], stated);
        if (stated != actual) return null;
        var r = new ByteReader(bytes);
        r.Bytes(KeyBytes);
        var h = new BatchHeader { HeaderLength = r.Int32(), Checksum = r.UInt32() };
        ushort format = r.UInt16();
        h.Flags = (BatchFlags)r.UInt16();
        h.Segment = r.UInt64();
        h.Offset = r.Int64();
        h.Length = r.Int32();
        h.RegionOffset = r.Int32();
        h.RegionLength = r.Int32();
        h.Number = r.UInt64();
        h.Previous = r.UInt64();
        h.PreviousChecksum = r.UInt32();
        h.Needed = r.UInt64();
        if (format > FormatNumber) throw new StorageRefusal($"a journal batch has format {format}; this version reads up to {FormatNumber}");
        if (h.Segment != segment || h.Length <= 0 || h.RegionOffset < h.HeaderLength || h.RegionLength < 0 || h.RegionOffset + h.RegionLength > h.BackOffset) return null;
        if (blockOffset != h.Offset && blockOffset != h.Offset + h.BackOffset) return null;
        h.Ops = new BatchOp[r.Count(6)];
        for (int i = 0; i < h.Ops.Length; i++)
        {
            if (!BatchOp.TryRead(ref r, out h.Ops[i])) return null;
            ref readonly var op = ref h.Ops[i];
            if (op.HasBytes && (op.Offset < 0 || op.Length < 0 || op.Last < op.First || (long)op.Offset + op.Length > h.RegionLength)) return null;
        }
        return r.Ok && r.AtEnd ? h : null;
    }
}
