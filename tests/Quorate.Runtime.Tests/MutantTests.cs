#if MUTANTS
using Xunit.Sdk;

namespace Quorate.Runtime.Tests;

/// <summary>
/// The rules of sessions.md, each left out (src/Quorate.Kernel/Mutants.cs): the story that its schedule tells passes with the true code and fails with the bug in it.
/// </summary>
[Trait("Category", "Mutants")]
public class MutantTests
{
    private static readonly Dictionary<Mutant, Action> s_stories = new()
    {
        [Mutant.FenceUnchecked] = () => new StreamStories().A_transaction_of_an_earlier_term_behind_a_later_one_is_skipped_by_everyone(),
        [Mutant.StreamNumberTwice] = () => new StreamStories().A_number_that_comes_a_second_time_takes_effect_once(),
        [Mutant.ResendOnlyOnLeaderChange] = () => new StreamStories().What_was_lost_on_the_way_comes_again_without_a_leader_change_and_once_for_one_echo(),
        [Mutant.EmptiedAttachResentWhole] = () => new StreamStories().A_healed_members_old_attach_goes_empty_and_throws_nobody_off(),
        [Mutant.QueueKeptAcrossTerms] = () => new StreamStories().A_leaders_queue_belongs_to_one_term(),
        [Mutant.PreparedOverConfiguration] = () => new StreamStories().Nothing_is_prepared_while_a_configuration_in_the_log_is_not_applied(),
        [Mutant.PositionResetByRemoval] = () => new StreamStories().A_position_outlives_its_members_removal(),
        [Mutant.EpochBitFromConfiguration] = () => new StreamStories().A_member_that_replays_the_log_under_a_later_configuration_reaches_the_same_epochs(),
        [Mutant.AttachJudgedLocally] = () => new HandshakeStories().A_member_that_has_not_applied_the_open_does_not_tell_a_living_session_that_it_expired(),
        [Mutant.StaleAttachmentServed] = () => new HandshakeStories().A_session_that_moves_between_members_is_closed_where_it_was_and_its_late_write_takes_no_effect(),
        [Mutant.ExpireBeforeQueuedAttach] = () => new HandshakeStories().A_queued_attach_is_taken_before_any_expire(),
        [Mutant.AttachDoesNotTouch] = () => new HandshakeStories().An_attach_that_arrives_touches_its_session_taken_or_not(),
        [Mutant.SyncAnsweredLocally] = () => new HandshakeStories().A_sync_waits_until_what_was_committed_when_it_was_asked_is_applied_here(),
        [Mutant.PendingKeptAcrossTerms] = () => new SessionPrepareTests().An_expire_is_dropped_when_the_session_was_attached_again_pending_attachments_included(),
        [Mutant.ServeForever] = () => new ServingStories().A_member_that_slept_past_its_permission_hangs_up_before_it_reads_a_client(),
        [Mutant.ServedWithoutBeingNamed] = () => new ServingStories().A_removed_member_hangs_up_and_gives_no_numbers(),
        [Mutant.ApplyLagIgnored] = () => new ServingStories().A_member_that_hears_and_does_not_apply_hangs_up(),
        [Mutant.InstallWithConnectionsOpen] = () => new ServingStories().Before_a_snapshot_is_installed_every_client_is_hung_up(),
        [Mutant.ExpireWithoutExtraSpan] = () => new ServingStories().Expiry_waits_for_twice_the_largest_span_that_a_member_announced(),
        [Mutant.SpanKeptAcrossLeaders] = () => new ServingStories().A_new_leader_begins_the_whole_span_anew(),
        [Mutant.TouchesSentOnce] = () => new ServingStories().A_touch_that_was_lost_with_its_report_is_repeated_until_it_is_echoed(),
        [Mutant.VerdictsLeftOut] = () => new ServingStories().A_verdict_that_was_lost_with_its_beat_comes_again(),
        [Mutant.VerdictOfWhoLags] = () => new ReportStories().A_leader_that_lags_behind_a_reporter_gives_no_verdict(),
        [Mutant.OldReportEchoed] = () => new ReportStories().A_report_that_is_handed_over_as_old_is_not_echoed(),
        [Mutant.ReportEchoedByPart] = () => new ReportStories().A_part_of_a_report_that_was_lost_is_repeated_with_it(),
        [Mutant.ClaimKeptAcrossLeaders] = () => new ClaimTests().The_first_acknowledgement_to_a_new_leader_claims_nothing_of_the_report_to_the_old_one(),
    };

    public static TheoryData<Mutant> Planted => [.. s_stories.Keys];

    [Theory]
    [MemberData(nameof(Planted))]
    public void A_planted_bug_fails_the_story_that_the_true_code_passes(Mutant mutant)
    {
        var story = s_stories[mutant];
        Mutants.Planted = Mutant.None;
        story();
        Mutants.Planted = mutant;
        try
        {
            story();
        }
        catch (Exception caught) when (caught is XunitException or InvariantException)
        {
            return;
        }
        finally
        {
            Mutants.Planted = Mutant.None;
        }
        Assert.Fail($"{mutant} was not caught");
    }
}
#endif
