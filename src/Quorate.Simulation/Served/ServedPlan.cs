namespace Quorate.Simulation.Served;

/// <summary>What one seed draws for a served world; as <see cref="Core.CorePlan"/>, each seed its own subset and rates. A rate is the mean time between two faults of its kind; 0: never.</summary>
public sealed class ServedPlan
{
    public const int Registers = 3;
    public const int Locks = 2;

    public ServedPlan(ref Prng prng)
    {
        Members = prng.Chance(0.8) ? 3 : prng.Chance(0.5) ? 5 : 1;
        Clients = 2 + (int)prng.Below(4);
        ThinkMicros = Pick(ref prng, 3_000, 15_000, 60_000);
        Pipelined = 1 + (int)prng.Below(4);
        SessionMillis = Pick(ref prng, 1_500, 2_500, 4_000);
        Chop = Pick(ref prng, 0.0, 0.1, 0.5);
        Crash = Rate(ref prng, 0.5);
        Kill = Rate(ref prng, 0.5);
        AllCrash = prng.Chance(0.15) ? prng.Between(500_000, 3_000_000) : 0;
        Pause = Rate(ref prng, 0.35);
        Partition = Rate(ref prng, 0.5);
        OneWay = Rate(ref prng, 0.3);
        CutClient = Rate(ref prng, 0.4);
        CutPeer = Rate(ref prng, 0.4);
        Slow = Rate(ref prng, 0.3);
        DiskStall = Rate(ref prng, 0.3);
        WallJump = Rate(ref prng, 0.2);
        Transfer = Rate(ref prng, 0.3);
        Snapshot = Rate(ref prng, 0.4);
        Wipe = Members >= 3 && prng.Chance(0.15) ? prng.Between(500_000, 3_000_000) : 0;
        ClientVanishes = Rate(ref prng, 0.2);
        SnapshotBytes = Pick(ref prng, 10_000, 60_000, 10_000_000);
        TrailingBytes = Pick(ref prng, 0, 4_000, 100_000);
        SlowDisk = prng.Chance(0.25);
        CrashInRecovery = prng.Chance(0.3) ? 0.3 : 0;
        Isolate = Members >= 3 && prng.Chance(0.25) ? prng.Between(100_000, 900_000) : 0;
        LongestRest = Isolate > 0 ? 10_000_000 : 3_000_000;
        if (Isolate > 0) SessionMillis = 1_500;
    }

    public int Members { get; }
    public int Clients { get; }
    public long ThinkMicros { get; }

    /// <summary>Requests that a client sends without waiting, at most.</summary>
    public int Pipelined { get; }
    public int SessionMillis { get; }
    public double Chop { get; }
    public long Crash { get; }
    public long Kill { get; }

    /// <summary>When everything loses power at once.</summary>
    public long AllCrash { get; }
    public long Pause { get; }
    public long Partition { get; }
    public long OneWay { get; }
    public long CutClient { get; }
    public long CutPeer { get; }
    public long Slow { get; }
    public long DiskStall { get; }
    public long WallJump { get; }
    public long Transfer { get; }
    public long Snapshot { get; }
    public long Wipe { get; }

    /// <summary>A client goes without a word, and another takes its place.</summary>
    public long ClientVanishes { get; }
    public long SnapshotBytes { get; }
    public long TrailingBytes { get; }
    public bool SlowDisk { get; }

    /// <summary>Chance that a start is cut short at some disk operation of its recovery.</summary>
    public double CrashInRecovery { get; }

    /// <summary>When one member, with the clients that are connected to it, is cut off from everybody else until the world heals (sessions.md §6.2): long enough for its sessions to expire elsewhere. 0: never.</summary>
    public long Isolate { get; }

    /// <summary>How long an owner of a lock may do nothing but ping.</summary>
    public long LongestRest { get; }

    private static long Rate(ref Prng prng, double on) => prng.Chance(on) ? Pick(ref prng, 150_000, 600_000, 2_000_000) : 0;

    private static T Pick<T>(ref Prng prng, params ReadOnlySpan<T> of) => of[(int)prng.Below(of.Length)];
}
