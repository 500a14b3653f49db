namespace Quorate.Simulation.Faults;

/// <summary>
/// What one seed draws for any world (swarm testing, Groce 2012: each seed its own subset and rates of faults, for what all of them together hide); each world adds its own. A rate is the mean time between two faults of that kind; 0: never in this world.
/// </summary>
public abstract class FaultPlan
{
    private protected FaultPlan(ref Prng prng, int pace)
    {
        Pace = pace;
        Crash = Rate(ref prng, 0.55);
        Kill = Rate(ref prng, 0.45);
        AllCrash = Once(ref prng, 0.15);
        Pause = Rate(ref prng, 0.3);
        Partition = Rate(ref prng, 0.5);
        OneWay = Rate(ref prng, 0.3);
        DiskStall = Rate(ref prng, 0.3);
        WallJump = Rate(ref prng, 0.2);
        Transfer = Rate(ref prng, 0.3);
        SlowDisk = prng.Chance(0.25);
        CrashInRecovery = prng.Chance(0.35) ? 0.3 : 0;
        DiskFull = Rate(ref prng, 0.2);
        DiskFails = Rate(ref prng, 0.25);
        Damage = Rate(ref prng, 0.3);
        Wipe = Rate(ref prng, 0.15);
    }

    /// <summary>How many times slower than in the core world things go: rates and lengths of faults are multiplied by it.</summary>
    public int Pace { get; }

    /// <summary>A member loses its power.</summary>
    public long Crash { get; }

    /// <summary>A member's process is killed.</summary>
    public long Kill { get; }

    /// <summary>When everything loses power at once; 0: never.</summary>
    public long AllCrash { get; }
    public long Pause { get; }
    public long Partition { get; }
    public long OneWay { get; }
    public long DiskStall { get; }
    public long WallJump { get; }
    public long Transfer { get; }

    /// <summary>A member's disk has no room for a while.</summary>
    public long DiskFull { get; }

    /// <summary>An operation of a member's disk fails (EIO); the member stops and is started again.</summary>
    public long DiskFails { get; }

    /// <summary>Bits flip and blocks die on the disk of a member that lost its power, while all the others are well.</summary>
    public long Damage { get; private protected set; }

    /// <summary>A member loses its disk, while all the others are well.</summary>
    public long Wipe { get; private protected set; }
    public bool SlowDisk { get; }

    /// <summary>Chance that a start is cut short at some disk operation of its recovery.</summary>
    public double CrashInRecovery { get; }

    public SimDisk NewDisk(ulong seed) => new(seed) { JournalMicros = SlowDisk ? (500, 8_000) : (50, 400), ReadMicros = SlowDisk ? (500, 8_000) : (20, 1_000) };

    private protected long Rate(ref Prng prng, double on) => prng.Chance(on) ? Pace * Pick(ref prng, 60_000, 250_000, 1_000_000) : 0;

    private protected static long Once(ref Prng prng, double on) => prng.Chance(on) ? prng.Between(400_000, 2_500_000) : 0;

    private protected static T Pick<T>(ref Prng prng, params ReadOnlySpan<T> of) => of[(int)prng.Below(of.Length)];
}
