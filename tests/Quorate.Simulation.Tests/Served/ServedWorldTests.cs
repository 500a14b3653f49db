namespace Quorate.Simulation.Tests.Served;

public static class ServedHunt
{
    public static SimOptions Options { get; } = new() { World = WorldKind.Served, FaultMicros = 4_000_000 };

    public static void Seeds(ulong from, ulong to)
    {
        for (ulong seed = from; seed < to; seed++)
        {
            var outcome = SimRun.Run(seed, Options);
            Assert.True(outcome.Broken is null, $"{outcome.Broken} is broken; to see it again: ./quorate sim --world served --seeds {seed} --fault-seconds 4 --trace\n{outcome.Detail}");
        }
    }
}

public class ServedWorldTests
{
    [Fact]
    public void The_same_seed_is_the_same_world()
    {
        for (ulong seed = 1; seed <= 8; seed++)
        {
            var first = SimRun.Run(seed, ServedHunt.Options);
            var again = SimRun.Run(seed, ServedHunt.Options with { Line = _ => { } });
            Assert.Equal(first, again);
        }
    }
}

/// <summary>Seeds that showed something when they were first run; what it was stands beside each.</summary>
public class ServedSeedsThatFoundSomething
{
    [Theory]
    [InlineData(11_079)] // a snapshot that its receiver was past already was never answered, and its sender waited for ever
    [InlineData(11_095)] // the same, at a new leader
    public void Hold_every_promise(ulong seed) => ServedHunt.Seeds(seed, seed + 1);
}

public class ServedSeedsFirstHalf
{
    [Fact]
    public void A_hundred_seeds_hold_every_promise() => ServedHunt.Seeds(1, 101);
}

public class ServedSeedsSecondHalf
{
    [Fact]
    public void A_hundred_seeds_hold_every_promise() => ServedHunt.Seeds(101, 201);
}
