using System.Buffers.Binary;

namespace Quorate.Primitives.Tree;

/// <summary>A 64-bit hash of bytes and numbers, the same on every machine: sixteen bytes a multiplication, high and low half folded. It finds rows and makes the digest; it is no defence against an adversary.</summary>
internal static class Hash64
{
    private const ulong K0 = 0xA0761D6478BD642F, K1 = 0xE7037ED1A0B428DB, K2 = 0x8EBC6AF09C88C6E3;

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong h = Fold(seed ^ K0, (ulong)bytes.Length ^ K1);
        while (bytes.Length >= 16)
        {
            h = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ h, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ K1);
            bytes = bytes[16..];
        }
        ulong a = 0, b = 0;
        if (bytes.Length >= 8)
        {
            a = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            bytes = bytes[8..];
        }
        for (int i = 0; i < bytes.Length; i++) b |= (ulong)bytes[i] << (8 * i);
        return Fold(a ^ h ^ K2, b ^ K1 ^ (h >> 29));
    }

    public static ulong Mix(ulong h, ulong value) => Fold(h ^ K0 ^ (value << 32 | value >> 32), value ^ K1) + h * K2;

    private static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
