namespace Quorate.Simulation.Explore;

/// <summary>How far the explorer goes. Within the bounds it takes every order of deliveries, losses (a message that is never delivered), disk completions, crashes and timers.</summary>
public sealed record ExploreBounds
{
    /// <summary>Voters; 1 to 5.</summary>
    public int Members { get; init; } = 3;

    /// <summary>Commands that are proposed in all.</summary>
    public int Proposals { get; init; } = 1;

    /// <summary>Crashes in all, each followed by a start; of the writes under way any first part survives.</summary>
    public int Crashes { get; init; }

    /// <summary>Election time-outs (of a leader: its check of the quorum) in all.</summary>
    public int Timeouts { get; init; } = 2;

    /// <summary>Beats of leaders in all.</summary>
    public int Beats { get; init; }

    /// <summary>Steps from the begin.</summary>
    public int Depth { get; init; } = 100;

    /// <summary>Stops when so many states are known.</summary>
    public long States { get; init; } = long.MaxValue;
}
