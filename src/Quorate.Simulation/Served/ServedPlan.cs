using Quorate.Simulation.Faults;

namespace Quorate.Simulation.Served;

/// <summary>What one seed draws for a served world.</summary>
public sealed class ServedPlan : FaultPlan
{
    public const int Registers = 3;
    public const int Locks = 2;

    public ServedPlan(ref Prng prng) : base(ref prng, pace: 2)
    {
        Members = prng.Chance(0.8) ? 3 : prng.Chance(0.5) ? 5 : 1;
        Clients = 2 + (int)prng.Below(4);
        ThinkMicros = Pick(ref prng, 3_000, 15_000, 60_000);
        Pipelined = 1 + (int)prng.Below(4);
        SessionMillis = Pick(ref prng, 1_500, 2_500, 4_000);
        Chop = Pick(ref prng, 0.0, 0.1, 0.5);
        CutClient = Rate(ref prng, 0.4);
        CutPeer = Rate(ref prng, 0.4);
        Slow = Rate(ref prng, 0.3);
        Snapshot = Rate(ref prng, 0.4);
        ClientVanishes = Rate(ref prng, 0.2);
        SnapshotBytes = Pick(ref prng, 10_000, 60_000, 10_000_000);
        TrailingBytes = Pick(ref prng, 0, 4_000, 100_000);
        Isolate = Members >= 3 && prng.Chance(0.25) ? prng.Between(100_000, 900_000) : 0;
        LongestRest = Isolate > 0 ? 10_000_000 : 3_000_000;
        if (Isolate > 0) SessionMillis = 1_500;
        Retire = Rate(ref prng, 0.2);
        Rolling = Once(ref prng, 0.12);
        Membership = Rate(ref prng, 0.2);
        Lag = Rate(ref prng, 0.25);
        if (Lag > 0) (SnapshotBytes, TrailingBytes) = (10_000, 0);
        Borrow = Rate(ref prng, 0.25);
        Crowd = prng.Chance(0.04) ? Pick(ref prng, 60, 60, 300, 2_000) : 0;
        RecentBytes = Pick(ref prng, 16 * 1024, 32L * 1024 * 1024);
    }

    public int Members { get; }
    public int Clients { get; }
    public long ThinkMicros { get; }

    /// <summary>Requests that a client sends without waiting, at most.</summary>
    public int Pipelined { get; }
    public int SessionMillis { get; }
    public double Chop { get; }
    public long CutClient { get; }
    public long CutPeer { get; }
    public long Slow { get; }
    public long Snapshot { get; }

    /// <summary>A client goes without a word, and another takes its place.</summary>
    public long ClientVanishes { get; }
    public long SnapshotBytes { get; }
    public long TrailingBytes { get; }

    /// <summary>When one member, with the clients that are connected to it, is cut off from everybody else until the world heals (sessions.md §6.2): long enough for its sessions to expire elsewhere. 0: never.</summary>
    public long Isolate { get; }

    /// <summary>A member is told to stop (SIGTERM), and is started again.</summary>
    public long Retire { get; }

    /// <summary>When all members are told so, one after the other; 0: never.</summary>
    public long Rolling { get; }

    /// <summary>Members are removed, added again and promoted.</summary>
    public long Membership { get; }

    /// <summary>A member hears nothing from the others for less than it takes to hang up its clients, while they write snapshots and forget their logs: it installs one with clients connected.</summary>
    public long Lag { get; }

    /// <summary>Somebody takes up another's session by its password.</summary>
    public long Borrow { get; }

    /// <summary>Clients that only watch.</summary>
    public int Crowd { get; }

    /// <summary>Bytes of journal that stay in memory: with few, older entries are read from the disk.</summary>
    public long RecentBytes { get; }

    /// <summary>How long an owner of a lock may do nothing but ping.</summary>
    public long LongestRest { get; }
}
