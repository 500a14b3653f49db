namespace Quorate.Simulation.Tests.Core;

/// <summary>A world is single-threaded; its seeds are dealt to classes, which the runner runs beside each other.</summary>
public static class CoreHunt
{
    public static SimOptions Options { get; } = new() { World = WorldKind.Core, FaultMicros = 2_000_000 };

    public static void Seeds(ulong from, ulong to)
    {
        for (ulong seed = from; seed < to; seed++)
        {
            var outcome = SimRun.Run(seed, Options);
            Assert.True(outcome.Broken is null, $"{outcome.Broken} is broken; to see it again: ./quorate sim --seeds {seed} --fault-seconds 2 --trace\n{outcome.Detail}");
        }
    }
}

public class CoreWorldTests
{
    [Fact]
    public void The_same_seed_is_the_same_world()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var first = SimRun.Run(seed, CoreHunt.Options);
            var again = SimRun.Run(seed, CoreHunt.Options with { Line = _ => { } });
            Assert.Equal(first, again);
        }
    }

    [Fact]
    public void Nodes_lose_entries_ask_about_them_and_are_brought_past_them()
    {
        int marked = 0, asked = 0, brought = 0;
        for (ulong seed = 61; seed <= 120; seed++)
            _ = SimRun.Run(seed, CoreHunt.Options with
            {
                Line = line =>
                {
                    if (line.Contains("are damaged in batch", StringComparison.Ordinal)) marked++;
                    else if (line.Contains("asks the voters about its mark", StringComparison.Ordinal)) asked++;
                    else if (line.Contains("damaged entry brought back", StringComparison.Ordinal)) brought++;
                },
            });
        Assert.True(marked > 20 && asked > 20 && brought > 2, $"marked {marked}, asked {asked}, brought back {brought}: too tame");
    }

    [Fact]
    public void Different_seeds_are_different_worlds() => Assert.NotEqual(SimRun.Run(1, CoreHunt.Options).Hash, SimRun.Run(2, CoreHunt.Options).Hash);
}

public class CoreSeedsFirstHalf
{
    [Fact]
    public void Four_hundred_seeds_hold_every_promise() => CoreHunt.Seeds(1, 401);
}

public class CoreSeedsSecondHalf
{
    [Fact]
    public void Four_hundred_seeds_hold_every_promise() => CoreHunt.Seeds(401, 801);
}
