using Quorate.Protocols.Raft;

namespace Quorate.Protocols.Tests.Raft;

/// <summary>The mark: what a replica that lost entries may not do, how it asks about them, and how it is brought past (storage.md §2.4, §4.5).</summary>
public partial class RaftPaperTests
{
    [Fact(DisplayName = "storage.md §2.4 a marked replica votes for no log below the mark and does not stand, until brought past it")]
    public void Marks()
    {
        var core = Start(mark: [new DamagedEntry(2, 4)], terms: [1, 1, 2]);
        _now += 160_000;
        Receive(core, 2, new RequestVote(5, 3, 2, false));
        Assert.False(Sent<VoteReply>()[0].Message.Granted);
        for (int i = 0; i < 10; i++)
        {
            _now = Math.Max(_now, core.NextWake);
            core.Wake(Now, _outbox);
        }
        Assert.Equal(Role.Follower, core.State.Role);
        Receive(core, 3, new RequestVote(6, 4, 2, false));
        Assert.True(Sent<VoteReply>()[0].Message.Granted);
        Receive(core, 3, Entries(6, 3, 2, 0, 1, 2));
        Assert.Empty(core.State.Mark);
    }

    [Fact(DisplayName = "storage.md §2.1 a damaged entry inside the log is asked for again, put in its place, and nothing is delivered over it")]
    public void Repairs()
    {
        var core = Start(mark: [new DamagedEntry(2, 3)], terms: [1, 1, 2, 2]);
        Receive(core, 2, Entries(3, 4, 2, 4, 1));
        var refused = Sent<AppendReply>()[0].Message;
        Assert.Equal((false, 2L), (refused.Ok, refused.HintIndex));
        Assert.Null(Delivered());
        Settle(core);
        Receive(core, 2, Entries(3, 2, 1, 4, 1, 2, 2));
        var put = Assert.Single(_outbox.Verbs.ToArray(), v => v.Kind == VerbKind.Persist && v.Persist != PersistKind.Promise);
        Assert.Equal((PersistKind.Put, 3L, 1), (put.Persist, put.First, put.EntryCount));
        Assert.Equal((1, 4), Delivered());
        Assert.Contains(Sent<AppendReply>(), r => r.Message.Ok && r.Message.Match == 4 && r.After == put.Ticket);
        Assert.Empty(core.State.Mark);
    }

    [Fact(DisplayName = "storage.md §2.4 a damaged entry put back in its place is durable with its own write, and nothing above it earlier")]
    public void RepairsAreHeld()
    {
        var core = Start(mark: [new DamagedEntry(1, 2)], terms: [1, 1, 1, 1]);
        Receive(core, 2, Entries(1, 1, 1, 0, 1, 1, 1, 1, 1));
        Assert.Equal((5L, 1L), (core.State.Log.Last, core.State.DurableIndex));
        Assert.Empty(core.State.Mark);
        Assert.All(Sent<AppendReply>(), s => Assert.True(s.Message.Match <= 1 || s.After == _outbox.LastTicket));
        core.Durable(Now, _outbox.LastTicket, _outbox);
        Assert.Equal(5, core.State.DurableIndex);
    }

    [Fact(DisplayName = "storage.md §2.4 a damaged entry put back below a write under way holds that one back, too")]
    public void RepairsBelowAPendingWrite()
    {
        var core = Start(mark: [new DamagedEntry(1, 2)], terms: [1, 1, 1]);
        Receive(core, 2, Entries(1, 1, 1, 0, 1, 1, 1));
        Receive(core, 2, Entries(1, 3, 1, 0, 1, 1));
        Assert.Equal(1, core.State.DurableIndex);
        core.Durable(Now, _outbox.LastTicket, _outbox);
        Assert.Equal(4, core.State.DurableIndex);
    }

    private static LossAnswer Denied(RaftCore core, LossWord word) => new(core.State.LossTerm, core.State.LossTerm, 1, [.. core.State.Mark], [.. core.State.Mark.Select(_ => word)]);

    private void LetTime(RaftCore core, int wakes)
    {
        for (int i = 0; i < wakes; i++)
        {
            _now = Math.Max(_now, core.NextWake);
            core.Wake(Now, _outbox);
        }
    }

    [Fact(DisplayName = "storage.md §2.4 a marked replica asks while no leader is heard, without raising its own term, and in one term for a whole run")]
    public void Asks()
    {
        var core = Start(mark: [new DamagedEntry(2, 3)], terms: [1, 1, 2]);
        LetTime(core, 12);
        var asked = Sent<LossQuestion>();
        Assert.True(asked.Count >= 4);
        Assert.All(asked, a => Assert.Equal(3UL, a.Message.Term));
        Assert.Equal(2UL, core.State.Term);
        _outbox.Clear();
        Receive(core, 2, Entries(2, 1, 1, 0, 1));
        _now += 50_000;
        core.Wake(Now, _outbox);
        Assert.Empty(Sent<LossQuestion>());
    }

    [Fact(DisplayName = "storage.md §2.4 answers of an earlier run, of another directory and of the replica itself count for nothing")]
    public void ForeignAnswers()
    {
        var core = Start(mark: [new DamagedEntry(2, 3)], terms: [1, 1, 2]);
        LetTime(core, 4);
        var word = Denied(core, LossWord.NothingOfItsTerm);
        Receive(core, 2, new LossAnswer(word.Term, word.Asked, 7, word.Entries, word.Words));
        Receive(core, 3, new LossAnswer(word.Term, word.Asked - 1, 1, word.Entries, word.Words));
        core.Receive(Now, new Sender(N(3), 77, 1), word, _outbox);
        core.Receive(Now, new Sender(N(1), D, 1), word, _outbox);
        Receive(core, 3, word);
        Assert.Single(core.State.Mark);
        Receive(core, 2, word);
        Assert.Empty(core.State.Mark);
        Assert.Equal(2, core.State.Log.Last);
        var cut = Assert.Single(_outbox.Verbs.ToArray(), v => v.Kind == VerbKind.Persist && v.Persist == PersistKind.Cut);
        Assert.Equal(3, cut.First);
    }

    [Fact(DisplayName = "storage.md §2.4 the list is shortened from its top alone")]
    public void FromTheTop()
    {
        var core = Start(mark: [new DamagedEntry(1, 2), new DamagedEntry(2, 3)], terms: [1, 1, 2]);
        LetTime(core, 4);
        LossAnswer Words(LossWord low, LossWord high) => new(3, 3, 1, [.. core.State.Mark], [low, high]);
        Receive(core, 2, Words(LossWord.NotThisEntry, LossWord.Had));
        Receive(core, 3, Words(LossWord.NotThisEntry, LossWord.NotThisEntry));
        Assert.Equal(2, core.State.Mark.Count);
        Receive(core, 2, Words(LossWord.Had, LossWord.NotThisEntry));
        Assert.Equal(2, Assert.Single(core.State.Mark).Index);
    }

    [Fact(DisplayName = "storage.md §2.4 a configuration that is itself damaged is known from its header, and its quorums are asked, too")]
    public void DamagedConfigurations()
    {
        var log = new LogMap();
        for (int i = 0; i < 3; i++) log.Append(1, 10);
        var core = new RaftCore(new RaftOptions());
        core.Start(Now, new Recovered { Self = N(1), Directory = D, Run = 1, Seed = 3, Promise = new Promise(1, 0, 0), Log = log, Configurations = [new ConfigurationAt(0, Voters(3)), new ConfigurationAt(3, Voters(4))], Mark = [new DamagedEntry(1, 2), new DamagedEntry(1, 3)] }, _outbox);
        LetTime(core, 4);
        Assert.Contains(Sent<LossQuestion>(), q => q.To == N(4));
        var word = Denied(core, LossWord.NotThisEntry);
        Receive(core, 2, word);
        Receive(core, 3, word);
        Assert.Equal(2, core.State.Mark.Count); // a majority of three, not of four
        Receive(core, 4, word);
        Assert.Empty(core.State.Mark);
        Assert.Equal(1, core.State.Log.Last);
        Assert.Equal(3, core.Configuration.VoterCount);
    }

    [Fact(DisplayName = "docs/decisions/0009 of two voters the other one denies a loss alone only when it has nothing of the entry's term")]
    public void TwoVoters()
    {
        var core = Start(voters: 2, mark: [new DamagedEntry(2, 3)], terms: [1, 1, 2]);
        LetTime(core, 4);
        Receive(core, 2, Denied(core, LossWord.NotThisEntry));
        Assert.Single(core.State.Mark);
        Receive(core, 2, Denied(core, LossWord.NothingOfItsTerm));
        Assert.Empty(core.State.Mark);
    }

    [Fact(DisplayName = "storage.md §2.4 who hears a leader does not answer; who answers adopts the term first, and knows what is in its snapshot, what is damaged and what is under way")]
    public void Answers()
    {
        var core = Start(mark: [new DamagedEntry(2, 4)], terms: [1, 1, 2, 2]);
        DamagedEntry[] asked = [new(1, 2), new(1, 3), new(2, 4), new(2, 5), new(3, 6)];
        Receive(core, 3, Entries(2, 2, 1, 0, 1));
        Receive(core, 2, new LossQuestion(5, 9, asked));
        Assert.Empty(Sent<LossAnswer>());
        Assert.Equal(2UL, core.State.Term);
        _now += 160_000;
        Receive(core, 2, new LossQuestion(5, 9, asked));
        var (to, answer, after) = Assert.Single(Sent<LossAnswer>());
        Assert.Equal((N(2), 5UL, 5UL, 9UL), (to, answer.Term, answer.Asked, answer.Run));
        Assert.Equal(core.State.PromiseTicket, after);
        Assert.Equal([LossWord.Had, LossWord.NotThisEntry, LossWord.Had, LossWord.NotThisEntry, LossWord.NothingOfItsTerm], answer.Words);
    }

    private RaftCore StartWithoutBase()
    {
        var log = new LogMap();
        log.Reset(25, 2);
        for (int i = 0; i < 5; i++) log.Append(3, 10);
        var core = new RaftCore(new RaftOptions());
        core.Start(Now, new Recovered { Self = N(1), Directory = D, Run = 1, Seed = 3, Promise = new Promise(3, 0, 0), Log = log, Configurations = [new ConfigurationAt(0, Voters(3))], Mark = [new DamagedEntry(2, 25)] }, _outbox);
        core.CheckInvariants();
        _outbox.Clear();
        return core;
    }

    [Fact(DisplayName = "storage.md §4.5 a log whose base is lost votes for none that is shorter than itself, takes no entries, and only a leader's snapshot at or above its begin")]
    public void LostBase()
    {
        var core = StartWithoutBase();
        _now += 160_000;
        Receive(core, 2, new RequestVote(5, 27, 3, false));
        Assert.False(Sent<VoteReply>()[0].Message.Granted);
        Receive(core, 3, new RequestVote(6, 30, 3, false));
        Assert.True(Sent<VoteReply>()[0].Message.Granted);
        Receive(core, 3, Entries(6, 30, 3, 25, 6));
        Assert.Equal((0L, 30L), (Sent<AppendReply>()[0].Message.HintIndex, core.State.Log.Last));
        Receive(core, 3, Entries(6, 0, 0, 25, 1, 1));
        Assert.Equal((false, 0L), (Sent<AppendReply>()[0].Message.Ok, Sent<AppendReply>()[0].Message.RejectedPrev));
        Receive(core, 3, new InstallSnapshot(6, new ConfigurationAt(0, Voters(3)), new BodyHandle(new SnapshotIdentity(24, 2, 1), 1, 1)));
        Assert.Equal((0L, true), (Sent<InstallReply>()[0].Message.Match, Sent<InstallReply>()[0].Message.TooOld));
        Assert.Single(core.State.Mark);
        core.Receive(Now, Sender.Host, new ReceiveFailed(N(3), new SnapshotIdentity(27, 3, 1)), _outbox);
        Assert.Equal((0L, false), (Sent<InstallReply>()[^1].Message.Match, Sent<InstallReply>()[^1].Message.TooOld));
        Receive(core, 3, new InstallSnapshot(6, new ConfigurationAt(0, Voters(3)), new BodyHandle(new SnapshotIdentity(27, 3, 1), 1, 1)));
        Assert.Empty(core.State.Mark);
        Assert.Equal((27L, 27L, 30L, 27L), (Sent<InstallReply>()[0].Message.Match, core.State.Commit, core.State.Log.Last, core.State.Snapshot.Index));
        core.CheckInvariants();
    }

    // Core seed 222: the snapshot below the log's begin rotted, the log was taken for empty, and a configuration that its headers name was taken for none of its own.
    [Fact(DisplayName = "storage.md §4.5 a log whose base is lost keeps the configurations that its headers name, until a leader's snapshot that it does not match replaces all")]
    public void LostBaseKeepsConfigurations()
    {
        var log = new LogMap();
        log.Reset(40, 2);
        log.Append(2, 10);
        var core = new RaftCore(new RaftOptions());
        core.Start(Now, new Recovered
        {
            Self = N(1), Directory = D, Run = 2, Seed = 3, Promise = new Promise(2, 0, 0), Log = log,
            Configurations = [new ConfigurationAt(0, Voters(3)), new ConfigurationAt(30, Voters(5))], Mark = [new DamagedEntry(2, 40)],
        }, _outbox);
        Settle(core); // holds ConfigIsLog
        Assert.Equal((41L, 30L), (core.State.Log.Last, core.State.Latest.Index));
        _now += 160_000;
        Receive(core, 2, new RequestVote(3, 40, 2, false));
        Assert.False(Sent<VoteReply>()[0].Message.Granted);
        Receive(core, 4, new InstallSnapshot(4, new ConfigurationAt(35, Voters(4)), new BodyHandle(new SnapshotIdentity(45, 3, 7), 1, 100)));
        Assert.Empty(core.State.Mark);
        Assert.Equal((45L, 35L), (core.State.Log.Last, core.State.Latest.Index));
        Settle(core);
    }

    [Fact(DisplayName = "storage.md §4.5 what a log begins on is no loss that voters can deny or an operator accept")]
    public void LostBaseStays()
    {
        var core = StartWithoutBase();
        LetTime(core, 8);
        Assert.Empty(Sent<LossQuestion>());
        Receive(core, 2, Denied(core, LossWord.NothingOfItsTerm));
        Receive(core, 3, Denied(core, LossWord.NothingOfItsTerm));
        core.Receive(Now, Sender.Host, new AcceptLoss(4, [25]), _outbox);
        Assert.Single(core.State.Mark);
        Assert.Equal(AnswerKind.Refused, Answer(4));
    }

    [Fact(DisplayName = "storage.md §4.5 a leader sends its snapshot to a peer that refuses the very begin of the log, and one that was refused only once")]
    public void FeedsALostBase()
    {
        var core = Lead(3);
        Settle(core);
        Receive(core, 2, Ok(core, core.State.Log.Last));
        core.Receive(Now, Sender.Host, new SnapshotStored(new SnapshotIdentity(core.State.Commit, core.State.Log.LastTerm, 9)), _outbox);
        _outbox.Clear();
        AppendReply Refusal(long prev) => new() { Term = core.State.Term, Ok = false, RejectedPrev = prev, HintIndex = 0, HintTerm = 0, Round = core.State.Round, Run = 1, SentMicros = 1 };
        for (int i = 0; i < 4 && Sent<InstallSnapshot>().Count == 0; i++) Receive(core, 3, Refusal(Math.Max(core.State.Peer(N(3))!.Next - 1, core.State.Log.BeginIndex)));
        Assert.Equal(N(3), Assert.Single(Sent<InstallSnapshot>()).To);
        Receive(core, 3, new InstallReply(core.State.Term, 0, 1, 2));
        for (int i = 0; i < 4 && Sent<InstallSnapshot>().Count == 0; i++) Receive(core, 3, Refusal(Math.Max(core.State.Peer(N(3))!.Next - 1, core.State.Log.BeginIndex)));
        Assert.Single(Sent<InstallSnapshot>()); // it came to nothing there, and is sent again
        Assert.False(core.StandingAt(Now).WantsSnapshot);
        Receive(core, 3, new InstallReply(core.State.Term, 0, 1, 2, tooOld: true));
        for (int i = 0; i < 4; i++) Receive(core, 3, Refusal(Math.Max(core.State.Peer(N(3))!.Next - 1, core.State.Log.BeginIndex)));
        Assert.Empty(Sent<InstallSnapshot>());
        Assert.True(core.State.Peer(N(3))!.NeedsSnapshot);
        Assert.True(core.StandingAt(Now).WantsSnapshot); // a newer one, however short the log
        core.CheckInvariants();
    }
}
