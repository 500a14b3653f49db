#if MUTANTS
using Xunit.Abstractions;

namespace Quorate.Simulation.Tests.Mutants;

/// <summary>Bugs that others had, planted (raft.md §20, storage.md): the core world must catch each within a bounded number of seeds in which the true code breaks nothing.</summary>
[Trait("Category", "Mutants")]
public class CoreMutantTests(ITestOutputHelper output)
{
    private static readonly SimOptions s_options = new() { World = WorldKind.Core, FaultMicros = 2_000_000 };

    [Theory]
    [InlineData(Mutant.CountSelfAtAppend, 20)]
    [InlineData(Mutant.AckUngated, 20)]
    [InlineData(Mutant.VoteForgottenInTerm, 20)]
    [InlineData(Mutant.StaleVoteCounted, 200)]
    [InlineData(Mutant.StaleRejectionUsed, 20)]
    [InlineData(Mutant.AckLastIndex, 100)]
    [InlineData(Mutant.CommitPastVerified, 100)]
    [InlineData(Mutant.TruncateUnconditionally, 40)]
    [InlineData(Mutant.CommitOlderTermByCounting, 40)]
    [InlineData(Mutant.ConfigurationBeforeOwnTerm, 60)]
    [InlineData(Mutant.ReadIndexBeforeOwnTerm, 20)]
    [InlineData(Mutant.VoteRequestUngated, 40)]
    public void A_planted_bug_is_caught(Mutant mutant, int seeds)
    {
        for (ulong seed = 1; seed <= (ulong)seeds; seed++)
        {
            var outcome = SimRun.Run(seed, s_options with { Mutant = mutant });
            if (outcome.Broken is null) continue;
            var true_ = SimRun.Run(seed, s_options);
            Assert.True(true_.Broken is null, $"seed {seed} breaks {true_.Broken} without any planted bug: {true_.Detail}");
            output.WriteLine($"{mutant}: {outcome.Broken} in seed {seed}");
            return;
        }
        Assert.Fail($"{mutant} was not caught in {seeds} seeds");
    }
}
#endif
