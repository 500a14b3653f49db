using System.Buffers.Binary;
using System.Numerics;

namespace Quorate.Kernel;

/// <summary>CRC-32C (Castagnoli), eight bytes at a time; the hardware's instruction where there is one.</summary>
public static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Continue(~0u, bytes);

    /// <summary>Continues a raw (not inverted) state: start from <c>~0u</c>, invert at the end.</summary>
    public static uint Continue(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (byte b in bytes) state = BitOperations.Crc32C(state, b);
        return state;
    }
}
