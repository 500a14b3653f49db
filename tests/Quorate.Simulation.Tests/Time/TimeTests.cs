using Quorate.Simulation.Time;

namespace Quorate.Simulation.Tests.Time;

public class TimeTests
{
    [Fact]
    public void Events_come_in_order_of_time_and_then_of_asking()
    {
        var schedule = new Schedule();
        var said = new List<int>();
        var prng = new Prng(1);
        var expected = new List<(long At, int N)>();
        for (int i = 0; i < 1000; i++)
        {
            int n = i;
            long at = prng.Below(50);
            expected.Add((at, n));
            schedule.At(at, () => said.Add(n));
        }
        while (schedule.Step(1000))
        {
        }
        Assert.Equal(expected.OrderBy(e => e.At).ThenBy(e => e.N).Select(e => e.N), said);
        Assert.Equal(1000, schedule.NowMicros);
    }

    [Theory]
    [InlineData(0), InlineData(200), InlineData(-200), InlineData(50_000)]
    public void A_clock_wakes_neither_early_nor_late(int drift)
    {
        var clock = new SimClock(123_456_789, drift, 0);
        var prng = new Prng(7);
        for (int i = 0; i < 1000; i++)
        {
            long target = clock.At(0).Micros + prng.Below(100_000_000);
            long world = clock.WorldOf(target);
            Assert.True(clock.At(world).Micros >= target);
            if (world > 0) Assert.True(clock.At(world - 1).Micros < target);
        }
        Assert.Equal(Instant.Never, clock.WorldOf(Instant.Never));
    }
}
