#if MUTANTS
namespace Quorate.Protocols.Tests.Raft;

/// <summary>A world that finds nothing proves nothing: each planted bug (raft.md §20) must be caught within so many seeds. Run with -p:Mutants=true.</summary>
public class RaftMutantTests
{
    public static TheoryData<Mutant> Planted => new(Enum.GetValues<Mutant>().Where(m => m is >= Mutant.CountSelfAtAppend and <= Mutant.KeepTailOnInstall));

    [Theory, MemberData(nameof(Planted))]
    public void Is_caught(Mutant mutant)
    {
        const ulong Bound = 6_000;
        Mutants.Planted = mutant;
        try
        {
            for (ulong seed = 0; seed < Bound; seed++)
            {
                try
                {
                    RaftWorld.Run(seed);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    File.AppendAllText(Path.Combine(AppContext.BaseDirectory, "mutants.txt"), $"{mutant}: seed {seed}: {e.Message.Split('\n')[0]}\n");
                    return;
                }
            }
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
        Assert.Fail($"{mutant} survived {Bound} seeds");
    }
}
#endif
