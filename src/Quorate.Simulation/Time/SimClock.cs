namespace Quorate.Simulation.Time;

/// <summary>
/// One machine's clocks over the world's true time: a monotone one with an own begin and drift (it counts suspension), and a wall clock that may stand anywhere and jump (DESIGN §3, Time).
/// </summary>
public sealed class SimClock(long offsetMicros, int driftPerMillion, long wallMillis)
{
    private long _offset = offsetMicros;

    /// <summary>Wall clock minus true time; a jump sets it.</summary>
    public long WallOffsetMillis { get; set; } = wallMillis;

    public int DriftPerMillion { get; } = driftPerMillion;

    /// <summary>A new run's monotone clock may begin anywhere: only within a run it never decreases.</summary>
    public void Restart(long offsetMicros) => _offset = offsetMicros;

    public Instant At(long worldMicros) => new(Local(worldMicros), WallOffsetMillis + worldMicros / Instant.MicrosPerMilli);

    /// <summary>The first world time at which this clock shows at least <paramref name="localMicros"/>; Never for never.</summary>
    public long WorldOf(long localMicros)
    {
        if (localMicros == Instant.Never) return Instant.Never;
        long elapsed = localMicros - _offset;
        if (elapsed <= 0) return 0;
        long world = (long)((Int128)elapsed * 1_000_000 / (1_000_000 + DriftPerMillion));
        while (Local(world) < localMicros) world++;
        return world;
    }

    private long Local(long worldMicros) => _offset + worldMicros + (long)((Int128)worldMicros * DriftPerMillion / 1_000_000);
}
