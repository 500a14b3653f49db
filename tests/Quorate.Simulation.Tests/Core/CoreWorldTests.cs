namespace Quorate.Simulation.Tests.Core;

public class CoreWorldTests
{
    private static readonly SimOptions s_options = new() { World = WorldKind.Core, FaultMicros = 2_000_000 };

    [Fact]
    public void The_same_seed_is_the_same_world()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var first = SimRun.Run(seed, s_options);
            var again = SimRun.Run(seed, s_options with { Line = _ => { } });
            Assert.Equal(first, again);
        }
    }

    // Four parts, so that a runner with two cores uses both; each world is single-threaded.
    private static void Hunt(ulong from, ulong to)
    {
        for (ulong seed = from; seed < to; seed++)
        {
            var outcome = SimRun.Run(seed, s_options);
            Assert.True(outcome.Broken is null, $"{outcome.Broken} is broken in seed {seed}: ./quorate sim --seed {seed} --verbose\n{outcome.Detail}");
        }
    }

    [Fact]
    public void Seeds_hold_every_promise() => Hunt(1, 501);
}
