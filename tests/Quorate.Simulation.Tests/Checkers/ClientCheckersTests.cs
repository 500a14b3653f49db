using Quorate.Simulation.Checkers;

namespace Quorate.Simulation.Tests.Checkers;

/// <summary>Each checker is seen to fail.</summary>
public class ClientCheckersTests
{
    private static void Breaks(string promise, Action act) => Assert.Equal(promise, Assert.Throws<BreachException>(act).Promise);

    [Fact]
    public void A_lock_has_one_owner()
    {
        var locks = new LockChecker(1);
        locks.Believes(0, client: 1, session: 11);
        locks.Believes(0, client: 1, session: 11);
        locks.Doubts(0, client: 1);
        locks.Believes(0, client: 2, session: 22);
        locks.Doubts(0, client: 1);
        Breaks("LockExclusion", () => locks.Believes(0, client: 3, session: 33));
    }

    [Fact]
    public void A_write_takes_effect_once()
    {
        var once = new OnceChecker();
        foreach (long number in (long[])[1, 2, 3]) once.Asked(number, client: 1);
        once.Acknowledged(1, order: 5);
        once.Refused(3);
        once.Judge([(1, 10), (2, 11)], asked: 9);
        once.Judge([(1, 10)], asked: 9);
        Breaks("ExactlyOnce", () => once.Judge([(1, 10), (1, 11)], asked: 9));
        Breaks("ExactlyOnce", () => once.Judge([(1, 10), (3, 11)], asked: 9));
        once.Judge([(2, 10)], asked: 4);
        Breaks("NothingAcknowledgedLost", () => once.Judge([(2, 10)], asked: 9));
        Breaks("ClientOrder", () => once.Judge([(1, 11), (2, 10)], asked: 9));
    }

    [Fact]
    public void Zxids_and_versions_never_go_back()
    {
        var client = new SessionChecker(1, 1);
        client.Replied(5);
        client.Replied(0);
        client.Replied(5);
        Breaks("ZxidMonotone", () => client.Replied(4));
        client.Saw(0, 3, own: true);
        Breaks("ReadsAfterOwnWrites", () => client.Saw(0, 2, own: false));
        Breaks("VersionMonotone", () => client.Saw(0, 2, own: true));
    }

    [Fact]
    public void An_event_comes_once_and_before_what_shows_the_change()
    {
        var client = new SessionChecker(1, 1);
        client.Saw(0, 1, own: false);
        client.Armed(0, 1);
        Breaks("EventBeforeReply", () => client.Saw(0, 2, own: false));
        Breaks("EventNotLost", () => client.Judge(0, 2));
        client.Judge(0, 1);
        client.Fired(0);
        client.Saw(0, 2, own: false);
        Breaks("EventOnce", () => client.Fired(0));
        client.Armed(0, 2);
        client.Expired();
        client.Judge(0, 9);
    }

    [Fact]
    public void Replicas_are_equal_at_equal_positions()
    {
        var digests = new DigestChecker();
        digests.At(7, 0xABC, 1);
        digests.At(8, 0xDEF, 1);
        digests.At(7, 0xABC, 2);
        Breaks("ReplicasEqual", () => digests.At(8, 0xABC, 2));
    }
}
