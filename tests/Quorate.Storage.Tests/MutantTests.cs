#if MUTANTS
namespace Quorate.Storage.Tests;

/// <summary>Every rule of storage.md that is left out on purpose must be caught by some world (-p:Mutants=true).</summary>
public class MutantTests
{
    [Theory]
    [InlineData(Mutant.AcknowledgeBeforeSync)]
    [InlineData(Mutant.RecoveryTrustsCache)]
    [InlineData(Mutant.NoOpeningAfterRecovery)]
    [InlineData(Mutant.SegmentFreedEarly)]
    [InlineData(Mutant.PromiseLeavesWithSegment)]
    [InlineData(Mutant.TornTakenForDamage)]
    [InlineData(Mutant.HeaderBehindLeftOut)]
    [InlineData(Mutant.SnapshotUsedUnread)]
    [InlineData(Mutant.NeededCountsOwnBatch)]
    [InlineData(Mutant.OpeningNamesTheTorn)]
    [InlineData(Mutant.FactsFromWhatGathers)]
    public void Is_caught(Mutant mutant)
    {
        Mutants.Planted = mutant;
        try
        {
            for (ulong seed = 0; seed < 1_000; seed++)
            {
                try
                {
                    new ModelWorld(seed).Run(lives: 8);
                }
                catch (Exception e) when (e is BrokenPromise or InvariantException or KeyNotFoundException)
                {
                    return;
                }
            }
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
        Assert.Fail($"{mutant} was not caught");
    }
}
#endif
