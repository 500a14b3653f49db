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

    [Theory]
    [InlineData(Mutant.MarkIgnoredInVotes, nameof(RaftPaperTests.Marks))]
    [InlineData(Mutant.MarkedStands, nameof(RaftPaperTests.Marks))]
    [InlineData(Mutant.LostBaseForgotten, nameof(RaftPaperTests.LostBase))]
    [InlineData(Mutant.LostBaseUnfed, nameof(RaftPaperTests.FeedsALostBase))]
    public void A_planted_bug_fails_its_paper_test(Mutant mutant, string test)
    {
        var method = typeof(RaftPaperTests).GetMethod(test)!;
        _ = method.Invoke(new RaftPaperTests(), null);
        Mutants.Planted = mutant;
        try
        {
            Assert.Throws<System.Reflection.TargetInvocationException>(() => method.Invoke(new RaftPaperTests(), null));
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
    }
}
#endif
