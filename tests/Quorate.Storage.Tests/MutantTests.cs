#if MUTANTS
using System.Reflection;
using Quorate.Storage;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Quorate.Storage.Tests;

/// <summary>Every rule of storage.md that is left out on purpose must be caught (-p:Mutants=true): by a world, by a story, most by both; the same world and the same story are clean without it. The table stands in src/Quorate.Storage/README.md.</summary>
[Trait("Category", "Mutants")]
public class MutantTests(ITestOutputHelper output)
{
    public static TheoryData<Mutant, int> Worlds => new()
    {
        { Mutant.AcknowledgeBeforeSync, 0 },
        { Mutant.RecoveryTrustsCache, 26 },
        { Mutant.NoOpeningAfterRecovery, 0 },
        { Mutant.SegmentFreedEarly, 17 },
        { Mutant.PromiseLeavesWithSegment, 0 },
        { Mutant.TornTakenForDamage, 21 },
        { Mutant.HeaderBehindLeftOut, 1 },
        { Mutant.SnapshotUsedUnread, 2 },
        { Mutant.NeededCountsOwnBatch, 123 },
        { Mutant.OpeningNamesTheTorn, 169 },
        { Mutant.FactsFromWhatGathers, 9 },
        { Mutant.SecondHeaderIgnored, 2 },
        { Mutant.HigherHeadersNotSearched, 0 },
        { Mutant.SparesNotSearched, 13 },
        { Mutant.OldBatchesRead, 45 },
        { Mutant.HighestNotWrittenAgain, 149 },
        { Mutant.FailedSyncTriedAgain, 149 },
        { Mutant.DamageTakenForTorn, 9 },
        { Mutant.CutReadAgain, 169 },
        { Mutant.OpeningTakesTheCutNumber, 21 },
        { Mutant.OpeningForgetsConfigurations, 0 },
        { Mutant.OpeningForgetsMark, 61 },
        { Mutant.OpeningForgetsBegin, 0 },
        { Mutant.EmptyBatchLeftOut, 2 },
        { Mutant.MovedUnderOldStamp, 443 },
        { Mutant.MovedStagedAsLog, 25 },
        { Mutant.AdoptionUnsaid, 16 },
        { Mutant.SegmentUsedUnnamed, 1 },
        { Mutant.FullDiskStops, 0 },
        { Mutant.SnapshotUnnamed, 0 },
        { Mutant.InstalledWithoutSwitch, 2 },
        { Mutant.SnapshotReplacedEarly, 4 },
        { Mutant.IdentityOneSlot, 42 },
    };

    /// <summary>The schedule, made by hand.</summary>
    public static TheoryData<Mutant, Type, string> Stories => new()
    {
        { Mutant.AcknowledgeBeforeSync, typeof(Section2Passing), nameof(Section2Passing.A_failed_sync_stops_the_member_and_what_it_was_to_save_was_never_acknowledged) },
        { Mutant.RecoveryTrustsCache, typeof(Section2Damage), nameof(Section2Damage.The_page_cache_after_a_kill_is_made_durable_before_it_is_believed) },
        { Mutant.NoOpeningAfterRecovery, typeof(Section2Passing), nameof(Section2Passing.What_was_cut_stays_cut_however_it_reads_later_and_its_evidence_stays) },
        { Mutant.SegmentFreedEarly, typeof(Section1Log), nameof(Section1Log.A_vote_never_leaves_with_the_segment_in_which_it_was_cast) },
        { Mutant.PromiseLeavesWithSegment, typeof(Section1Log), nameof(Section1Log.A_vote_never_leaves_with_the_segment_in_which_it_was_cast) },
        { Mutant.TornTakenForDamage, typeof(Section2Damage), nameof(Section2Damage.A_torn_last_batch_is_cut_and_two_kills_in_the_middle_of_a_write_are_no_damage) },
        { Mutant.HeaderBehindLeftOut, typeof(Section2Damage), nameof(Section2Damage.A_bad_header_is_served_by_the_other_one) },
        { Mutant.SnapshotUsedUnread, typeof(Section4Publishing), nameof(Section4Publishing.A_snapshot_that_rots_between_its_sync_and_its_reading_back_is_not_stored) },
        { Mutant.NeededCountsOwnBatch, typeof(Section1Recycling), nameof(Section1Recycling.A_moved_run_frees_its_old_place_one_batch_later) },
        { Mutant.OpeningNamesTheTorn, typeof(Section2Passing), nameof(Section2Passing.A_cut_does_not_hide_a_batch_that_was_damaged_below_it) },
        { Mutant.SecondHeaderIgnored, typeof(Section2Damage), nameof(Section2Damage.A_bad_header_is_served_by_the_other_one) },
        { Mutant.HigherHeadersNotSearched, typeof(Section2Damage), nameof(Section2Damage.A_batch_without_any_header_stops_a_lone_member_and_touches_nothing) },
        { Mutant.SparesNotSearched, typeof(Section1Recycling), nameof(Section1Recycling.A_segment_whose_first_block_rots_is_searched_like_every_other) },
        { Mutant.KeyUnchecked, typeof(Section1Recycling), nameof(Section1Recycling.A_users_bytes_never_read_as_a_header) },
        { Mutant.PreviousChecksumUnchecked, typeof(Section2Passing), nameof(Section2Passing.A_header_of_the_same_number_that_its_successor_does_not_name_is_no_batch) },
        { Mutant.HighestNotWrittenAgain, typeof(Section2Damage), nameof(Section2Damage.The_page_cache_after_a_kill_is_made_durable_before_it_is_believed) },
        { Mutant.FailedSyncTriedAgain, typeof(Section2Passing), nameof(Section2Passing.A_failed_sync_stops_the_member_and_what_it_was_to_save_was_never_acknowledged) },
        { Mutant.DamageTakenForTorn, typeof(Section2Damage), nameof(Section2Damage.A_flipped_bit_in_an_entry_is_named_and_marked_and_nothing_else_is_lost) },
        { Mutant.CutReadAgain, typeof(Section2Damage), nameof(Section2Damage.A_torn_last_batch_is_cut_and_two_kills_in_the_middle_of_a_write_are_no_damage) },
        { Mutant.OpeningTakesTheCutNumber, typeof(Section2Passing), nameof(Section2Passing.A_cut_does_not_hide_a_batch_that_was_damaged_below_it) },
        { Mutant.OpeningOverTheCut, typeof(Section2Passing), nameof(Section2Passing.What_was_cut_stays_cut_however_it_reads_later_and_its_evidence_stays) },
        { Mutant.OpeningCountsItself, typeof(Section1Recycling), nameof(Section1Recycling.An_opening_that_is_torn_takes_no_promise_along) },
        { Mutant.OpeningForgetsConfigurations, typeof(Section1Log), nameof(Section1Log.A_vote_never_leaves_with_the_segment_in_which_it_was_cast) },
        { Mutant.OpeningForgetsMark, typeof(Section2Damage), nameof(Section2Damage.A_mark_outlives_the_batch_that_was_damaged) },
        { Mutant.OpeningForgetsBegin, typeof(Section1Log), nameof(Section1Log.A_vote_never_leaves_with_the_segment_in_which_it_was_cast) },
        { Mutant.EmptyBatchLeftOut, typeof(Section1Recycling), nameof(Section1Recycling.After_a_tenth_of_a_second_an_empty_batch_stands_behind_the_last_real_one) },
        { Mutant.MovedUnderOldStamp, typeof(Section1Recycling), nameof(Section1Recycling.What_is_moved_goes_under_its_newest_stamp) },
        { Mutant.AdoptionUnsaid, typeof(Section1Recycling), nameof(Section1Recycling.What_a_switch_removed_does_not_come_back_when_the_staged_run_has_moved_away) },
        { Mutant.SegmentUsedUnnamed, typeof(Section6Birth), nameof(Section6Birth.A_first_start_that_is_cut_short_anywhere_is_one_directory_or_none_and_a_run_is_never_used_twice) },
        { Mutant.FullDiskStops, typeof(Section3Room), nameof(Section3Room.A_full_disk_says_so_holds_what_may_wait_and_recovers_by_itself) },
        { Mutant.LastSpareForAll, typeof(Section3Room), nameof(Section3Room.The_last_spare_segment_is_kept_for_promises_and_what_lets_the_log_shrink) },
        { Mutant.ReserveUngrown, typeof(Section3Room), nameof(Section3Room.The_reserve_grows_before_the_state_does_and_says_when_it_cannot) },
        { Mutant.ReserveAsLastSnapshot, typeof(Section3Rewriting), nameof(Section3Rewriting.A_reserve_as_large_as_the_last_snapshot_would_make_a_full_disk_final) },
        { Mutant.SnapshotUnnamed, typeof(Section4Publishing), nameof(Section4Publishing.An_install_that_is_cut_short_anywhere_leaves_the_old_state_or_the_new_one) },
        { Mutant.SnapshotNotReadBack, typeof(Section4Publishing), nameof(Section4Publishing.A_snapshot_that_rots_between_its_sync_and_its_reading_back_is_not_stored) },
        { Mutant.InstalledWithoutSwitch, typeof(Section4Snapshots), nameof(Section4Snapshots.An_installed_snapshot_without_a_durable_switch_is_removed) },
        { Mutant.IdentityOneSlot, typeof(Section6Identity), nameof(Section6Identity.A_bad_slot_never_hides_a_run_that_was_used) },
    };

    /// <summary>The first seed is one that was seen to catch it; when the worlds have changed since, others are tried.</summary>
    [Theory, MemberData(nameof(Worlds))]
    public void Is_caught_by_a_world(Mutant mutant, int seen)
    {
        for (int seed = seen, tried = -1; tried < 600; seed = ++tried)
        {
            if (Failure(mutant, (ulong)seed) is not { } how) continue;
            Assert.Null(Failure(Mutant.None, (ulong)seed));
            output.WriteLine($"{mutant}: seed {seed}: {how}");
            return;
        }
        Assert.Fail($"{mutant} was not caught");
    }

    [Theory, MemberData(nameof(Stories))]
    public void Is_caught_by_a_story(Mutant mutant, Type section, string story)
    {
        Play(Mutant.None, section, story);
        var caught = Assert.Throws<TargetInvocationException>(() => Play(mutant, section, story));
        Assert.True(caught.InnerException is XunitException or StorageRefusal or InvariantException, $"{mutant} was not caught but broke the story itself: {caught.InnerException}");
        output.WriteLine($"{mutant}: {caught.InnerException!.Message}");
    }

    private static void Play(Mutant mutant, Type section, string story)
    {
        Mutants.Planted = mutant;
        try
        {
            section.GetMethod(story)!.Invoke(Activator.CreateInstance(section), null);
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
    }

    private static string? Failure(Mutant mutant, ulong seed)
    {
        Mutants.Planted = mutant;
        try
        {
            new ModelWorld(seed).Run(lives: 8);
            return null;
        }
        catch (Exception e) when (e is BrokenPromise or InvariantException or KeyNotFoundException)
        {
            return e.Message;
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
    }
}
#endif
