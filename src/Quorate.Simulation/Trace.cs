namespace Quorate.Simulation;

/// <summary>
/// What happened in a world, as one number and, when asked, as one line an event. Two runs of a seed are the same run exactly when their hashes are equal.
/// A line is only built when <see cref="Verbose"/>; the hash takes its numbers either way, so that listening changes nothing.
/// </summary>
public sealed class Trace(Action<string>? line)
{
    private Fingerprint _print;
    private readonly Action<string>? _line = line;

    public bool Verbose => _line is not null;

    public ulong Hash => _print.Value;

    /// <summary>Lines of the last moments before a breach are worth more than none: kept when not verbose, too, is nothing; replay the seed instead.</summary>
    public void Add(long micros, byte kind, long a, long b)
    {
        _print.Add(micros * 256 + kind);
        _print.Add(a);
        _print.Add(b);
    }

    public void Line(long micros, string who, string what) =>
        _line?.Invoke(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{micros / 1_000_000}.{micros % 1_000_000:D6}  {who,-4} {what}"));
}
