#if MUTANTS
using Xunit.Sdk;

namespace Quorate.ZooKeeper.Tests;

/// <summary>The rules of sessions.md §6.1 and §7 that live in the face, each left out: the test that tells its schedule passes with the true code and fails with the bug in it.</summary>
[Trait("Category", "Mutants")]
public class MutantTests
{
    private static readonly Dictionary<Mutant, Action> s_stories = new()
    {
        [Mutant.EventAfterReply] = () => new WatchTests().Rows81_and_82_the_event_comes_before_the_own_reply(),
        [Mutant.ParkedReadsAfterApply] = () => new QueueTests().Set_and_get_sixty_times_over_returns_to_each_get_its_own_value(),
        [Mutant.TouchBehindHandshake] = () => new HandshakeTests().Row12_what_is_pipelined_behind_the_handshake_waits_and_is_answered_in_order(),
        [Mutant.ListChangesInTheMiddle] = () => new LongListTests().A_change_to_the_parent_in_the_middle_is_not_seen_and_the_rest_comes_at_once(false, 9),
        [Mutant.EventInsideList] = () => new LongListTests().Events_of_the_same_connection_stay_behind_the_list(),
    };

    public static TheoryData<Mutant> Planted => [.. s_stories.Keys];

    [Theory]
    [MemberData(nameof(Planted))]
    public void A_planted_bug_fails_the_test_that_the_true_code_passes(Mutant mutant)
    {
        var story = s_stories[mutant];
        Mutants.Planted = Mutant.None;
        story();
        Mutants.Planted = mutant;
        try
        {
            story();
        }
        catch (Exception caught) when (caught is XunitException or InvariantException or ArgumentOutOfRangeException)
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
