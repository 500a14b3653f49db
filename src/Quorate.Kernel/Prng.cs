namespace Quorate.Kernel;

/// <summary>xoshiro256** seeded by splitmix64: the only chance that pure code may use; its seed comes through the seed door. Copying the struct copies its state.</summary>
public struct Prng
{
    private ulong _a, _b, _c, _d;

    public Prng(ulong seed)
    {
        _a = Split(ref seed);
        _b = Split(ref seed);
        _c = Split(ref seed);
        _d = Split(ref seed);
    }

    public ulong Next()
    {
        ulong result = ulong.RotateLeft(_b * 5, 7) * 9, t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = ulong.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Uniform in [0, <paramref name="bound"/>); 0 when the bound is not positive.</summary>
    public long Below(long bound) => bound <= 0 ? 0 : (long)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Uniform in [from, to).</summary>
    public long Between(long from, long to) => from + Below(to - from);

    public bool Chance(double probability) => (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    private static ulong Split(ref ulong x)
    {
        ulong z = x += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
