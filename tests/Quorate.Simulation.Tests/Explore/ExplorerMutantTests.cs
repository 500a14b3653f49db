#if MUTANTS
using Quorate.Simulation.Explore;
using Xunit.Abstractions;

namespace Quorate.Simulation.Tests.Explore;

/// <summary>Planted bugs that a small world shows, each by the shortest way to it. The true core goes through the same bounds (to the depth that the bug was found at) and breaks nothing.</summary>
[Trait("Category", "Mutants")]
public class ExplorerMutantTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Mutant.CountSelfAtAppend, "QuorumDurable", 0, 1)]
    [InlineData(Mutant.AckUngated, "AckDurable", 0, 1)]
    [InlineData(Mutant.VoteForgottenInTerm, "VoteOncePerTerm", 0, 2)]
    [InlineData(Mutant.StaleVoteCounted, "ElectionSafety", 0, 2)]
    [InlineData(Mutant.VoteRequestUngated, "ClaimedLogDurable", 0, 2)]
    [InlineData(Mutant.TruncateUnconditionally, "QuorumDurable", 1, 1)]
    [InlineData(Mutant.StaleRejectionUsed, "MatchBelowNext", 1, 1)]
    public void The_shortest_way_is_found(Mutant mutant, string promise, int proposals, int timeouts)
    {
        var bounds = new ExploreBounds { Proposals = proposals, Timeouts = timeouts, States = 400_000 };
        var found = new Explorer(bounds) { Mutant = mutant }.Run();
        foreach (string line in found.Trace) output.WriteLine(line);
        Assert.Equal(promise, found.Broken);
        var honest = new Explorer(bounds with { Depth = found.Reached.Depth }).Run();
        Assert.Null(honest.Detail);
        Assert.Equal(found.Reached.Depth, found.Trace.Count);
    }
}
#endif
