#if MUTANTS
using System.Reflection;

namespace Quorate.Storage.Tests;

/// <summary>Every rule of storage.md that is left out on purpose must be caught (-p:Mutants=true): by some world, else by a story. The table stands in src/Quorate.Storage/README.md.</summary>
[Trait("Category", "Mutants")]
public class MutantTests
{
    public static TheoryData<Mutant, int> Worlds => new()
    {
        //WORLDS
    };

    /// <summary>What no random world meets often enough, and the story that does.</summary>
    public static TheoryData<Mutant, Type, string> Stories => new()
    {
        { Mutant.KeyUnchecked, typeof(Section1Recycling), nameof(Section1Recycling.A_users_bytes_never_read_as_a_header) },
        { Mutant.AdoptionUnsaid, typeof(Section1Recycling), nameof(Section1Recycling.What_a_switch_removed_does_not_come_back_when_the_staged_run_has_moved_away) },
        { Mutant.PreviousChecksumUnchecked, typeof(Section2Passing), nameof(Section2Passing.A_header_of_the_same_number_that_its_successor_does_not_name_is_no_batch) },
        { Mutant.OpeningOverTheCut, typeof(Section2Passing), nameof(Section2Passing.What_was_cut_stays_cut_however_it_reads_later_and_its_evidence_stays) },
        { Mutant.LastSpareForAll, typeof(Section3Room), nameof(Section3Room.A_full_disk_says_so_holds_what_may_wait_and_recovers_by_itself) },
        { Mutant.ReserveUngrown, typeof(Section3Room), nameof(Section3Room.The_reserve_grows_before_the_state_does_and_says_when_it_cannot) },
        { Mutant.ReserveAsLastSnapshot, typeof(Section3Rewriting), nameof(Section3Rewriting.A_reserve_as_large_as_the_last_snapshot_would_make_a_full_disk_final) },
        { Mutant.SnapshotNotReadBack, typeof(Section4Publishing), nameof(Section4Publishing.A_snapshot_that_rots_between_its_sync_and_its_reading_back_is_not_stored) },
    };

    /// <summary>The first seed is one that was seen to catch it; when the worlds have changed since, others are tried.</summary>
    [Theory, MemberData(nameof(Worlds))]
    public void Is_caught_by_a_world(Mutant mutant, int seen)
    {
        Mutants.Planted = mutant;
        try
        {
            if (Catches((ulong)seen)) return;
            for (ulong seed = 0; seed < 600; seed++)
                if (Catches(seed)) return;
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
        Assert.Fail($"{mutant} was not caught");
    }

    [Theory, MemberData(nameof(Stories))]
    public void Is_caught_by_a_story(Mutant mutant, Type section, string story)
    {
        Mutants.Planted = mutant;
        try
        {
            var caught = Assert.Throws<TargetInvocationException>(() => section.GetMethod(story)!.Invoke(Activator.CreateInstance(section), null));
            Assert.NotNull(caught.InnerException);
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
    }

    private static bool Catches(ulong seed)
    {
        try
        {
            new ModelWorld(seed).Run(lives: 8);
            return false;
        }
        catch (Exception e) when (e is BrokenPromise or InvariantException or KeyNotFoundException)
        {
            return true;
        }
    }
}
#endif
