namespace Quorate.Kernel;

/// <summary>
/// What a step is told of time (DESIGN §3): a monotone clock for deadlines, which counts suspension, and the wall clock, which only stamps.
/// </summary>
/// <param name="Micros">Monotone microseconds since an arbitrary start; never decreases within a run.</param>
/// <param name="WallMillis">Milliseconds since 1970-01-01 UTC; may jump; never used to decide anything.</param>
public readonly record struct Instant(long Micros, long WallMillis)
{
    /// <summary>A deadline that is not armed.</summary>
    public const long Never = long.MaxValue;

    public const long MicrosPerMilli = 1_000;
}
