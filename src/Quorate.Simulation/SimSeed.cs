using System.Buffers.Binary;

namespace Quorate.Simulation;

/// <summary>The door of chance in a world: the world's own seed, split for each member, so that one member's draws do not move another's.</summary>
public sealed class SimSeed(ulong seed) : ISeed
{
    private Prng _prng = new(seed);

    public void Fill(Span<byte> bytes)
    {
        Span<byte> word = stackalloc byte[8];
        while (bytes.Length > 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, _prng.Next());
            int n = Math.Min(8, bytes.Length);
            word[..n].CopyTo(bytes);
            bytes = bytes[n..];
        }
    }
}
