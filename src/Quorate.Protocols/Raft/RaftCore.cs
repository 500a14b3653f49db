namespace Quorate.Protocols.Raft;

/// <summary>
/// Raft on the contract: the five inputs, and what every message goes through. The rules stand in the partials by phase: Election, Replication, Membership, Reads, Snapshots.
/// P = the paper, T = the thesis; README.md tells the whole on one page.
/// </summary>
public sealed partial class RaftCore : IProtocolCore
{
    private readonly RaftOptions _options;
    private RaftState S = new();
    private readonly RaftShadow _shadow = new();
    private Outbox _out = null!; // of the step under way
    private Entry[] _batch = []; // entries of one PersistAppend; emptied before a step ends
    private int _batchCount;

    public RaftCore(RaftOptions options) => _options = options;

    private RaftCore(RaftCore other)
    {
        _options = other._options;
        S = other.S.Copy();
        _shadow = other._shadow.Copy();
    }

    public RaftOptions Options => _options;

    /// <summary>For invariants, tests and the simulator: to be read, never written.</summary>
    public RaftState State => S;

    public ClusterConfiguration Configuration => S.Configuration;

    public IProtocolCore Fork() => new RaftCore(this);

    public void CheckInvariants() => RaftInvariants.CheckLocal(this, _shadow);

    // ---- The five inputs

    public void Start(Instant now, Recovered recovered, Outbox outbox)
    {
        _out = outbox;
        S.LastNow = now.Micros;
        S.Self = recovered.Self;
        S.Directory = recovered.Directory;
        S.Run = recovered.Run;
        S.Chance = new Prng(recovered.Seed);
        S.Snapshot = recovered.Snapshot;
        S.Log = recovered.Log.Copy();
        S.Mark.AddRange(recovered.Mark);
        S.Configurations.AddRange(recovered.Configurations);
        RecoverLog();

        // A joiner's first configuration is an entry that may yet be cut: below it, it knows nobody.
        if (S.Configurations.Count == 0 || S.Configurations[0].Index > S.Snapshot.Index) S.Configurations.Insert(0, new ConfigurationAt(0, ClusterConfiguration.None));
        RecoverPromise(recovered);
        S.LossTerm = TermAboveLosses();
        S.Commit = S.Applied = Math.Max(S.Snapshot.Index, S.Log.BeginIndex);
        S.Role = Role.Follower;

        // The promise "I heard a leader lately" was lost with the memory: one whole time-out of silence first (raft.md §2.5).
        S.HeardLeader = S.Judged;
        if (S.SoleVoter) S.ElectionDeadline = S.Judged;
        else ArmElection();
        _out.Note("recovered: term, last, commit", (long)S.Term, S.Log.Last, S.Commit);
    }

    public void Receive(Instant now, Sender from, ProtocolMessage message, Outbox outbox)
    {
        Enter(now, outbox);
        switch (message)
        {
            case HostMessage host: OnHost(host); break;
            case PreVote m: OnPreVote(from, m); break;
            case PreVoteReply m: OnPreVoteReply(from, m); break;
            case RequestVote m: OnRequestVote(from, m); break;
            case VoteReply m: OnVoteReply(from, m); break;
            case Append m: OnAppend(from, m); break;
            case AppendReply m: OnAppendReply(from, m); break;
            case InstallSnapshot m: OnInstallSnapshot(from, m); break;
            case InstallReply m: OnInstallReply(from, m); break;
            case TimeoutNow m: OnTimeoutNow(from, m); break;
            case ReadIndex m: OnReadIndex(from, m); break;
            case ReadIndexReply m: OnReadIndexReply(m); break;
            case LossQuestion m: OnLossQuestion(from, m); break;
            case LossAnswer m: OnLossAnswer(from, m); break;
            default: _out.Note("message dropped: not one of Raft's"); break;
        }
    }

    public void Propose(Instant now, ReadOnlySpan<Proposal> proposals, Outbox outbox)
    {
        Enter(now, outbox);
        long first = S.Log.Last + 1;
        bool reads = false;
        foreach (ref readonly var p in proposals)
        {
            switch (p.Kind)
            {
                case ProposalKind.Command: ProposeCommand(p); break;
                case ProposalKind.Configuration: ProposeConfiguration(p); break;
                case ProposalKind.Read: reads |= S.Role == Role.Leader ? QueueRead(new PendingRead(p.Id, default, 0, 0, 0, 0)) : ForwardRead(p.Id); break;
                case ProposalKind.Transfer: ProposeTransfer(p); break;
                default: _out.Answer(p.Id, AnswerKind.Refused, reason: "unknown kind of proposal"); break;
            }
        }
        bool appended = S.Log.Last >= first;
        if (appended) PersistBatch(first, S.Term);
        if (reads) AskForReads();
        if (appended) Broadcast();
    }

    public void Durable(Instant now, Ticket upTo, Outbox outbox)
    {
        Enter(now, outbox);
        if (upTo <= S.Durable) return;
        S.Durable = upTo;
#if MUTANTS
        CompleteGhosts(upTo);
#endif
        int done = 0;
        while (done < S.Spans.Count && S.Spans[done].Ticket <= upTo) done++;
        if (done > 0) S.Spans.RemoveRange(0, done);
        if (S.AcceptedLoss != 0 && S.AcceptedTicket <= upTo) AnswerAcceptedLoss();
        if (S.Role == Role.Candidate) BecomeLeaderIfElected();
        if (S.Role == Role.Leader) AdvanceCommitIndex();
    }

    public void Wake(Instant now, Outbox outbox)
    {
        Enter(now, outbox);
        if (S.Role == Role.Leader)
        {
            if (S.Judged >= S.QuorumDeadline) CheckQuorum();
            if (S.Judged >= S.TransferDeadline) GiveTransferUp();
            if (S.Judged >= S.HeartbeatDeadline) Beat();
        }
        if (S.Judged >= S.ElectionDeadline) OnElectionTimeout();
    }

    // ---- Properties

    public long NextWake
    {
        get
        {
            long earliest = Math.Min(Math.Min(S.ElectionDeadline, S.HeartbeatDeadline), Math.Min(S.QuorumDeadline, S.TransferDeadline));
            if (earliest == Instant.Never) return Instant.Never;

            // A silent gap counts 200 ms at most, so a farther deadline needs a look in between.
            return S.LastNow + Math.Clamp(earliest - S.Judged, 0, _options.MaxJudgedGapMicros * 3 / 4);
        }
    }

    public Standing StandingAt(Instant now)
    {
        bool leads = S.Role == Role.Leader;
        var role = S.Role == Role.Follower && !S.SelfVotes ? Role.Learner : S.Role;
        long serve = leads && S.SoleVoter ? Instant.Never : S.MayServeUntil;
        return new Standing(role, S.Term, S.Leader, MayPropose(), serve, S.Commit, Math.Max(S.ProvenCommit, leads ? S.Commit : 0), S.Configurations.Count == 0 ? 0 : S.Latest.Index, S.Mark.Count, HighestOfMark(), leads && WantsSnapshot());
    }

    /// <summary>The only place where limits are tested (sessions.md §2.4): an idle leader always offers one entry of the largest size.</summary>
    private int MayPropose()
    {
        if (S.Role != Role.Leader || S.Transferring) return 0;
        long uncommitted = S.Log.BytesOf(S.Commit + 1, S.Log.Last);
        long room = _options.MaxUncommittedBytes - uncommitted;
        if (uncommitted <= 1) room = Math.Max(room, _options.MaxEntryBytes);
        return (int)Math.Clamp(room, 0, int.MaxValue);
    }

    // ---- What every input goes through

    private void Enter(Instant now, Outbox outbox)
    {
        _out = outbox;
        long micros = Math.Max(now.Micros, S.LastNow);
        S.Judged += Math.Min(micros - S.LastNow, _options.MaxJudgedGapMicros);
        S.LastNow = micros;
    }

    private void OnHost(HostMessage message)
    {
        switch (message)
        {
            case LinkUp m: OnLinkUp(m); break;
            case LinkDown m: OnLinkDown(m.Peer); break;
            case Undelivered m: StopReplicating(m.To); break;
            case Delayed m: OnDelayed(m); break;
            case Applied m: S.Applied = Math.Max(S.Applied, Math.Min(m.Index, S.Commit)); break;
            case SnapshotStored m: OnSnapshotStored(m.Snapshot, m.KeepFrom); break;
            case SnapshotFailed: _out.Note("snapshot failed: the log stays"); break;
            case ReceiveFailed m: OnReceiveFailed(m); break;
            case LogSpace m: S.LogSpaceLow = m.Low; break;
            case Answered m: S.AnsweredUpTo = m.UpToMicros; break;
            case AcceptLoss m: OnAcceptLoss(m); break;
            case Retire: OnRetire(); break;
            default: _out.Note("host message dropped"); break;
        }
    }

    /// <summary>Rule of receipt 1 (P §5.1): a higher term makes a follower without a leader.</summary>
    private bool AdoptIfHigher(ulong term)
    {
        if (term <= S.Term) return false;
        BecomeFollower(ReplicaId.None, "a higher term");
        S.Term = term;
        PersistPromise(ReplicaId.None, 0);
        return true;
    }

    private void PersistPromise(ReplicaId vote, ulong directory)
    {
        S.VotedFor = vote;
        S.VotedForDirectory = directory;
        S.PromiseTicket = _out.PersistPromise(new Promise(S.Term, vote.Value, directory)); // term and vote in one record (raft.md, bug 15)
    }

    // ---- Recovery (raft.md §2)

    private void RecoverLog()
    {
        var snapshot = S.Snapshot;
        if (snapshot.Index > 0 && !S.Log.Matches(snapshot.Index, snapshot.Term) && snapshot.Index >= S.Log.BeginIndex)
        {
            // The log ends below the snapshot or differs at it: the snapshot is the base (T §5.1, bug 14).
            S.Log.Reset(snapshot.Index, snapshot.Term);
            S.Configurations.RemoveAll(c => c.Index > snapshot.Index);
            _out.PersistLogBegin(snapshot.Index, snapshot.Term, snapshot);
        }
        else if (snapshot.Index < S.Log.BeginIndex)
        {
            // No whole snapshot reaches the log's begin: what is below is lost, and only a leader brings it back (storage.md §4.5).
            Invariant.That(S.Mark.Count > 0, "BoundaryKnown", "the log begins above every snapshot, and nothing is marked as damaged");
            // The map stays: how far this replica acknowledged is what its vote must not fall behind.
            S.BaseLost = true;
            S.Snapshot = default;
#if MUTANTS
            if (Mutants.On(Mutant.LostBaseForgotten))
            {
                S.Log.Reset(0, 0);
                S.BaseLost = false;
            }
#endif
        }
    }

    private void RecoverPromise(Recovered recovered)
    {
        S.Term = recovered.Promise.Term;
        S.VotedFor = new ReplicaId((byte)recovered.Promise.Vote);
        S.VotedForDirectory = recovered.Promise.VoteDirectory;
        ulong least = Math.Max(S.Log.LastTerm, S.Snapshot.Term);
        if (least > S.Term)
        {
            // Tickets are first in, first out, so an entry's term is durable before it; a mark's rest of a log is the one way here.
            S.Term = least;
            PersistPromise(RaftState.NobodyAtAll, 0);
            _out.Note("term raised to the log's", (long)least);
        }
    }

    // ---- Print

    /// <summary>Deadlines are printed as armed or not with their order, tickets relative to the durable mark, rounds relative to the confirmed one, no generator state (DESIGN §3).</summary>
    public void AddTo(ref Fingerprint print, Instant now, Ticket durable)
    {
        print.Add((ulong)S.Self.Value);
        print.Add(S.Term);
        print.Add((ulong)S.VotedFor.Value);
        print.Add(S.VotedForDirectory);
        S.Log.AddTo(ref print);
        foreach (var c in S.Configurations)
        {
            print.Add(c.Index);
            print.Add(c.Configuration.Encode());
        }
        print.Add(S.Snapshot.Index);
        print.Add((ulong)S.Role);
        print.Add((ulong)S.Leader.Value);
        print.Add(S.Commit);
        print.Add(S.PromisePending ? S.PromiseTicket.Value - durable.Value : 0);
        foreach (var w in S.Spans)
        {
            print.Add(w.First);
            print.Add(w.Last);
            print.Add(w.Ticket.Value - durable.Value);
        }
        foreach (var d in S.Mark) print.Add(d.Index);
        print.Add(S.BaseLost);
        foreach (var a in S.LossAnswers)
        {
            print.Add((ulong)a.Id.Value);
            foreach (var word in a.Answer.Words) print.Add((ulong)word);
        }
        foreach (var b in S.Ballots)
        {
            print.Add((ulong)b.Id.Value);
            print.Add(b.Granted);
        }
        print.Add(S.LeaderSuspected);
        print.Add(S.ForwardedReads.Count);
        AddDeadlines(ref print);
        if (S.Role == Role.Leader) AddLeader(ref print);
    }

    private void AddDeadlines(ref Fingerprint print)
    {
        ReadOnlySpan<long> deadlines = [S.ElectionDeadline, S.HeartbeatDeadline, S.QuorumDeadline, S.TransferDeadline];
        foreach (long mine in deadlines)
        {
            int earlier = 0;
            foreach (long other in deadlines)
                if (other < mine) earlier++;
            print.Add(mine == Instant.Never ? -1L : earlier);
        }
        print.Add(S.Judged - S.HeardLeader < _options.ElectionTimeoutMicros);
    }

    private void AddLeader(ref Fingerprint print)
    {
        print.Add(S.TermStart);
        print.Add(S.Round - S.ConfirmedRound);
        print.Add((ulong)S.TransferTarget.Value);
        print.Add(S.TransferSent);
        print.Add(S.ChangeIndex);
        foreach (var r in S.Reads)
        {
            print.Add(r.Index);
            print.Add(r.Round - S.ConfirmedRound);
            print.Add((ulong)r.From.Value);
        }
        foreach (var p in S.Peers)
        {
            print.Add((ulong)p.Id.Value);
            print.Add((ulong)p.State);
            print.Add(p.Match);
            print.Add(p.Next);
            print.Add(p.Paused);
            print.Add(p.Delayed);
            print.Add(p.Flights.Count);
            print.Add(p.AckedRound - S.ConfirmedRound);
            print.Add(p.Leaving);
        }
    }
}
