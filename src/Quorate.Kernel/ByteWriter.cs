using System.Buffers.Binary;

namespace Quorate.Kernel;

/// <summary>A growing byte buffer with a write position; little-endian unless the method says otherwise. Reused by its owner, never shared.</summary>
public sealed class ByteWriter
{
    private byte[] _buffer;

    public ByteWriter(int capacity = 0) => _buffer = capacity == 0 ? [] : new byte[capacity];

    /// <summary>Bytes written so far; may be lowered to take back a tail.</summary>
    public int Length { get; set; }

    public int Capacity => _buffer.Length;
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);
    public Span<byte> WrittenMutable => _buffer.AsSpan(0, Length);
    public byte[] Array => _buffer;

    public void Clear() => Length = 0;

    /// <summary>Lets the buffer go, so that an idle owner holds none.</summary>
    public void Release()
    {
        _buffer = [];
        Length = 0;
    }

    /// <summary>Drops the first <paramref name="count"/> bytes.</summary>
    public void Consume(int count)
    {
        Length -= count;
        if (Length > 0) Buffer.BlockCopy(_buffer, count, _buffer, 0, Length);
    }

    /// <summary>Room for <paramref name="count"/> bytes at the position, which moves behind them. What stood there is undefined.</summary>
    public Span<byte> Take(int count)
    {
        Ensure(count);
        var span = _buffer.AsSpan(Length, count);
        Length += count;
        return span;
    }

    public void Ensure(int count)
    {
        if (_buffer.Length - Length >= count) return;
        // Small at first: ten thousand idle connections each hold what one short reply needed until a sweep takes it.
        int size = Math.Max(Math.Max(64, _buffer.Length * 2), Length + count);
        var grown = GC.AllocateUninitializedArray<byte>(size);
        Buffer.BlockCopy(_buffer, 0, grown, 0, Length);
        _buffer = grown;
    }

    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));
    public void Byte(byte value) => Take(1)[0] = value;
    public void Bool(bool value) => Take(1)[0] = value ? (byte)1 : (byte)0;
    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);
    public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);
    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);
    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);
    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);
    public void Int32Big(int value) => BinaryPrimitives.WriteInt32BigEndian(Take(4), value);
    public void Int64Big(long value) => BinaryPrimitives.WriteInt64BigEndian(Take(8), value);

    /// <summary>An Int32 length, then the bytes.</summary>
    public void Sized(ReadOnlySpan<byte> bytes)
    {
        Int32(bytes.Length);
        Bytes(bytes);
    }

    /// <summary>A UTF-8 string with an Int32 length before it.</summary>
    public void Text(string value)
    {
        int n = System.Text.Encoding.UTF8.GetByteCount(value);
        Int32(n);
        System.Text.Encoding.UTF8.GetBytes(value, Take(n));
    }

    public void PatchInt32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(at), value);
    public void PatchUInt32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(at), value);
    public void PatchInt64(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(at), value);
    public void PatchInt32Big(int at, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(at), value);
}
