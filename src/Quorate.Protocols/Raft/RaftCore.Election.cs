using Quorate.Protocols.Quorums;

namespace Quorate.Protocols.Raft;

/// <summary>Pre-vote, vote, leader stickiness, check-quorum, leadership transfer (P §5.2, §5.4.1; T §3.10, §4.2.3, §6.2, §9.6).</summary>
public sealed partial class RaftCore
{
    // ---- Timers and roles

    /// <summary>A fresh draw each time: fixed ones collide for ever (raft.md §4.1). Who is no voter has no timer.</summary>
    private void ArmElection(long least = -1)
    {
        if (least < 0) least = _options.ElectionTimeoutMicros;
        if (S.LogSpaceLow) least += _options.ElectionSpreadMicros; // without room it would win and stall: let others go first (raft.md §15.3.3)
        S.ElectionDeadline = S.Electable ? S.Judged + least + S.Chance.Below(_options.ElectionSpreadMicros) : Instant.Never;
    }

    /// <summary>It may campaign: it is electable by its own log's configurations, nothing of its log is damaged, it is not about to stop.</summary>
    private bool MayStand => S.Electable && S.Mark.Count == 0 && !S.Retiring
#if MUTANTS
        || (Mutants.On(Mutant.MarkedStands) && S.Electable)
#endif
        ;

    private void BecomeFollower(ReplicaId leader, string why)
    {
        bool changed = S.Role != Role.Follower;
        if (S.Role == Role.Leader) GiveLeadershipUp();
        if (S.Leader != leader) FailForwardedReads();
        if (changed) _out.Note("follower: " + why, (long)S.Term);
        S.Role = Role.Follower;
        S.Leader = leader;
        S.Ballots.Clear();
#if MUTANTS
        if (Mutants.On(Mutant.VoteForgottenInTerm) && changed) S.VotedFor = ReplicaId.None;
#endif
        if (changed) ArmElection();
    }

    /// <summary>What only a leader has goes; whatever was proposed and not decided is unknown, never refused (raft.md §5.3.5).</summary>
    private void GiveLeadershipUp()
    {
        FailReads();
        if (S.ChangeIndex > 0) _out.Answer(S.ChangeProposal, AnswerKind.Unknown, reason: "leadership was lost");
        if (S.TransferProposal != 0) _out.Answer(S.TransferProposal, S.TransferSent ? AnswerKind.Done : AnswerKind.Unknown);
        S.ChangeIndex = S.ChangeProposal = S.TransferProposal = 0;
        S.TransferTarget = ReplicaId.None;
        S.TransferSent = false;
        S.HeartbeatDeadline = S.QuorumDeadline = S.TransferDeadline = Instant.Never;
#if MUTANTS
        _formerPeers = S.Peers;
#endif
        S.Peers = [];
        S.RoundStarts = [];
        S.Leader = ReplicaId.None;
    }

    private void OnElectionTimeout()
    {
        if (S.Role == Role.Leader)
        {
            S.ElectionDeadline = Instant.Never;
            return;
        }
        if (MayStand)
        {
            BecomePreCandidate();
            return;
        }
        if (S.Mark.Count > 0 && !S.Retiring) AskAboutLoss(); // no leader brings it past
        ArmElection();
    }

    // ---- Campaign

    /// <summary>Asks first; no term is raised, nothing persisted (T §9.6). A candidate that ran out of time comes back here, too (bug 47).</summary>
    private void BecomePreCandidate()
    {
        FailForwardedReads();
        bool hinted = S.LeaderSuspected && S.HintedTries < 3;
        S.Role = Role.PreCandidate;
        S.Leader = ReplicaId.None; // or two that suspect refuse each other for ever (raft.md §13.3)
        S.Ballots.Clear();
        S.CampaignsByTransfer = false;
        if (hinted)
        {
            // The others may not have seen the reset yet: ask again soon, a few times.
            S.HintedTries++;
            S.ElectionDeadline = S.Judged + 4 * _options.HintStaggerMicros + S.Chance.Below(2 * _options.HintStaggerMicros);
        }
        else ArmElection();
        _out.Note("pre-candidate for term", (long)S.Term + 1);
        S.Ballots.Add(new Ballot(S.Self, S.Directory, true)); // promises nothing, so it needs no disk
        SendToVoters(new PreVote(S.Term + 1, S.Log.Last, S.Log.LastTerm), Ticket.None);
        BecomeCandidateIfPreElected();
    }

    private void BecomeCandidateIfPreElected()
    {
        if (S.Role == Role.PreCandidate && Majorities.Reached(S.Configuration, new BallotValues(S, true)) >= 1) BecomeCandidate(false);
    }

    private void BecomeCandidate(bool transfer)
    {
        FailForwardedReads();
        S.Role = Role.Candidate;
        S.Leader = ReplicaId.None;
        S.Ballots.Clear();
        S.CampaignsByTransfer = transfer;
        S.Term++;
        PersistPromise(S.Self, S.Directory);
        ArmElection();
        _out.Note("candidate in term", (long)S.Term);

        // After its own vote, and by first in, first out after the whole log that it claims (raft.md §4.5, bug 45).
        var after = S.PromiseTicket;
#if MUTANTS
        if (Mutants.On(Mutant.VoteRequestUngated)) after = Ticket.None;
#endif
        SendToVoters(new RequestVote(S.Term, S.Log.Last, S.Log.LastTerm, transfer), after);
    }

    private void BecomeLeaderIfElected()
    {
        if (S.Role != Role.Candidate) return;
        if (!S.PromisePending) Count(new Ballot(S.Self, S.Directory, true)); // the own vote counts when it is durable
        if (Majorities.Reached(S.Configuration, new BallotValues(S, true)) >= 1) BecomeLeader();
    }

    private void SendToVoters(RaftMessage message, Ticket after)
    {
        foreach (var m in S.Configuration.Members)
            if (m.Voter && m.Id != S.Self) _out.Send(m.Id, message, after);
        foreach (var m in S.Configuration.Outgoing)
            if (m.Voter && m.Id != S.Self && S.Configuration.Find(m.Id) is not { Voter: true }) _out.Send(m.Id, message, after);
    }

    /// <summary>Distinct voters, never replies (bug 4'). A grant stays one.</summary>
    private void Count(Ballot ballot)
    {
        for (int i = 0; i < S.Ballots.Count; i++)
        {
            if (S.Ballots[i].Id != ballot.Id || S.Ballots[i].Directory != ballot.Directory) continue;
            if (!S.Ballots[i].Granted) S.Ballots[i] = ballot;
            return;
        }
        S.Ballots.Add(ballot);
    }

    /// <summary>So many refused that it cannot win any more: do not wait the time-out out (raft.md §4.11).</summary>
    private void BecomeFollowerIfHopeless()
    {
        if (Majorities.Reached(S.Configuration, new BallotValues(S, false)) >= 1) return;
        long deadline = S.ElectionDeadline;
        BecomeFollower(ReplicaId.None, "refused by too many");
        if (S.LeaderSuspected && S.HintedTries < 3) S.ElectionDeadline = deadline;
        else ArmElection(_options.ElectionTimeoutMicros / 3);
    }

    // ---- Receipt

    /// <summary>A leader was heard within the least time-out; a leader counts itself heard while check-quorum holds (T §4.2.3). The leader that asks by itself leads no more.</summary>
    private bool Sticky(ReplicaId asker)
    {
        if (S.Role == Role.Leader) return true;
        if (S.LeaderSuspected || asker == S.Leader) return false;
        return S.Judged - S.HeardLeader < _options.ElectionTimeoutMicros;
    }

    /// <summary>P §5.4.1, against the whole own log, durable or not, and against what was lost of it (storage.md §2.4).</summary>
    private bool UpToDate(ulong lastTerm, long lastIndex)
    {
        if (Behind(lastTerm, lastIndex, S.Log.LastTerm, S.Log.Last)) return false;
#if MUTANTS
        if (Mutants.On(Mutant.MarkIgnoredInVotes)) return true;
#endif
        foreach (var d in S.Mark)
            if (Behind(lastTerm, lastIndex, d.Term, d.Index)) return false;
        return true;
    }

    private static bool Behind(ulong term, long index, ulong otherTerm, long otherIndex) => term != otherTerm ? term < otherTerm : index < otherIndex;

    private void OnPreVote(Sender from, PreVote m)
    {
        bool granted = m.NextTerm > S.Term && UpToDate(m.LastTerm, m.LastIndex) && !Sticky(from.Id);
        _out.Send(from.Id, new PreVoteReply(granted ? m.NextTerm : S.Term, granted)); // no timer, no term, no vote (bugs 20, 21)
    }

    private void OnPreVoteReply(Sender from, PreVoteReply m)
    {
        if (!m.Granted && AdoptIfHigher(m.Term)) return;
        if (S.Role != Role.PreCandidate || (m.Granted && m.Term != S.Term + 1)) return;
        Count(new Ballot(from.Id, from.Directory, m.Granted));
        if (m.Granted) BecomeCandidateIfPreElected();
        else BecomeFollowerIfHopeless();
    }

    private void OnRequestVote(Sender from, RequestVote m)
    {
        if (m.Term > S.Term && !m.Transfer && Sticky(from.Id))
        {
            _out.Note("vote request ignored: a leader was heard", (long)m.Term, from.Id.Value);
            return; // without adopting its term (raft.md §4.8)
        }
        AdoptIfHigher(m.Term);
        bool free = S.VotedFor.IsNone || (S.VotedFor == from.Id && S.VotedForDirectory == from.Directory);
        bool granted = m.Term == S.Term && free && S.Role != Role.Leader && UpToDate(m.LastTerm, m.LastIndex);
        if (!granted)
        {
            _out.Send(from.Id, new VoteReply(S.Term, false));
            return;
        }
        if (S.VotedFor.IsNone) PersistPromise(from.Id, from.Directory);
        if (!from.Old) ArmElection();

        // After the newest write: a first grant to the same candidate may still be on its way to the disk (raft.md §4.7).
        _out.Send(from.Id, new VoteReply(S.Term, true), _out.LastTicket);
        _out.Note("vote granted", (long)S.Term, from.Id.Value);
    }

    private void OnVoteReply(Sender from, VoteReply m)
    {
        if (AdoptIfHigher(m.Term)) return;
        bool current = m.Term == S.Term;
#if MUTANTS
        if (Mutants.On(Mutant.StaleVoteCounted)) current = true;
#endif
        if (S.Role != Role.Candidate || !current) return;
        Count(new Ballot(from.Id, from.Directory, m.Granted));
        if (m.Granted) BecomeLeaderIfElected();
        else BecomeFollowerIfHopeless();
    }

    // ---- Leading

    private void BecomeLeader()
    {
        S.Role = Role.Leader;
        S.Leader = S.Self;
        S.ElectionDeadline = Instant.Never;
        S.LeaderSuspected = false;
        S.HintedTries = 0;
        S.Ballots.Clear();
        S.Reads.Clear();
        S.ConfirmedRound = S.Round;
        S.RoundStarts = new long[RaftState.RoundRing];
        S.QuorumDeadline = S.Judged + _options.ElectionTimeoutMicros;
        S.HeartbeatDeadline = S.Judged + _options.HeartbeatMicros;
        SyncPeers();
#if MUTANTS
        RememberFormerPeers();
#endif
        _out.Note("leader in term", (long)S.Term);
        OpenTerm();
    }

    /// <summary>The first entry of the term (P §8, T §6.4). It says whether it raises the epoch: not where its own configuration has one voter (sessions.md §3.3).</summary>
    private void OpenTerm()
    {
        S.TermStart = S.Log.Last + 1;
        int voters = 0;
        foreach (var m in S.Configuration.Members)
            if (m.Voter) voters++;
        AppendEntry(new Entry(EntryKind.TermOpened, Payload.Of([voters > 1 ? (byte)1 : (byte)0])));
        PersistBatch(S.TermStart, S.Term);
        StartRound();
        Broadcast();
    }

    /// <summary>No quorum spoke within the least time-out: step down in the same term (T §6.2). Replies count, not what was sent.</summary>
    private void CheckQuorum()
    {
        long heard = Majorities.Reached(S.Configuration, new ContactValues(S));
        if (heard < S.Judged - _options.ElectionTimeoutMicros)
        {
            BecomeFollower(ReplicaId.None, "no quorum is heard");
            return;
        }
        S.QuorumDeadline = Math.Min(heard, S.Judged) + _options.ElectionTimeoutMicros + 1;
    }

    // ---- Hints (raft.md §16.3)

    private void OnLinkDown(ReplicaId peer)
    {
        StopReplicating(peer);
        if (S.Role != Role.Follower || peer != S.Leader) return;

        // A hint, never a proof: it opens the way to a pre-vote, by rank, and no term rises on it.
        int rank = 0;
        foreach (var m in S.Configuration.Members)
            if (m.Voter && m.Id < S.Self && m.Id != peer) rank++;
        if (!S.LeaderSuspected) S.HintedTries = 0;
        S.LeaderSuspected = true;
        if (S.Electable) S.ElectionDeadline = Math.Min(S.ElectionDeadline, S.Judged + (1 + rank) * _options.HintStaggerMicros);
        _out.Note("the link to the leader was reset", peer.Value, rank);
    }

    // ---- Transfer (T §3.10)

    private void ProposeTransfer(in Proposal p)
    {
        if (S.Role != Role.Leader) _out.Answer(p.Id, AnswerKind.Redirect);
        else if (S.Transferring) _out.Answer(p.Id, AnswerKind.Busy, reason: "a transfer is under way");
        else if (p.Target == S.Self) _out.Answer(p.Id, AnswerKind.Done);
        else if (ChooseTarget(p.Target) is not { } target) _out.Answer(p.Id, AnswerKind.Refused, reason: p.Target.IsNone ? "there is no other voter" : $"{p.Target} is no voter");
        else
        {
            S.TransferProposal = p.Id;
            BeginTransfer(target);
        }
    }

    private void OnRetire()
    {
        S.Retiring = true;
        if (S.Role == Role.Leader && !S.Transferring && ChooseTarget(ReplicaId.None) is { } target) BeginTransfer(target);
    }

    /// <summary>The named voter, or the one that holds most among those lately heard.</summary>
    private PeerProgress? ChooseTarget(ReplicaId named)
    {
        PeerProgress? best = null;
        foreach (var p in S.Peers)
        {
            if (!S.Configuration.IsVoter(p.Id, p.Directory)) continue;
            if (p.Id == named) return p;
            if (named.IsNone && (best is null || Better(p, best))) best = p;
        }
        return best;

        bool Better(PeerProgress a, PeerProgress b)
        {
            bool freshA = S.Judged - a.Contact < _options.ElectionTimeoutMicros, freshB = S.Judged - b.Contact < _options.ElectionTimeoutMicros;
            return freshA != freshB ? freshA : a.Match > b.Match;
        }
    }

    private void BeginTransfer(PeerProgress target)
    {
        S.TransferTarget = target.Id;
        S.TransferSent = false;
        S.TransferDeadline = S.Judged + _options.ElectionTimeoutMicros;
        _out.Note("transfer to", target.Id.Value);
        TransferIfCaughtUp(target);
    }

    private void TransferIfCaughtUp(PeerProgress p)
    {
        if (S.TransferTarget != p.Id || S.TransferSent || p.Match != S.Log.Last) return;
        S.TransferSent = true;
        _out.Send(p.Id, new TimeoutNow(S.Term));
    }

    private void GiveTransferUp()
    {
        if (S.TransferProposal != 0) _out.Answer(S.TransferProposal, AnswerKind.Busy, reason: "the target did not take over in time");
        S.TransferProposal = 0;
        S.TransferTarget = ReplicaId.None;
        S.TransferSent = false;
        S.TransferDeadline = Instant.Never;
        if (S.Retiring) OnRetire();
    }

    private void OnTimeoutNow(Sender from, TimeoutNow m)
    {
        if (AdoptIfHigher(m.Term)) return;
        if (m.Term != S.Term || from.Old || S.Role == Role.Leader || !MayStand) return; // a removed replica must not campaign on it (raft.md §9.4)
        BecomeCandidate(true);
    }
}
