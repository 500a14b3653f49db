using Quorate.Protocols.Raft;

namespace Quorate.Protocols.Tests.Raft;

/// <summary>One core, driven by hand, one rule a test; P is the paper, T the thesis.</summary>
public partial class RaftPaperTests
{
    private const ulong D = 1000;
    private readonly Outbox _outbox = new();
    private long _now = 1_000_000;

    private static ReplicaId N(int i) => new((byte)i);

    private static Sender From(int i, bool old = false) => new(N(i), (ulong)i * D, 1, old);

    private Instant Now => new(_now, 0);

    private static ClusterConfiguration Voters(int count) => new(Enumerable.Range(1, count).Select(i => new ConfiguredMember(N(i), (ulong)i * D, true, $"n{i}")));

    private RaftCore Start(int voters = 3, Promise promise = default, IReadOnlyList<DamagedEntry>? mark = null, params ulong[] terms)
    {
        var log = new LogMap();
        foreach (ulong term in terms) log.Append(term, 10);
        if (promise.Term == 0 && terms.Length > 0) promise = new Promise(terms[^1], 0, 0);
        var core = new RaftCore(new RaftOptions());
        core.Start(Now, new Recovered { Self = N(1), Directory = D, Run = 1, Seed = 3, Promise = promise, Log = log, Configurations = [new ConfigurationAt(0, Voters(voters))], Mark = mark ?? [] }, _outbox);
        Settle(core);
        return core;
    }

    /// <summary>Everything persisted is durable; what the steps asked is forgotten.</summary>
    private void Settle(RaftCore core)
    {
        core.Durable(Now, _outbox.LastTicket, _outbox);
        core.CheckInvariants();
        _outbox.Clear();
    }

    private List<(ReplicaId To, T Message, Ticket After)> Sent<T>() where T : ProtocolMessage
    {
        var list = new List<(ReplicaId, T, Ticket)>();
        foreach (ref readonly var v in _outbox.Verbs)
            if (v.Kind == VerbKind.Send && v.Message is T m) list.Add((v.To, m, v.Ticket));
        return list;
    }

    private (long First, long Last)? Delivered()
    {
        foreach (ref readonly var v in _outbox.Verbs)
            if (v.Kind == VerbKind.Deliver) return (v.First, v.Last);
        return null;
    }

    private AnswerKind? Answer(long proposal)
    {
        foreach (ref readonly var v in _outbox.Verbs)
            if (v.Kind == VerbKind.Answer && v.Proposal == proposal) return v.Answer;
        return null;
    }

    private void Receive(RaftCore core, int from, ProtocolMessage m, bool old = false)
    {
        _outbox.Clear();
        core.Receive(Now, From(from, old), m, _outbox);
        core.CheckInvariants();
    }

    private void WakeUntil(RaftCore core, Func<bool> done)
    {
        for (int i = 0; i < 50 && !done(); i++)
        {
            _outbox.Clear();
            _now = Math.Max(_now, core.NextWake);
            core.Wake(Now, _outbox);
        }
        Assert.True(done());
    }

    private RaftCore Lead(int voters = 3, params ulong[] terms)
    {
        var core = Start(voters, terms: terms);
        WakeUntil(core, () => core.State.Role == Role.PreCandidate);
        ulong next = core.State.Term + 1;
        for (int i = 2; i <= voters / 2 + 1; i++) Receive(core, i, new PreVoteReply(next, true));
        Settle(core);
        for (int i = 2; i <= voters / 2 + 1; i++) Receive(core, i, new VoteReply(next, true));
        Assert.Equal(Role.Leader, core.State.Role);
        return core;
    }

    private static Append Entries(ulong term, long prev, ulong prevTerm, long commit, long round, params ulong[] terms) => new()
    {
        Term = term, PrevIndex = prev, PrevTerm = prevTerm, Last = prev + terms.Length, Commit = commit, Round = round, ProvenMicros = 0, ProvenRun = 1,
        Entries = terms.Select(t => new TermedEntry(t, new Entry(EntryKind.Command, Payload.Of([(byte)t])))).ToArray(),
    };

    private AppendReply Ok(RaftCore leader, long match, long round = 0, ulong run = 1, long sent = 0) => new() { Term = leader.State.Term, Ok = true, Match = match, Round = round, Run = run, SentMicros = sent };

    [Fact(DisplayName = "P §5.1 a lower term is refused with the own one, a higher one makes a follower")]
    public void Terms()
    {
        var core = Start(promise: new Promise(5, 0, 0));
        Receive(core, 2, new RequestVote(4, 9, 9, false));
        Assert.Equal((5UL, false), (Sent<VoteReply>()[0].Message.Term, Sent<VoteReply>()[0].Message.Granted));
        Receive(core, 2, Entries(7, 0, 0, 0, 1));
        Assert.Equal((7UL, N(2)), (core.State.Term, core.State.Leader));
    }

    [Fact(DisplayName = "P §5.2 one vote a term, kept when the role changes, granted again to the same candidate, after the newest write")]
    public void Votes()
    {
        var core = Start();
        _now += 160_000;
        Receive(core, 2, new RequestVote(1, 0, 0, false));
        Assert.True(Sent<VoteReply>()[0].Message.Granted);
        Assert.Equal(_outbox.LastTicket, Sent<VoteReply>()[0].After);
        Receive(core, 3, new RequestVote(1, 0, 0, false));
        Assert.False(Sent<VoteReply>()[0].Message.Granted);
        Receive(core, 2, new RequestVote(1, 0, 0, false));
        Assert.True(Sent<VoteReply>()[0].Message.Granted);
        Assert.Equal(_outbox.LastTicket, Sent<VoteReply>()[0].After);
    }

    [Theory(DisplayName = "P §5.4.1 a vote only for a log at least as up to date")]
    [InlineData(2, 1UL, false), InlineData(1, 3UL, true), InlineData(3, 2UL, true), InlineData(2, 2UL, false)]
    public void UpToDate(long lastIndex, ulong lastTerm, bool granted)
    {
        var core = Start(terms: [1, 2, 2]);
        _now += 160_000;
        Receive(core, 2, new RequestVote(9, lastIndex, lastTerm, false));
        Assert.Equal(granted, Sent<VoteReply>()[0].Message.Granted);
    }

    [Fact(DisplayName = "P §5.2 the own vote counts when durable, and the request waits for it")]
    public void OwnVote()
    {
        var core = Start();
        WakeUntil(core, () => core.State.Role == Role.PreCandidate);
        Receive(core, 2, new PreVoteReply(1, true));
        Assert.Equal(Role.Candidate, core.State.Role);
        Assert.All(Sent<RequestVote>(), s => Assert.Equal(_outbox.LastTicket, s.After));
        Receive(core, 2, new VoteReply(1, true));
        Assert.Equal(Role.Candidate, core.State.Role);
        core.Durable(Now, _outbox.LastTicket, _outbox);
        Assert.Equal(Role.Leader, core.State.Role);
    }

    [Fact(DisplayName = "P §5.2 votes of another term, of strangers and of other directories do not count")]
    public void StrangeVotes()
    {
        var core = Start();
        WakeUntil(core, () => core.State.Role == Role.PreCandidate);
        Receive(core, 2, new PreVoteReply(1, true));
        Settle(core);
        Receive(core, 7, new VoteReply(1, true));
        core.Receive(Now, new Sender(N(2), 999, 1), new VoteReply(1, true), _outbox);
        Receive(core, 2, new VoteReply(0, true));
        Assert.Equal(Role.Candidate, core.State.Role);
    }

    [Fact(DisplayName = "P §5.3 the leader sends before its disk, and counts itself only when durable")]
    public void LeaderDisk()
    {
        var core = Lead();
        Assert.All(Sent<Append>(), s => Assert.True(s.After.IsNone));
        Receive(core, 2, Ok(core, 1));
        Assert.Null(Delivered());
        core.Durable(Now, _outbox.LastTicket, _outbox);
        Assert.Equal((1, 1), Delivered());
    }

    [Fact(DisplayName = "P §5.4.2 an entry of an older term is committed only with one of the own")]
    public void OlderTerm()
    {
        var core = Lead(3, 1, 1);
        Settle(core);
        Receive(core, 2, Ok(core, 2));
        Assert.Null(Delivered());
        Receive(core, 2, Ok(core, 3));
        Assert.Equal((1, 3), Delivered());
    }

    [Fact(DisplayName = "P §5.3 acknowledged after the newest ticket that covers the match, also without entries (bug 2)")]
    public void AckGate()
    {
        var core = Start();
        Receive(core, 2, Entries(1, 0, 0, 0, 1, 1));
        var ticket = _outbox.LastTicket;
        Assert.Contains(Sent<AppendReply>(), s => s.Message.Match == 1 && s.After == ticket);
        Receive(core, 2, Entries(1, 1, 1, 0, 2));
        Assert.All(Sent<AppendReply>(), s => Assert.True(s.After == ticket || s.Message.Match == 0));
        Assert.Contains(Sent<AppendReply>(), s => s.Message.Round == 2 && s.After.IsNone); // the beat is echoed: it needs no disk
    }

    [Fact(DisplayName = "P §5.3 the completion of a cut write is not that of the same entry written again (bug 16)")]
    public void Aba()
    {
        var core = Start();
        Receive(core, 2, Entries(1, 0, 0, 0, 1, 1));
        var first = _outbox.LastTicket;
        Receive(core, 3, Entries(2, 0, 0, 0, 1, 2));
        Receive(core, 2, Entries(3, 0, 0, 0, 1, 1));
        var third = _outbox.LastTicket;
        _outbox.Clear();
        core.Durable(Now, first, _outbox);
        Receive(core, 2, Entries(3, 1, 1, 0, 2));
        Assert.All(Sent<AppendReply>(), s => Assert.True(s.Message.Match == 0 || s.After == third, $"match {s.Message.Match} after {s.After}"));
        Assert.NotEqual(1, core.State.DurableIndex);
    }

    [Fact(DisplayName = "P §5.3 what a peer acknowledged in an earlier term counts for nothing: its log may have been cut since (bug 34)")]
    public void MatchOfAnEarlierTerm()
    {
        // 1. n1 leads term 1, and n2 acknowledges its three entries; with five voters they are not committed.
        var core = Lead(5);
        core.Propose(Now, [new Proposal(1, ProposalKind.Command, Payload.Of("a"u8.ToArray())), new Proposal(2, ProposalKind.Command, Payload.Of("b"u8.ToArray()))], _outbox);
        Settle(core);
        Receive(core, 2, Ok(core, 3, core.State.Round));
        Assert.Equal(3, core.State.Peer(N(2))!.Match);
        // 2. somebody leads term 2, cuts n2's log down to one entry of his own, and never reaches n1, which leads term 3 then.
        Receive(core, 3, new AppendReply { Term = 2, Ok = false, RejectedPrev = AppendReply.OnlyTheTerm, Round = 0, Run = 1, SentMicros = 0 });
        WakeUntil(core, () => core.State.Role == Role.PreCandidate);
        foreach (int i in new[] { 4, 5 }) Receive(core, i, new PreVoteReply(3, true));
        Settle(core);
        foreach (int i in new[] { 4, 5 }) Receive(core, i, new VoteReply(3, true));
        Assert.Equal((Role.Leader, 3UL), (core.State.Role, core.State.Term));
        // 3. n2 is asked from the end of the log on, and followed back to where it stands.
        Assert.Equal(0, core.State.Peer(N(2))!.Match);
        Receive(core, 2, Rejected(core, at: 3, hint: 1, hintTerm: 2));
        Assert.Equal(1, Sent<Append>().Last(s => s.To == N(2)).Message.PrevIndex);
        Receive(core, 2, Rejected(core, at: 1, hint: 0, hintTerm: 0));
        Assert.Equal(0, Sent<Append>().Last(s => s.To == N(2)).Message.PrevIndex);
    }

    [Fact(DisplayName = "P §7 a refusal says what is committed and durable there: it ends a snapshot whose own answer was lost")]
    public void AnswerToASnapshotLost()
    {
        var core = Start(terms: [1, 1, 1]);
        var body = new BodyHandle(new SnapshotIdentity(9, 2, 5), 1, 100);
        Receive(core, 2, new InstallSnapshot(2, new ConfigurationAt(0, Voters(3)), body));
        Receive(core, 2, Entries(2, 20, 2, 20, 1));
        Assert.Equal((false, 0L), (Sent<AppendReply>()[0].Message.Ok, Sent<AppendReply>()[0].Message.Match)); // the switch is not durable yet
        core.Durable(Now, _outbox.LastTicket, _outbox);
        Receive(core, 2, Entries(2, 20, 2, 20, 2));
        Assert.Equal((false, 9L), (Sent<AppendReply>()[0].Message.Ok, Sent<AppendReply>()[0].Message.Match));

        // Its leader: the peer is behind the begin of the log, has installed what was streamed, and the answer to that never came.
        core = Lead(3, [.. Enumerable.Repeat(1UL, 30)]);
        Settle(core);
        Receive(core, 2, Ok(core, 31));
        core.Receive(Now, Sender.Host, new Applied(31), _outbox);
        core.Receive(Now, Sender.Host, new SnapshotStored(new SnapshotIdentity(20, 1, 5), 21), _outbox);
        Settle(core);
        Receive(core, 3, Rejected(core, at: 30, hint: 2, hintTerm: 1));
        Assert.Equal(ProgressState.Snapshot, core.State.Peer(N(3))!.State);
        Receive(core, 3, new AppendReply { Term = core.State.Term, Ok = false, Match = 20, RejectedPrev = 31, HintIndex = 20, HintTerm = 1, Round = core.State.Round, Run = 1, SentMicros = 0 });
        Assert.Equal((ProgressState.Probe, 20L), (core.State.Peer(N(3))!.State, core.State.Peer(N(3))!.Match));
        Assert.Equal(20, Sent<Append>().Last(s => s.To == N(3)).Message.PrevIndex);
    }

    [Fact(DisplayName = "DESIGN §4 what waits for a disk holds back no beat, and nothing is sent behind it")]
    public void Delays()
    {
        var core = Lead();
        Settle(core);
        Receive(core, 2, Ok(core, 1, core.State.Round));
        core.Propose(Now, [new Proposal(1, ProposalKind.Command, Payload.Of("a"u8.ToArray()))], _outbox);
        Settle(core);
        core.Receive(Now, Sender.Host, new Delayed(N(2), waits: true), _outbox);
        var beat = Sent<Append>().Single(s => s.To == N(2)).Message;
        Assert.Equal((1L, 0), (beat.PrevIndex, beat.Count)); // what the peer has: it is not refused for want of what waits
        Settle(core);
        core.Propose(Now, [new Proposal(2, ProposalKind.Command, Payload.Of("b"u8.ToArray()))], _outbox);
        Assert.DoesNotContain(Sent<Append>(), s => s.To == N(2) && s.Message.Count > 0);
        Settle(core);
        WakeUntil(core, () => Sent<Append>().Exists(s => s.To == N(2)));
        Assert.All(Sent<Append>().Where(s => s.To == N(2)), s => Assert.Equal((1L, 0), (s.Message.PrevIndex, s.Message.Count)));
        Settle(core);
        core.Receive(Now, Sender.Host, new Delayed(N(2), waits: false), _outbox);
        Assert.Equal((3L, 1), Sent<Append>().Where(s => s.To == N(2)).Select(s => (s.Message.First, s.Message.Count)).Single());
    }

    private static AppendReply Rejected(RaftCore leader, long at, long hint, ulong hintTerm) =>
        new() { Term = leader.State.Term, Ok = false, RejectedPrev = at, HintIndex = hint, HintTerm = hintTerm, Round = leader.State.Round, Run = 1, SentMicros = 0 };

    [Fact(DisplayName = "P §5.3 a failed check cuts nothing; a conflict cuts from there on; commit follows what was verified")]
    public void Conflicts()
    {
        var core = Start(terms: [1, 1, 1]);
        Receive(core, 2, Entries(3, 5, 2, 5, 1));
        Assert.False(Sent<AppendReply>()[0].Message.Ok);
        Assert.Equal(3, core.State.Log.Last);
        Receive(core, 2, Entries(3, 1, 1, 5, 2, 1));
        Assert.Equal((3, 2), (core.State.Log.Last, core.State.Commit));
        Receive(core, 2, Entries(3, 2, 1, 2, 3, 3));
        Assert.Equal((3, 3UL), (core.State.Log.Last, core.State.Log.LastTerm));
    }

    [Fact(DisplayName = "T §9.6 a pre-vote changes nothing at either side")]
    public void PreVotes()
    {
        var core = Start();
        _now += 160_000;
        long deadline = core.State.ElectionDeadline;
        Receive(core, 2, new PreVote(1, 0, 0));
        Assert.True(Sent<PreVoteReply>()[0].Message.Granted);
        Assert.Equal((0UL, default, deadline), (core.State.Term, core.State.VotedFor, core.State.ElectionDeadline));
    }

    [Fact(DisplayName = "T §4.2.3 who hears a leader ignores votes, but for a transfer")]
    public void Stickiness()
    {
        var core = Start();
        Receive(core, 2, Entries(1, 0, 0, 0, 1));
        Receive(core, 3, new RequestVote(5, 9, 9, false));
        Assert.Empty(Sent<VoteReply>());
        Assert.Equal(1UL, core.State.Term);
        Receive(core, 3, new RequestVote(5, 9, 9, true));
        Assert.True(Sent<VoteReply>()[0].Message.Granted);
    }

    [Fact(DisplayName = "T §6.2 a leader that no quorum answers steps down in its term")]
    public void CheckQuorum()
    {
        var core = Lead();
        ulong term = core.State.Term;
        WakeUntil(core, () => core.State.Role != Role.Leader);
        Assert.Equal(term, core.State.Term);
    }

    [Fact(DisplayName = "T §6.4 a read waits for the own term, then for a round that began after it")]
    public void Reads()
    {
        var core = Lead();
        Settle(core);
        core.Propose(Now, [new Proposal(1, ProposalKind.Read)], _outbox);
        Receive(core, 2, Ok(core, 1, core.State.Round));
        Assert.Null(Answer(1));
        Receive(core, 2, Ok(core, 1, core.State.Round));
        Assert.Equal(AnswerKind.ReadAt, Answer(1));
    }

    [Fact(DisplayName = "T §6.4 the refusal of an older term's message acknowledges no round of the new one")]
    public void OldRound()
    {
        var core = Start(promise: new Promise(5, 0, 0));
        Receive(core, 2, Entries(4, 0, 0, 0, 259));
        Assert.Equal((5UL, false, 0L), (Sent<AppendReply>()[0].Message.Term, Sent<AppendReply>()[0].Message.Ok, Sent<AppendReply>()[0].Message.Round));
    }

    [Fact(DisplayName = "sessions.md §6.2 permission counts from what was sent, old words move none")]
    public void Permission()
    {
        var core = Lead();
        Settle(core);
        long started = _now;
        _now += 50_000;
        Receive(core, 2, Ok(core, 1, core.State.Round), old: true);
        Assert.Equal(0, core.StandingAt(Now).MayServeUntilMicros);
        Receive(core, 2, Ok(core, 1, core.State.Round, sent: 777));
        Assert.Equal(started + Limits.ServeWithoutLeaderMicros, core.StandingAt(Now).MayServeUntilMicros);
        _outbox.Clear();
        WakeUntil(core, () => Sent<Append>().Count > 0);
        Receive(core, 2, Ok(core, 1, core.State.Round, sent: 999));
        WakeUntil(core, () => Sent<Append>().Exists(s => s.To == N(2)));
        Assert.Equal(777, Sent<Append>().First(s => s.To == N(2)).Message.ProvenMicros);
    }

    [Fact(DisplayName = "storage.md §2.4 at a peer's new run everything that it acknowledged is forgotten")]
    public void NewRun()
    {
        var core = Lead(5);
        Settle(core);
        Receive(core, 2, Ok(core, 1));
        Assert.Equal(1, core.State.Peer(N(2))!.Match);
        Receive(core, 2, Ok(core, 0, run: 2));
        Assert.Equal(0, core.State.Peer(N(2))!.Match);
        Receive(core, 2, Ok(core, 1, run: 1));
        Assert.Equal(0, core.State.Peer(N(2))!.Match);
    }

    [Fact(DisplayName = "DESIGN §3 a gap of ten seconds counts 200 ms against the leader")]
    public void Gap()
    {
        var core = Start();
        Receive(core, 2, Entries(1, 0, 0, 0, 1));
        _now += 10_000_000;
        Receive(core, 2, Entries(1, 0, 0, 0, 2));
        Assert.Equal(Role.Follower, core.State.Role);
        Assert.Equal(N(2), core.State.Leader);
    }

    [Theory(DisplayName = "sessions.md §3.3 term opened says whether it raises the epoch")]
    [InlineData(1, 0), InlineData(3, 1)]
    public void TermOpened(int voters, byte raises)
    {
        var core = Start(voters);
        if (voters > 1) core = Lead(voters);
        else
        {
            WakeUntil(core, () => core.State.Role == Role.Candidate);
            _outbox.Clear();
            core.Durable(Now, _outbox.LastTicket, _outbox);
        }
        bool found = false;
        foreach (ref readonly var v in _outbox.Verbs)
            if (v is { Kind: VerbKind.Persist, Persist: PersistKind.Append })
            {
                found = true;
                Assert.Equal(raises, _outbox.EntriesOf(v)[0].Payload.Span[0]);
            }
        Assert.True(found);
    }

    [Fact(DisplayName = "DESIGN §3 an idle group costs beats and nothing else")]
    public void Idle()
    {
        var core = Lead();
        Settle(core);
        Receive(core, 2, Ok(core, 1));
        for (int i = 0; i < 4; i++)
        {
            _outbox.Clear();
            _now = core.NextWake;
            core.Wake(Now, _outbox);
            foreach (ref readonly var v in _outbox.Verbs) Assert.True(v.Kind == VerbKind.Send && v.Message is Append { Count: 0 });
            Receive(core, 2, Ok(core, 1, core.State.Round));
        }
    }

    [Fact(DisplayName = "DESIGN §3 a batch is one write and one message a peer, and a step allocates little but its messages")]
    public void Batch()
    {
        var core = Lead();
        Settle(core);
        Receive(core, 2, Ok(core, 1));
        Receive(core, 3, Ok(core, 1));
        var payload = Payload.Of(new byte[100]);
        var batch = Enumerable.Range(1, 64).Select(i => new Proposal(i, ProposalKind.Command, payload)).ToArray();
        for (int i = 0; i < 400; i++) Write();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Write();
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / 100 / 64;
        Assert.True(each <= 32, $"{each} bytes a write");

        void Write()
        {
            _outbox.Clear();
            core.Propose(Now, batch, _outbox);
            int appends = 0, writes = 0;
            foreach (ref readonly var v in _outbox.Verbs)
            {
                if (v.Kind == VerbKind.Persist) writes++;
                if (v is { Kind: VerbKind.Send, Message: Append }) appends++;
            }
            Assert.True(writes == 1 && appends == 2);
            core.Durable(Now, _outbox.LastTicket, _outbox);
            core.Receive(Now, From(2), Ok(core, core.State.Log.Last), _outbox);
            core.Receive(Now, From(3), Ok(core, core.State.Log.Last), _outbox);
        }
    }
}
