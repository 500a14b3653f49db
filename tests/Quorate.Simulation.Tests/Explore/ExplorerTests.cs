using Quorate.Simulation.Explore;

namespace Quorate.Simulation.Tests.Explore;

/// <summary>Small worlds of real cores, searched to their end. The counts are the search's own: they change when the core or the search does, and then somebody looks why.</summary>
public class ExplorerTests
{
    [Theory]
    [InlineData(3, 0, 0, 1)]
    [InlineData(2, 1, 1, 1)]
    [InlineData(1, 2, 2, 2)]
    public void Nothing_is_left_and_no_promise_breaks(int members, int proposals, int crashes, int timeouts)
    {
        var found = new Explorer(new ExploreBounds { Members = members, Proposals = proposals, Crashes = crashes, Timeouts = timeouts }).Run();
        Assert.Null(found.Detail);
        Assert.True(found.Whole);
    }

    [Fact]
    public void The_same_bounds_are_the_same_search()
    {
        var bounds = new ExploreBounds { Proposals = 1, Crashes = 1, Timeouts = 2, Depth = 12 };
        var (one, other) = (new Explorer(bounds).Run(), new Explorer(bounds).Run());
        Assert.Equal(one.Reached, other.Reached);
        Assert.Equal(12, one.Reached.Depth);
        Assert.False(one.Whole);
    }

    /// <summary>Whoever of three times out first, the states are the same but for the names.</summary>
    [Fact]
    public void Members_are_interchangeable()
    {
        var begun = new Explorer(new ExploreBounds { Proposals = 0, Depth = 1 }).Run();
        Assert.Equal(2, begun.Reached.States);
        Assert.Equal(3, begun.Reached.Steps);
    }

    [Fact]
    public void It_stops_at_its_number_of_states()
    {
        var found = new Explorer(new ExploreBounds { States = 100 }).Run();
        Assert.False(found.Whole);
        Assert.InRange(found.Reached.States, 100, 120);
    }
}
