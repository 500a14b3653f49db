using Quorate.Runtime.Membership;
using Quorate.Runtime.Tests.Harness;

namespace Quorate.Runtime.Tests;

/// <summary>storage.md §6 and what only whole members show: formation, the way back in two changes, joiners, a transfer in the turn of a write.</summary>
public class MemberStories
{
    private static MemberStage Formed(params byte[] ids)
    {
        var stage = new MemberStage(ids.Length);
        stage.StartAll(ids);
        stage.Street.Until(() => stage.HasLeader && stage.Residents.TrueForAll(r => r.Member.Sessions.Serving));
        return stage;
    }

    [Fact]
    public void Two_of_three_form_nothing_and_the_third_makes_a_cluster()
    {
        var stage = new MemberStage(3);
        stage.StartAll(1, 2);
        stage.Street.Run(3000);
        Assert.All(stage.Residents, r => Assert.False(r.Member.Formed));
        stage.Start(3);
        stage.Street.Until(() => stage.Residents.TrueForAll(r => r.Member.Formed && r.Member.Sessions.Serving));
        Assert.Single(stage.Residents.Select(r => r.Member.Store.Identity.ClusterId).Distinct());
    }

    [Fact]
    public void A_majority_forms_where_that_was_asked_for_and_the_third_is_answered_with_the_list()
    {
        var stage = new MemberStage(3, withQuorum: true);
        stage.StartAll(1, 2);
        stage.Street.Until(() => stage.HasLeader);
        stage.Start(3);
        stage.Street.Until(() => stage.Residents.TrueForAll(r => r.Member.Formed && r.Member.Sessions.Serving));
        stage.Street.Until(() => stage.Leader.Member.Sessions.Configuration.VoterCount == 3);
        Assert.Single(stage.Residents.Select(r => r.Member.Store.Identity.ClusterId).Distinct());
    }

    /// <summary>1 The offer is out. 2 A listed member loses its directory before it is formed. 3 A later offer replaces the first, nobody stays with the old one.</summary>
    [Fact]
    public void An_offer_is_replaced_when_a_listed_member_comes_with_another_directory()
    {
        var stage = new MemberStage(3);
        stage.StartAll(1, 2, 3);
        stage.Street.Until(() => stage.Residents[0].Member.Store.Identity.Formation.Length > 0);
        Assert.False(stage.Residents[0].Member.Formed);
        stage.Residents[2].Door.Die();
        stage.Street.Run(500);
        Assert.False(stage.Residents[0].Member.Formed);
        var third = stage.Start(3);
        stage.Street.Until(() => stage.Residents.TrueForAll(r => r.Member.Formed && r.Member.Sessions.Serving));
        Assert.Single(stage.Residents.Select(r => r.Member.Store.Identity.ClusterId).Distinct());
        Assert.True(stage.Leader.Member.Sessions.Configuration.IsVoter(new ReplicaId(3), third.Member.Store.Identity.Directory));
    }

    [Fact]
    public void A_wiped_member_takes_its_vote_back_by_itself_through_two_changes()
    {
        var stage = Formed(1, 2, 3);
        var client = stage.Welcome(stage.Leader);
        client.Write("before");
        stage.Street.Until(() => client.Unapplied == 0);
        byte id = stage.Residents.First(r => !r.Member.Sessions.Leading).Id;
        stage.Residents.First(r => r.Id == id).Door.Die();
        stage.Street.Run(200);
        var again = stage.Start(id);
        ulong directory = again.Member.Store.Identity.Directory;
        bool learned = false;
        stage.Street.Until(() =>
        {
            var c = stage.Leader.Member.Sessions.Configuration;
            learned |= c.Find(new ReplicaId(id)) is { Voter: false, Returning: true } && c.VoterCount == 2;
            return c.IsVoter(new ReplicaId(id), directory);
        });
        Assert.True(learned, "its old directory lost its vote in a change of its own");
        stage.Street.Until(() => again.Member.Sessions.Serving && again.Machine.Written.Contains("before"));
        stage.Welcome(again).Write("after");
        stage.Street.Until(() => stage.Residents.TrueForAll(r => r.Machine.Written.Contains("after")));
    }

    [Fact]
    public void A_joiner_with_an_empty_directory_becomes_a_learner_a_voter_and_can_go_and_come_again()
    {
        var stage = Formed(1, 2, 3);
        var client = stage.Welcome(stage.Leader);
        client.Write("before");
        var joiner = stage.Start(4, joins: true);
        stage.Street.Run(1000);
        Assert.False(joiner.Member.Formed);
        Assert.Null(stage.Change(MembershipChange.Add, 4));
        stage.Street.Until(() => joiner.Member.Formed && joiner.Member.Sessions.Serving);
        Assert.Equal(stage.Residents[0].Member.Store.Identity.ClusterId, joiner.Member.Store.Identity.ClusterId);
        Assert.Null(stage.Change(MembershipChange.Promote, 4));
        stage.Street.Until(() => joiner.Member.Sessions.Configuration.VoterCount == 4);
        var there = stage.Welcome(joiner);
        there.Write("there");
        stage.Street.Until(() => there.Unapplied == 0);
        if (stage.Leader == joiner) return;
        Assert.Null(stage.Change(MembershipChange.Remove, 4));
        stage.Street.Until(() => there.HungUp is not null);
        Assert.False(joiner.Member.Sessions.Serving);
        Assert.Null(stage.Change(MembershipChange.Add, 4));
        stage.Street.Until(() => joiner.Member.Sessions.Serving, 30_000);
        stage.Welcome(joiner).Write("again");
        stage.Street.Until(() => stage.Residents.TrueForAll(r => r.Machine.Written.SequenceEqual(["before", "there", "again"])));
    }

    /// <summary>
    /// 1 A client's write and an operator's transfer come in one turn; the target is stopped. 2 The write was prepared, its number taken: refused by the core, it would be in no log.
    /// 3 The transfer is given up; the next number would be logged without the one before it, and apply would stop the member.
    /// </summary>
    [Fact]
    public void A_transfer_asked_for_in_the_turn_of_a_write_does_not_lose_the_writes_number()
    {
        var stage = Formed(1, 2, 3);
        var leader = stage.Leader;
        var client = stage.Welcome(leader);
        var target = stage.Residents.First(r => r != leader);
        target.Door.Stopped = true;
        client.Write("one");
        leader.Member.Host!.Ask(ProposalKind.Transfer, null, new ReplicaId(target.Id), (_, _) => { });
        stage.Street.Run(400);
        client.Write("two");
        stage.Street.Until(() => leader.Machine.Written.SequenceEqual(["one", "two"]), 3000);
        target.Door.Stopped = false;
        stage.Street.Until(() => stage.Residents.TrueForAll(r => r.Machine.Written.SequenceEqual(["one", "two"])));
    }

    [Fact]
    public void A_killed_leaders_followers_keep_their_clients()
    {
        var stage = Formed(1, 2, 3);
        var leader = stage.Leader;
        var survivor = stage.Residents.First(r => r != leader);
        var client = stage.Welcome(survivor);
        client.Write("one");
        leader.Door.Die();
        client.Write("two");
        stage.Street.Until(() => client.Unapplied == 0, 2000);
        Assert.Null(client.HungUp);
        Assert.Equal(["one", "two"], survivor.Machine.Written);
    }

    [Fact]
    public void A_member_that_is_cut_off_hangs_up_and_serves_again_when_it_is_mended()
    {
        var stage = Formed(1, 2, 3);
        var cut = stage.Residents.First(r => r != stage.Leader);
        var client = stage.Welcome(cut);
        foreach (var other in stage.Residents)
            if (other != cut) stage.Street.Hold(cut.Door, other.Door);
        stage.Street.Run(650);
        Assert.NotNull(client.HungUp);
        foreach (var other in stage.Residents)
            if (other != cut) stage.Street.Mend(cut.Door, other.Door);
        stage.Street.Until(() => cut.Member.Sessions.Serving);
    }
}
