namespace Quorate.Simulation.Core;

/// <summary>
/// What one seed draws for a core world (swarm testing, Groce 2012: each seed its own subset and rates, for what all of them together hide). A rate is the mean time between two faults of that kind; 0: never in this world.
/// </summary>
public sealed class CorePlan
{
    public CorePlan(ref Prng prng)
    {
        Members = prng.Chance(0.75) ? 3 : prng.Chance(0.7) ? 5 : prng.Chance(0.5) ? 1 : 4;
        Spares = prng.Chance(0.15) ? 1 : 0;
        Clients = 2 + (int)prng.Below(5);
        Keys = 1 + (int)prng.Below(3);
        ThinkMicros = Pick(ref prng, 500, 3_000, 20_000);
        Loss = prng.Chance(0.5) ? Pick(ref prng, 0.005, 0.03, 0.15) : 0;
        Double = prng.Chance(0.5) ? Pick(ref prng, 0.01, 0.1) : 0;
        Late = prng.Chance(0.5) ? Pick(ref prng, 0.01, 0.05, 0.2) : 0;
        LateMicros = Pick(ref prng, 5_000, 100_000, 800_000);
        Crash = Rate(ref prng, 0.6);
        Kill = Rate(ref prng, 0.4);
        AllCrash = prng.Chance(0.15) ? prng.Between(500_000, 2_500_000) : 0;
        Pause = Rate(ref prng, 0.3);
        Partition = Rate(ref prng, 0.5);
        OneWay = Rate(ref prng, 0.3);
        LyingHints = Rate(ref prng, 0.3);
        Transfer = Rate(ref prng, 0.3);
        Membership = Rate(ref prng, 0.35);
        Wipe = prng.Chance(0.15) ? prng.Between(400_000, 2_500_000) : 0;
        DiskStall = Rate(ref prng, 0.3);
        WallJump = Rate(ref prng, 0.2);
        SnapshotBytes = Pick(ref prng, 2_000, 20_000, 1_000_000);
        TrailingBytes = Pick(ref prng, 0, 500, 20_000);
        ValueBytes = Pick(ref prng, 0, 50, 2_000);
        SegmentBytes = Pick(ref prng, 64 * 1024, 128 * 1024, 512 * 1024);
        SmallWindows = prng.Chance(0.4);
        SlowDisk = prng.Chance(0.25);
        CrashInRecovery = prng.Chance(0.4) ? 0.3 : 0;
    }

    public int Members { get; }
    public int Spares { get; }
    public int Clients { get; }
    public int Keys { get; }
    public long ThinkMicros { get; }
    public double Loss { get; }
    public double Double { get; }
    public double Late { get; }
    public long LateMicros { get; }
    public long Crash { get; }
    public long Kill { get; }

    /// <summary>When everything loses power at once; 0: never.</summary>
    public long AllCrash { get; }
    public long Pause { get; }
    public long Partition { get; }
    public long OneWay { get; }
    public long LyingHints { get; }
    public long Transfer { get; }
    public long Membership { get; }
    public long Wipe { get; }
    public long DiskStall { get; }
    public long WallJump { get; }

    /// <summary>Bytes of log that make a snapshot due.</summary>
    public long SnapshotBytes { get; }
    public long TrailingBytes { get; }

    /// <summary>Bytes that pad a command, so that segments fill.</summary>
    public int ValueBytes { get; }
    public int SegmentBytes { get; }
    public bool SmallWindows { get; }
    public bool SlowDisk { get; }

    /// <summary>Chance that a start is cut short at some disk operation of its recovery.</summary>
    public double CrashInRecovery { get; }

    private static long Rate(ref Prng prng, double on) => prng.Chance(on) ? Pick(ref prng, 60_000, 250_000, 1_000_000) : 0;

    private static T Pick<T>(ref Prng prng, params ReadOnlySpan<T> of) => of[(int)prng.Below(of.Length)];
}
