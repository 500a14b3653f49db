using System.Collections.Concurrent;
using System.Diagnostics;

namespace Quorate.Interop.Tests.Kills;

/// <summary>What clients were told during the storm; times are one machine's monotone clock.</summary>
internal sealed class History
{
    /// <summary>An acknowledged conditional write: the value that it put there, its version, its zxid.</summary>
    public sealed record Written(string Path, int Version, long Zxid, string Value, double At);

    /// <summary>A holder's own belief, from the acknowledgement of its lock node until it let go or had reason to doubt.</summary>
    public sealed record Held(int Client, long Czxid, double From, double To);

    public sealed record Fault(string What, double At, double BackAfter);

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public ConcurrentQueue<Written> Registers { get; } = new();
    public ConcurrentQueue<Written> Counter { get; } = new();
    public ConcurrentQueue<string> Log { get; } = new();
    public ConcurrentQueue<Held> Lock { get; } = new();
    public ConcurrentQueue<Fault> Faults { get; } = new();
    /// <summary>What a client saw that no server may show: wrong order of zxids, a resumed session without its ephemeral, a value that goes back.</summary>
    public ConcurrentQueue<string> Breaches { get; } = new();
    private readonly Lock _marked = new();
    private double _mark = double.PositiveInfinity, _first = double.PositiveInfinity;
    private int _unknown, _resumed, _lost;

    public double Now => _clock.Elapsed.TotalSeconds;
    public int Unknown => _unknown;
    public int Resumed => _resumed;
    public int Lost => _lost;

    /// <summary>From now on the first acknowledgement is waited for.</summary>
    public void Mark(double at)
    {
        lock (_marked) (_mark, _first) = (at, double.PositiveInfinity);
    }

    public void Acknowledge()
    {
        var now = Now;
        lock (_marked)
            if (now > _mark && _first > now) _first = now;
    }

    /// <summary>When the first acknowledgement behind the mark came; infinite while none has.</summary>
    public double First
    {
        get
        {
            lock (_marked) return _first;
        }
    }

    public void Doubt() => Interlocked.Increment(ref _unknown);
    public void Resume() => Interlocked.Increment(ref _resumed);
    public void Lose() => Interlocked.Increment(ref _lost);
}
