#if MUTANTS
namespace Quorate.Protocols.Tests.Raft;

/// <summary>The rules of the dialogue about a mark (storage.md §2.4, docs/decisions/0009), each left out: the transcript that plays its schedule must break, and the true core plays it whole.</summary>
[Trait("Category", "Mutants")]
public class LossMutantTests
{
    [Theory]
    [InlineData(Mutant.LossAnsweredUngated, "loss-denied", "LossAnswerDurable")]
    [InlineData(Mutant.LossAnswerForgetsPending, "loss-pending", "expected mark")]
    [InlineData(Mutant.LossCountsItself, "loss-not-alone", "MarkTruth")]
    [InlineData(Mutant.LossByBareQuorum, "loss-unseen-configuration", "MarkTruth")]
    public void A_planted_bug_is_caught(Mutant mutant, string scenario, string how)
    {
        RaftScenarioTests.PlayWhole(scenario);
        Mutants.Planted = mutant;
        try
        {
            var broken = Assert.Throws<InvalidOperationException>(() => RaftScenarioTests.PlayWhole(scenario));
            Assert.Contains(how, broken.Message, StringComparison.Ordinal);
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
    }
}
#endif
