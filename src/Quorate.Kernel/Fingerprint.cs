namespace Quorate.Kernel;

/// <summary>A 64-bit print of a core's canonical state (DESIGN §3, Copies and prints). Equal states give equal prints in every process and on every machine.</summary>
public struct Fingerprint
{
    private ulong _state;

    public readonly ulong Value => _state;

    public void Add(ulong value)
    {
        ulong z = _state ^ (value + 0x9E3779B97F4A7C15 + (_state << 6) + (_state >> 2));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        _state = z ^ (z >> 31);
    }

    public void Add(long value) => Add((ulong)value);
    public void Add(bool value) => Add(value ? 1UL : 2UL);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Add((ulong)bytes.Length);
        foreach (byte b in bytes) Add((ulong)b);
    }
}
