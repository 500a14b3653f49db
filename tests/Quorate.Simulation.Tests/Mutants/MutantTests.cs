#if MUTANTS
using Quorate.Simulation.Tests.Core;
using Quorate.Simulation.Tests.Served;
using Xunit.Abstractions;

namespace Quorate.Simulation.Tests.Mutants;

/// <summary>
/// Bugs that others had, planted (raft.md §20; the rules of storage.md and sessions.md, each left out): a world must catch each within a bounded number of seeds in which the true code breaks nothing.
/// The table of docs/simulator.md is this one; the bounds leave room for schedules that move when the code does.
/// </summary>
public static class MutantHunt
{
    public static void Catch(Mutant mutant, int seeds, SimOptions options, ITestOutputHelper output)
    {
        for (ulong seed = 1; seed <= (ulong)seeds; seed++)
        {
            var outcome = SimRun.Run(seed, options with { Mutant = mutant });
            if (outcome.Broken is null) continue;
            var honest = SimRun.Run(seed, options);
            Assert.True(honest.Broken is null, $"seed {seed} breaks {honest.Broken} without any planted bug: {honest.Detail}");
            output.WriteLine($"{mutant}: {outcome.Broken} in seed {seed}");
            return;
        }
        Assert.Fail($"{mutant} was not caught in {seeds} seeds");
    }
}

[Trait("Category", "Mutants")]
public class CoreMutantTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Mutant.CountSelfAtAppend, 20)]
    [InlineData(Mutant.AckUngated, 20)]
    [InlineData(Mutant.VoteForgottenInTerm, 20)]
    [InlineData(Mutant.StaleVoteCounted, 250)]
    [InlineData(Mutant.StaleRejectionUsed, 20)]
    [InlineData(Mutant.AckLastIndex, 120)]
    [InlineData(Mutant.CommitPastVerified, 120)]
    [InlineData(Mutant.TruncateUnconditionally, 40)]
    [InlineData(Mutant.CommitOlderTermByCounting, 40)]
    [InlineData(Mutant.ReadIndexBeforeOwnTerm, 20)]
    // ConfigurationBeforeOwnTerm and VoteRequestUngated need schedules that this world seldom draws: tests/Quorate.Protocols.Tests catches them in its world of cores.
    [InlineData(Mutant.AcknowledgeBeforeSync, 60)]
    [InlineData(Mutant.PromiseLeavesWithSegment, 40)]
    public void A_planted_bug_is_caught(Mutant mutant, int seeds) => MutantHunt.Catch(mutant, seeds, CoreHunt.Options, output);
}

[Trait("Category", "Mutants")]
public class ServedMutantTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Mutant.OneChangeReplacement, 120)]
    [InlineData(Mutant.ExpireWithoutExtraSpan, 250)]
    [InlineData(Mutant.SyncAnsweredLocally, 30)]
    // StaleAttachmentServed needs a write that is still under way when its session was attached elsewhere and has written there (here once in 440 seeds): tests/Quorate.Runtime.Tests catches it.
    public void A_planted_bug_is_caught(Mutant mutant, int seeds) => MutantHunt.Catch(mutant, seeds, ServedHunt.Options, output);
}
#endif
