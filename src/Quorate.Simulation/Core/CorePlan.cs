using Quorate.Simulation.Faults;

namespace Quorate.Simulation.Core;

/// <summary>What one seed draws for a core world.</summary>
public sealed class CorePlan : FaultPlan
{
    public CorePlan(ref Prng prng) : base(ref prng, pace: 1)
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
        LyingHints = Rate(ref prng, 0.3);
        Membership = Rate(ref prng, 0.35);
        if (Membership > 0) Wipe = Damage = 0; // an operator who takes a vote from the well while another is ill asks for what nobody promises
        SnapshotBytes = Pick(ref prng, 2_000, 20_000, 1_000_000);
        TrailingBytes = Pick(ref prng, 0, 500, 20_000);
        ValueBytes = Pick(ref prng, 0, 50, 2_000);
        SegmentBytes = Pick(ref prng, 64 * 1024, 128 * 1024, 512 * 1024);
        SmallWindows = prng.Chance(0.4);
        RecentBytes = Pick(ref prng, 8 * 1024, 32L * 1024 * 1024);
        var aside = prng; // the other worlds stay what they are
        if (Members >= 3 && Membership + Wipe + Damage == 0) Rot = Rate(ref aside, 0.6);
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
    public long LyingHints { get; }
    public long Membership { get; }

    /// <summary>Entries rot at any number of members at a time, while their machines have no power: that may stop them, and must not make them forget (storage.md §2.4). Only where nothing else takes a disk or a vote away.</summary>
    public long Rot { get; }

    /// <summary>Bytes of log that make a snapshot due.</summary>
    public long SnapshotBytes { get; }
    public long TrailingBytes { get; }

    /// <summary>Bytes that pad a command, so that segments fill.</summary>
    public int ValueBytes { get; }
    public int SegmentBytes { get; }
    public bool SmallWindows { get; }

    /// <summary>Bytes of journal that stay in memory: with few, older entries are read from the disk.</summary>
    public long RecentBytes { get; }
}
