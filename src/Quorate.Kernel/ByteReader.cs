using System.Buffers.Binary;

namespace Quorate.Kernel;

/// <summary>Reads little-endian fields from a span with a sticky failure: past the end, everything reads as zero and <see cref="Failed"/> stays set. Check it once, at the end.</summary>
public ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }
    public bool Failed { get; private set; }

    public readonly int Remaining => _bytes.Length - Position;
    public readonly bool AtEnd => Position == _bytes.Length;
    public readonly bool Ok => !Failed;

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
    public bool Bool() => Byte() != 0;
    public ushort UInt16() => Bytes(2) is { Length: 2 } s ? BinaryPrimitives.ReadUInt16LittleEndian(s) : (ushort)0;
    public int Int32() => Bytes(4) is { Length: 4 } s ? BinaryPrimitives.ReadInt32LittleEndian(s) : 0;
    public uint UInt32() => Bytes(4) is { Length: 4 } s ? BinaryPrimitives.ReadUInt32LittleEndian(s) : 0;
    public long Int64() => Bytes(8) is { Length: 8 } s ? BinaryPrimitives.ReadInt64LittleEndian(s) : 0;
    public ulong UInt64() => Bytes(8) is { Length: 8 } s ? BinaryPrimitives.ReadUInt64LittleEndian(s) : 0;
    public ReadOnlySpan<byte> Sized() => Bytes(Int32());
    public string Text() => System.Text.Encoding.UTF8.GetString(Sized());

    /// <summary>Reads a count and fails when fewer than <paramref name="leastBytesEach"/> bytes an item can follow: no allocation is ever sized by an unchecked number.</summary>
    public int Count(int leastBytesEach)
    {
        int n = Int32();
        if (n < 0 || (long)n * leastBytesEach > Remaining)
        {
            Failed = true;
            return 0;
        }
        return n;
    }
}
