using System.Buffers.Binary;
using System.Text;

namespace Quorate.ZooKeeper;

/// <summary>
/// Reads Jute (zookeeper.md §1.1), big-endian, from a span. The failure is sticky: past the end, or at a negative length that is not -1, everything reads as zero and <see cref="Failed"/> stays set; check it once, at the end.
/// Buffers and strings come as spans of the input; <c>isNull</c> keeps null (-1) and empty apart.
/// </summary>
public ref struct JuteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }
    public bool Failed { get; private set; }
    public readonly bool Ok => !Failed;
    public readonly int Remaining => _bytes.Length - Position;

    /// <summary>What was not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _bytes[Position..];

    public void Fail() => Failed = true;

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (Failed || (uint)count > (uint)Remaining)
        {
            Failed = true;
            return default;
        }
        var span = _bytes.Slice(Position, count);
        Position += count;
        return span;
    }

    public byte Byte() => Bytes(1) is { Length: 1 } s ? s[0] : (byte)0;

    /// <summary>Any byte but 0 is true.</summary>
    public bool Bool() => Byte() != 0;

    public int Int() => Bytes(4) is { Length: 4 } s ? BinaryPrimitives.ReadInt32BigEndian(s) : 0;
    public long Long() => Bytes(8) is { Length: 8 } s ? BinaryPrimitives.ReadInt64BigEndian(s) : 0;

    /// <summary>A buffer or string as it stands; a length of -1 is null.</summary>
    public ReadOnlySpan<byte> Buffer(out bool isNull)
    {
        int length = Int();
        isNull = length == -1;
        return isNull ? default : Bytes(length);
    }

    /// <summary>A string. Malformed UTF-8 is not refused: each bad piece becomes U+FFFD, in <paramref name="scratch"/>.</summary>
    public ReadOnlySpan<byte> String(ByteWriter scratch, out bool isNull)
    {
        var raw = Buffer(out isNull);
        return Utf8Repair.IsWhole(raw) ? raw : Utf8Repair.Repaired(raw, scratch);
    }

    /// <summary>
    /// A vector's count; -1 is null, other negative counts are an empty loop (as Java reads them). A count that cannot fit, at <paramref name="leastBytesEach"/> bytes an element, fails: nothing is ever sized by an unchecked number.
    /// </summary>
    public int Count(int leastBytesEach, out bool isNull)
    {
        int n = Int();
        isNull = n == -1;
        if (n <= 0) return 0;
        if ((long)n * leastBytesEach <= Remaining) return n;
        Failed = true;
        return 0;
    }
}

/// <summary>What Java's decoder does to bytes that are no UTF-8.</summary>
internal static class Utf8Repair
{
    private static ReadOnlySpan<byte> Replacement => "\uFFFD"u8;

    public static bool IsWhole(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    /// <summary>A copy with U+FFFD for each malformed piece, appended to <paramref name="into"/>. The span is valid until the writer grows: repair a request's strings only after reserving for all of them.</summary>
    public static ReadOnlySpan<byte> Repaired(ReadOnlySpan<byte> bytes, ByteWriter into)
    {
        into.Ensure(checked(bytes.Length * 3));
        int start = into.Length;
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out _, out int consumed);
            into.Bytes(status == System.Buffers.OperationStatus.Done ? bytes[..consumed] : Replacement);
            bytes = bytes[consumed..];
        }
        return into.Written[start..];
    }
}
