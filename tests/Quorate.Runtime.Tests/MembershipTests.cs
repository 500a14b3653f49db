using Quorate.Runtime.Membership;
using Quorate.Runtime.Tests.Harness;
using Quorate.Storage;

namespace Quorate.Runtime.Tests;

/// <summary>storage.md §6.3, §6.4 and sessions.md §4.3: the way back, the last word, the room for windows.</summary>
public class MembershipTests
{
    private static readonly ClusterConfiguration s_five = new(Enumerable.Range(1, 5).Select(i => new ConfiguredMember(new ReplicaId((byte)i), 100 + (ulong)i, true, $"m{i}:1")));

    private static ulong[] Linked(params (byte Id, ulong Directory)[] others)
    {
        var linked = new ulong[256];
        foreach (var (id, directory) in others) linked[id] = directory;
        return linked;
    }

    /// <summary>1 B and D came back wiped and are learners. 2 The core refuses B's vote again and again (it lags in bytes, while its report looks well). 3 D takes its vote back all the same.</summary>
    [Fact]
    public void A_member_whose_step_is_refused_does_not_keep_another_from_coming_back()
    {
        var present = s_five.With(new ConfiguredMember(new ReplicaId(2), 202, false, "m2:1", true)).With(new ConfiguredMember(new ReplicaId(4), 204, false, "m4:1", true));
        var linked = Linked((2, 202), (3, 103), (4, 204), (5, 105));
        var first = Membership.Membership.NextStep(present, new ReplicaId(1), default, linked, _ => true);
        Assert.Equal(2, first!.Value.Id.Value);
        var second = Membership.Membership.NextStep(present, new ReplicaId(1), first.Value.Id, linked, _ => true);
        Assert.Equal(4, second!.Value.Id.Value);
        Assert.True(second.Value.Next.IsVoter(new ReplicaId(4), 204));
        Assert.Equal(2, Membership.Membership.NextStep(present, new ReplicaId(1), second.Value.Id, linked, _ => true)!.Value.Id.Value);
    }

    [Fact]
    public void A_listed_member_that_is_dead_is_passed_over()
    {
        var present = s_five.With(new ConfiguredMember(new ReplicaId(2), 202, false, "m2:1", true));
        var step = Membership.Membership.NextStep(present, new ReplicaId(1), default, Linked((3, 103), (4, 304), (5, 105)), _ => false);
        Assert.Equal(4, step!.Value.Id.Value);
        Assert.Equal(new ConfiguredMember(new ReplicaId(4), 304, false, "m4:1", true), step.Value.Next.Find(new ReplicaId(4)));
    }

    /// <summary>1 D is removed while nothing reaches it, so that the core's last word is lost. 2 It is mended: nobody answers its votes. 3 It is told why, once.</summary>
    [Fact]
    public void A_removed_member_that_missed_the_last_word_learns_of_its_removal()
    {
        var stage = new MemberStage(3);
        stage.StartAll(1, 2, 3);
        stage.Street.Until(() => stage.HasLeader && stage.Residents.TrueForAll(r => r.Member.Sessions.Serving));
        var fourth = stage.Start(4, joins: true);
        stage.Street.Run(500);
        Assert.Null(stage.Change(MembershipChange.Add, 4));
        stage.Street.Until(() => fourth.Member.Formed && fourth.Member.Sessions.Serving);
        var others = stage.Residents.Where(r => r != fourth).ToList();
        foreach (var other in others) stage.Street.Hold(fourth.Door, other.Door);
        Assert.Null(stage.Change(MembershipChange.Remove, 4));
        stage.Street.Run(1000);
        foreach (var other in others)
        {
            stage.Street.Cut(fourth.Door, other.Door);
            stage.Street.Mend(fourth.Door, other.Door);
        }
        stage.Street.Until(() => fourth.Notes.Exists(IsFarewell), 5_000);
        Assert.NotNull(fourth.Member.Sessions.Configuration.Find(new ReplicaId(4))); // the log did not tell it
        Assert.False(fourth.Member.Sessions.Serving);
        stage.Street.Run(5_000);
        Assert.Single(fourth.Notes, n => IsFarewell(n));
        Assert.Null(stage.Change(MembershipChange.Add, 4));
        stage.Street.Until(() => fourth.Member.Sessions.Serving, 30_000);
    }

    private static bool IsFarewell(string note) => note.StartsWith("this member was removed from the cluster", StringComparison.Ordinal);

    [Fact]
    public void A_list_that_differs_from_the_recorded_configuration_is_one_warning()
    {
        var stage = new MemberStage(3);
        stage.StartAll(1, 2, 3);
        stage.Street.Until(() => stage.HasLeader && stage.Residents.TrueForAll(r => r.Member.Sessions.Serving));
        stage.Street.Run(1000);
        Assert.All(stage.Residents, r => Assert.DoesNotContain(r.Notes, n => n.StartsWith("members:", StringComparison.Ordinal)));
        stage.Start(4, joins: true);
        stage.Street.Run(500);
        Assert.Null(stage.Change(MembershipChange.Add, 4));
        stage.Residents.First(r => r.Id == 3).Door.Die();
        stage.Street.Run(200);
        var again = stage.Start(3); // with the list of three
        stage.Street.Until(() => again.Member.Formed && again.Member.Sessions.Serving);
        stage.Street.Run(2000);
        string line = Assert.Single(again.Notes, n => n.StartsWith("members:", StringComparison.Ordinal));
        Assert.Contains("1=m1:1,2=m2:1,3=m3:1", line, StringComparison.Ordinal);
        Assert.Contains("4(learner)=m4:1", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 4, 64, 8, true)]
    [InlineData(4, 4, 64, 9, false)]
    [InlineData(4, 4, 16, 3, false)]
    [InlineData(4, 4, 24, 3, true)]
    [InlineData(2, 4, 64, 1, false)] // a window that holds no entry of the largest size
    public void Windows_times_members_fit_into_half_a_segment(int window, int entry, int segment, int members, bool fits)
    {
        const int mib = 1024 * 1024;
        Assert.Equal(fits, new WindowRoom(window * mib, entry * mib, segment * mib).Why(members) is null);
    }

    [Fact]
    public void A_start_whose_windows_do_not_fit_is_refused_in_one_line_before_anything_is_touched()
    {
        var stage = new MemberStage(17);
        var refusal = Assert.Throws<StorageRefusal>(() => stage.Start(1));
        Assert.Equal("segmentBytes is 8388608; with 17 members it must be at least 8912896: their windows of 262144 bytes each must fit into half a segment", refusal.Message);
    }

    [Fact]
    public void A_member_whose_window_would_not_fit_is_not_added()
    {
        var stage = new MemberStage(3) { SegmentBytes = 6 * Resident.EntryBytes };
        stage.StartAll(1, 2, 3);
        stage.Street.Until(() => stage.HasLeader);
        Assert.StartsWith("segmentBytes is 1572864; with 4 members it must be at least 2097152", stage.Change(MembershipChange.Add, 4), StringComparison.Ordinal);
    }
}
