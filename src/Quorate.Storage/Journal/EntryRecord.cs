using System.Buffers.Binary;

namespace Quorate.Storage;

/// <summary>
/// An entry in a batch's region, at a multiple of 8 bytes:
/// <code>
/// length (4) | payload's CRC-32C (4) | kind (1) and three zeros | CRC-32C of index, partition and the twelve bytes before (4) | payload | zeros up to 8
/// </code>
/// The term stands in the run: a stamp may change it while the bytes lie where they are (storage.md §1.4).
/// </summary>
internal static class EntryRecord
{
    public const int HeadBytes = 16;

    public static int BytesOf(int payload) => HeadBytes + Batch.RoundUp8(payload);

    public static void Write(Span<byte> into, int partition, long index, EntryKind kind, uint checksum, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(into, payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(into[4..], checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(into[8..], (byte)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(into[12..], HeadCheck(into, partition, index));
        payload.CopyTo(into[HeadBytes..]);
        into[(HeadBytes + payload.Length)..].Clear();
    }

    /// <summary>Reads the head; false when it is not this entry's or states a length that does not fit.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> bytes, int partition, long index, out int length, out uint checksum, out EntryKind kind)
    {
        length = 0;
        checksum = 0;
        kind = 0;
        if (bytes.Length < HeadBytes) return false;
        length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        kind = (EntryKind)bytes[8];
        return length >= 0 && HeadCheck(bytes, partition, index) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
    }

    private static uint HeadCheck(ReadOnlySpan<byte> head, int partition, long index)
    {
        uint state = System.Numerics.BitOperations.Crc32C(~0u, (ulong)index);
        state = System.Numerics.BitOperations.Crc32C(state, (uint)partition);
        return ~Crc32C.Continue(state, head[..12]);
    }
}
