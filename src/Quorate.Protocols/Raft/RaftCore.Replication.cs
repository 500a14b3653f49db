using Quorate.Protocols.Quorums;

namespace Quorate.Protocols.Raft;

/// <summary>Replication, flow control and commit (P §5.3, §5.4.2; raft.md §5 to §7).</summary>
public sealed partial class RaftCore
{
    // ---- The own log

    private void ProposeCommand(in Proposal p)
    {
        if (S.Role != Role.Leader) _out.Answer(p.Id, AnswerKind.Redirect);
        else if (p.Payload.Length > _options.MaxEntryBytes) _out.Answer(p.Id, AnswerKind.Refused, reason: "larger than MaxEntryBytes");
        else if (MayPropose() < p.Payload.Length || S.Transferring) _out.Answer(p.Id, AnswerKind.Busy);
        else AppendEntry(new Entry(EntryKind.Command, p.Payload));
    }

    /// <summary>Into the map and the batch; <see cref="PersistBatch"/> follows in the same step.</summary>
    private void AppendEntry(in Entry entry)
    {
        if (_batchCount == _batch.Length) Array.Resize(ref _batch, Math.Max(64, _batchCount * 2));
        _batch[_batchCount++] = entry;
        S.Log.Append(S.Term, entry.Payload.Length);
    }

    private void PersistBatch(long first, ulong term)
    {
        var ticket = _out.PersistAppend(first, term, _batch.AsSpan(0, _batchCount));
        S.Spans.Add(new WriteSpan(first, first + _batchCount - 1, ticket));
        Array.Clear(_batch, 0, _batchCount);
        _batchCount = 0;
    }

    // ---- Leader: sending. Ungated: the own disk works in parallel (T §10.2.1)

    private void Beat()
    {
        S.HeartbeatDeadline = S.Judged + _options.HeartbeatMicros;
        StartRound();
        foreach (var p in S.Peers) SendBeat(p);
    }

    /// <summary>Everything that waits, and to who got nothing by that the newest round.</summary>
    private void Broadcast()
    {
        foreach (var p in S.Peers)
        {
            SendEntries(p);
            if (p.RoundSent < S.Round) SendBeat(p);
        }
    }

    private bool RecentlyHeard(PeerProgress p) => S.Judged - p.Contact < _options.ElectionTimeoutMicros;

    /// <summary>What the peer's state allows (raft.md §6).</summary>
    private void SendEntries(PeerProgress p)
    {
        if (p.Delayed || p.State == ProgressState.Snapshot || (p.State == ProgressState.Probe && p.Paused)) return;
        if (TakesOnlySnapshots(p))
        {
            if (RecentlyHeard(p) && S.Snapshot.Index > p.RefusedSnapshot) SendSnapshot(p); // who is silent gets beats until it answers
            return;
        }
        if (p.State == ProgressState.Probe)
        {
            p.Paused = true;
            SendAppend(p, p.Next, p.Next <= S.Log.Last ? LastOfAppend(p.Next) : p.Next - 1);
            return;
        }
        while (p.Next <= S.Log.Last && p.Flights.Count < _options.MaxInflightMessages && p.FlightBytes < _options.MaxInflightBytes)
        {
            long last = LastOfAppend(p.Next), bytes = S.Log.BytesOf(p.Next, last);
            p.Flights.Add(new Flight(last, bytes));
            p.FlightBytes += bytes;
            SendAppend(p, p.Next, last);
            p.Next = last + 1;
        }
    }

    private long LastOfAppend(long first) => Math.Min(S.Log.LastWithin(first, _options.MaxAppendBytes), first + _options.MaxAppendEntries - 1);

    /// <summary>An empty Append: beat, commit notice, bearer of a round; it finds out what was lost, also over a full window (raft.md §6.3).</summary>
    private void SendBeat(PeerProgress p)
    {
        long prev = BeatPrev(p);
        SendAppend(p, prev + 1, prev);
    }

    /// <summary>A beat that passes entries on their way would be refused for want of them: it says what the peer has.</summary>
    private long BeatPrev(PeerProgress p) => Math.Max(p.Delayed && p.State == ProgressState.Replicate ? p.Match : p.Next - 1, S.Log.BeginIndex);

    private void SendAppend(PeerProgress p, long first, long last)
    {
        S.Log.TryTermOf(first - 1, out ulong prevTerm);
        p.RoundSent = S.Round;
        p.CommitSent = S.Commit;
        _out.Send(p.Id, new Append
        {
            Term = S.Term,
            PrevIndex = first - 1,
            PrevTerm = prevTerm,
            Last = last,
            Commit = S.Commit,
            Round = S.Round,
            ProvenMicros = p.Proven,
            ProvenRun = p.Run,
        });
    }

    /// <summary>Back to one at a time: everything in flight may be gone (raft.md §6.8).</summary>
    private void BecomeProbe(PeerProgress p, long next)
    {
        p.State = ProgressState.Probe;
        p.Paused = p.Delayed = false;
        p.ClearFlights();
        p.Next = Math.Max(next, p.Match + 1);
    }

    private void BecomeReplicate(PeerProgress p)
    {
        p.State = ProgressState.Replicate;
        p.Paused = false;
        p.ClearFlights();
        p.Next = Math.Max(p.Next, p.Match + 1);
    }

    /// <summary>
    /// Where to go on when what is in flight may be gone. Of a peer that has acknowledged nothing yet (a new leader's, or one in a new run) nothing is known: the own end, as at an election, and its hint leads back.
    /// (Taken from 1, a restarted member with its whole log got a snapshot under load, because 1 lies below the leader's.)
    /// </summary>
    private long Unlost(PeerProgress p) => p.Match > 0 ? p.Match + 1 : S.Log.Last + 1;

    /// <summary>Undelivered or a reset link. Nothing is sent now: the next beat tries.</summary>
    private void StopReplicating(ReplicaId peer)
    {
        if (S.Role == Role.Leader && S.Peer(peer) is { } p) BecomeProbe(p, Unlost(p));
    }

    /// <summary>
    /// The host reads from its disk what a peer lacks. Round and commit, which went with that, go at once in a beat of their own, so that no read of a client and no other peer waits for a disk; then on from where it was.
    /// </summary>
    private void OnDelayed(Delayed m)
    {
        if (S.Role != Role.Leader || S.Peer(m.To) is not { } p || p.Delayed == m.Waits) return;
        p.Delayed = m.Waits;
        if (p.Delayed) SendBeat(p);
        else SendEntries(p);
    }

    private void OnLinkUp(LinkUp m)
    {
        if (S.Role != Role.Leader || S.Peer(m.Peer) is not { } p || p.Directory != m.Directory) return;
        NoteRun(p, m.Run);
        BecomeProbe(p, Unlost(p));
        SendBeat(p);
    }

    /// <summary>At a peer's new run all that it acknowledged is forgotten: its disk may have lost what its mark names (storage.md §2.4). False: a word of an older run.</summary>
    private bool NoteRun(PeerProgress p, ulong run)
    {
        if (run < p.Run) return false;
        if (run == p.Run) return true;
        if (p.Run != 0)
        {
            p.Match = 0;
            BecomeProbe(p, S.Log.Last + 1);
        }
        p.Run = run;
        p.NeedsSnapshot = false;
        p.RefusedSnapshot = 0;
        p.NewestSent = p.Proven = 0;
        Array.Clear(p.SentAtRound);
        return true;
    }

    // ---- Follower

    private void OnAppend(Sender from, Append m)
    {
        if (m.Term < S.Term)
        {
            // So that a stale leader learns the term; with check-quorum this also frees a node whose term ran ahead (raft.md §13.3).
            // It says nothing else: whoever asked may lead this term by now, in a new life whose rounds count from 1 again, and an old round echoed under the new term would confirm one that never began.
            Reply(from.Id, new AppendReply { Term = S.Term, Ok = false, RejectedPrev = AppendReply.OnlyTheTerm, Round = 0, Run = S.Run, SentMicros = S.ClaimedMicros }, Ticket.None);
            return;
        }
        if (!FollowLeader(from, m.Term)) return;
        if (!from.Old && m.ProvenRun == S.Run && m.ProvenMicros > 0)
        {
            S.MayServeUntil = Math.Max(S.MayServeUntil, m.ProvenMicros + _options.ServeWithoutLeaderMicros);
            S.ProvenCommit = Math.Max(S.ProvenCommit, m.Commit);
        }
        if (S.BaseLost || (m.PrevIndex >= S.Commit && (!S.Log.Matches(m.PrevIndex, m.PrevTerm) || m.PrevIndex > S.WholeTo)))
        {
            Reject(from.Id, m);
            return;
        }
        long verified = TakeEntries(m);
        ForgetMark(verified);
        DeliverTo(CommitAllowedBy(m, verified));
        Acknowledge(from, m, verified);
    }

    /// <summary>Terms, role and timers of a message that only a leader sends. False: dropped.</summary>
    private bool FollowLeader(Sender from, ulong term)
    {
        AdoptIfHigher(term);
        Invariant.That(S.Role != Role.Leader, "ElectionSafety", $"{from.Id} and {S.Self} both lead term {term}");
        if (S.Leader != from.Id)
        {
            Invariant.That(S.Leader.IsNone, "ElectionSafety", $"{from.Id} and {S.Leader} both lead term {term}");
            S.EchoedRound = S.AckedMatch = 0;
            S.AckedGate = Ticket.None;
#if MUTANTS
            if (!Mutants.On(Mutant.ClaimKeptAcrossLeaders))
#endif
            S.AnsweredUpTo = Math.Min(S.AnsweredUpTo, 0); // what was reported went to another leader: the first acknowledgement to this one claims nothing of it (sessions.md §6.1)
        }
        if (S.Role != Role.Follower || S.Leader != from.Id) BecomeFollower(from.Id, "a leader speaks"); // the vote of this term stays (bug 3)
        if (from.Old) return true;
        S.HeardLeader = S.Judged;
        S.LeaderSuspected = false;
        S.HintedTries = 0;
        ArmElection();
        return true;
    }

    /// <summary>Walks the entries, skips what is equal, cuts only at a conflict, appends the rest (P §5.3; bugs 10, 11). Returns the last index that this message verified.</summary>
    private long TakeEntries(Append m)
    {
        var entries = m.Entries.Span;
        Invariant.That(entries.Length == m.Count, "LogShape", "an Append came without its entries");
        long verified = Math.Max(m.PrevIndex + entries.Length, S.Commit); // what is committed here, every leader has
        int at = 0;
        while (at < entries.Length && IsHeld(m.PrevIndex + 1 + at, entries[at].Term)) at += S.IsMarked(m.PrevIndex + 1 + at) ? Repair(m.PrevIndex + 1 + at, entries[at..]) : 1;
#if MUTANTS
        if (Mutants.On(Mutant.TruncateUnconditionally) && entries.Length > 0 && m.PrevIndex >= S.Commit) at = 0;
#endif
        if (at < entries.Length) AppendFrom(m.PrevIndex + 1 + at, entries[at..]);
        return verified;
    }

    /// <summary>What is committed here is equal at every leader (State Machine Safety), also where its term is compacted away (raft.md §5.2.2).</summary>
    private bool IsHeld(long index, ulong term) => index <= S.Commit || S.Log.Matches(index, term);

    /// <summary>
    /// Of the mark and of the right term: the bytes are put back in their place, what is above stays. (Cut and appended, a kill in the middle would leave a log shorter than what it acknowledged, and no mark that says so.)
    /// Returns how many entries it took.
    /// </summary>
    private int Repair(long first, ReadOnlySpan<TermedEntry> entries)
    {
        ulong term = entries[0].Term;
        int count = 0;
        while (count < entries.Length && entries[count].Term == term && S.IsMarked(first + count) && S.Log.Matches(first + count, term))
        {
            if (_batchCount == _batch.Length) Array.Resize(ref _batch, Math.Max(64, _batchCount * 2));
            _batch[_batchCount++] = entries[count++].Entry;
        }
        HoldFrom(first, _out.PersistPut(first, term, _batch.AsSpan(0, _batchCount)));
        Array.Clear(_batch, 0, _batchCount);
        _batchCount = 0;
        return count;
    }

    /// <summary>The log is durable below <paramref name="first"/> only, until this write is: what lies above it counts no earlier (first in, first out, so the newest ticket covers the older writes there).</summary>
    private void HoldFrom(long first, Ticket ticket)
    {
        ReleaseSpansFrom(first);
        S.Spans.Add(new WriteSpan(first, S.Log.Last, ticket));
    }

    private void ReleaseSpansFrom(long first)
    {
        for (int i = S.Spans.Count - 1; i >= 0 && S.Spans[i].Last >= first; i--)
        {
            if (S.Spans[i].First >= first) S.Spans.RemoveAt(i);
            else S.Spans[i] = S.Spans[i] with { Last = first - 1 };
        }
    }

    private void AppendFrom(long first, ReadOnlySpan<TermedEntry> entries)
    {
        if (first <= S.Log.Last) CutFrom(first);
        int at = 0;
        while (at < entries.Length)
        {
            ulong term = entries[at].Term;
            long runFirst = S.Log.Last + 1;
            while (at < entries.Length && entries[at].Term == term)
            {
                var entry = entries[at++].Entry;
                if (_batchCount == _batch.Length) Array.Resize(ref _batch, Math.Max(64, _batchCount * 2));
                _batch[_batchCount++] = entry;
                S.Log.Append(term, entry.Payload.Length);
                if (entry.Kind == EntryKind.Configuration) AdoptConfiguration(S.Log.Last, entry.Payload);
            }
            PersistBatch(runFirst, term); // a record holds one term; what stood at or above its first index goes with it
        }
    }

    private void CutFrom(long first)
    {
        Invariant.That(first > S.Commit, "NoTruncateBelowCommit", $"cut from {first}, committed {S.Commit}");
        _out.Note("cut: from, last", first, S.Log.Last, S.Leader.Value);
#if MUTANTS
        KeepGhosts(first);
#endif
        S.Log.TruncateAfter(first - 1);
        ReleaseSpansFrom(first);
        S.AckedMatch = Math.Min(S.AckedMatch, first - 1);
        RollConfigurationsBack(first);
    }

    /// <summary>Only as far as this message verified, never to the own last (bug 8).</summary>
    private long CommitAllowedBy(Append m, long verified)
    {
#if MUTANTS
        if (Mutants.On(Mutant.CommitPastVerified)) return Math.Min(m.Commit, S.Log.Last);
#endif
        return Math.Min(m.Commit, verified);
    }

    /// <summary>An entry of the mark leaves when a leader overwrote it or brought this log past it (storage.md §2.4).</summary>
    private void ForgetMark(long verified)
    {
        if (S.Mark.Count == 0 || !S.Log.TryTermOf(verified, out ulong term)) return;
        for (int i = S.Mark.Count - 1; i >= 0; i--)
        {
            var d = S.Mark[i];
            if (d.Index > verified && Behind(term, verified, d.Term, d.Index)) continue;
            _out.Note("damaged entry brought back: index, term", d.Index, (long)d.Term, level: 1);
            S.Mark.RemoveAt(i);
        }
    }

    private void Reject(ReplicaId leader, Append m)
    {
        // The largest index whose term is not above the leader's there: both sides skip whole terms (raft.md §5.4.3). Nothing is cut. What is damaged, and all above it, is asked for again; without what the log begins on nothing helps but a snapshot.
        long hint = S.BaseLost ? 0 : S.Log.LastAtMost(Math.Min(m.PrevIndex, S.WholeTo), m.PrevTerm);
        S.Log.TryTermOf(hint, out ulong hintTerm);
        S.EchoedRound = Math.Max(S.EchoedRound, m.Round);
        Reply(leader, new AppendReply { Term = S.Term, Ok = false, Match = S.PromisePending || S.BaseLost ? 0 : Math.Min(S.Commit, Math.Min(S.DurableIndex, S.WholeTo)), RejectedPrev = m.PrevIndex, HintIndex = hint, HintTerm = hintTerm, Round = m.Round, Run = S.Run, SentMicros = S.ClaimedMicros }, Ticket.None);
    }

    /// <summary>
    /// The acknowledgement waits for the newest ticket that covers its match, also when this message brought no entries (bug 2). A new round is echoed at once, with what is durable by now: beats need no disk.
    /// </summary>
    private void Acknowledge(Sender from, Append m, long verified)
    {
        long match = verified;
#if MUTANTS
        if (Mutants.On(Mutant.AckLastIndex)) match = S.Log.Last;
#endif
        var gate = S.Covering(match);
        if (S.PromisePending && S.PromiseTicket > gate) gate = S.PromiseTicket;
#if MUTANTS
        if (Mutants.On(Mutant.AckUngated)) gate = Ticket.None;
#endif
        bool newRound = m.Round > S.EchoedRound;
        S.EchoedRound = Math.Max(S.EchoedRound, m.Round);
        if (gate.IsNone)
        {
            if (!newRound && m.Count == 0 && match == S.AckedMatch) return; // a commit notice: nothing to say
            S.AckedMatch = match;
            Reply(from.Id, OkReply(match, m.Round), Ticket.None);
            return;
        }
        if (newRound) Reply(from.Id, OkReply(S.PromisePending ? 0 : Math.Min(match, S.DurableIndex), m.Round), Ticket.None);
        if (m.Count == 0 && match <= S.AckedMatch && gate <= S.AckedGate) return; // already waits for the same ticket
        S.AckedMatch = match;
        S.AckedGate = gate;
        Reply(from.Id, OkReply(match, m.Round), gate);
    }

    private AppendReply OkReply(long match, long round) => new() { Term = S.Term, Ok = true, Match = match, Round = round, Run = S.Run, SentMicros = S.ClaimedMicros };

    private void Reply(ReplicaId to, AppendReply reply, Ticket after) => _out.Send(to, reply, after);

    // ---- Leader: answers

    private void OnAppendReply(Sender from, AppendReply m)
    {
        if (AdoptIfHigher(m.Term)) return;
        if (S.Role != Role.Leader || m.Term != S.Term || HeardFrom(from, m.Run, m.SentMicros) is not { } p) return;
        if (!from.Old) p.AckedRound = Math.Max(p.AckedRound, m.Round);
        if (m.Ok) TakeMatch(p, m.Match);
        else if (m.RejectedPrev != AppendReply.OnlyTheTerm) TakeRejection(p, m);
        ConfirmRounds();
        AdvanceCommitIndex();
        if (S.Role != Role.Leader) return;
        SendEntries(p);
    }

    /// <summary>Whose word it is: (member, directory) as the own configuration names it, of its newest run. Null: nobody's.</summary>
    private PeerProgress? HeardFrom(Sender from, ulong run, long sentMicros)
    {
        if (S.Peer(from.Id) is not { } p || p.Directory != from.Directory || !NoteRun(p, run)) return null;
        if (from.Old) return p;
        p.Contact = S.Judged;
        p.NewestSent = Math.Max(p.NewestSent, sentMicros);
        return p;
    }

    private void TakeMatch(PeerProgress p, long match)
    {
        Invariant.That(match <= S.Log.Last, "MatchTruth", $"{p.Id} claims {match}, the leader's log ends at {S.Log.Last}");
        bool probed = match >= p.Next - 1; // the early echo of a round says less than the probe asked: its own answer follows
        p.Match = Math.Max(p.Match, match); // replies may be reordered
        if (match > 0) p.NeedsSnapshot = false;
        p.Next = Math.Max(p.Next, p.Match + 1);
        p.Land(p.Match);
        if (p.State == ProgressState.Probe && probed) BecomeReplicate(p);
        else if (p.State == ProgressState.Snapshot && p.Match >= Math.Min(p.SnapshotIndex, S.Log.BeginIndex)) BecomeProbe(p, p.Match + 1);
        TransferIfCaughtUp(p);
    }

    private void TakeRejection(PeerProgress p, AppendReply m)
    {
        if (m.Match > p.Match) TakeMatch(p, m.Match); // what is committed and durable there every leader has; it ends a snapshot whose own answer was lost
        bool stale = p.State switch
        {
            ProgressState.Snapshot => true,
            ProgressState.Replicate => m.RejectedPrev <= p.Match,
            _ => m.RejectedPrev != BeatPrev(p), // also of a beat to who lies below the log's begin: it may be the only word that comes back
        };
#if MUTANTS
        if (Mutants.On(Mutant.StaleRejectionUsed))
        {
            BecomeProbe(p, 1);
            p.Next = Math.Max(1, Math.Min(m.RejectedPrev, m.HintIndex + 1));
            return;
        }
#endif
        if (stale) return; // raft.md §5.4.4, bug 5
        if (m.RejectedPrev == 0) p.NeedsSnapshot = true; // every log matches at 0: it lost what its own begins on
        BecomeProbe(p, BackUp(m));
    }

    /// <summary>Where to go on: the own largest index not above the hint in index and term (raft.md §5.4.3); below the begin of the log only a snapshot helps.</summary>
    private long BackUp(AppendReply m)
    {
        long index = S.Log.LastAtMost(m.HintIndex, m.HintTerm);
        if (m.HintIndex < S.Log.BeginIndex || (index == S.Log.BeginIndex && index > 0 && S.Log.BeginTerm > m.HintTerm)) return S.Log.BeginIndex;
        return Math.Max(1, Math.Min(index + 1, m.RejectedPrev));
    }

    // ---- Commit

    /// <summary>P §5.4.2: by counting only an entry of the own term; everything below commits with it. The leader counts itself for what is durable (T §10.2.1).</summary>
    private void AdvanceCommitIndex()
    {
        long own = S.DurableIndex;
#if MUTANTS
        if (Mutants.On(Mutant.CountSelfAtAppend)) own = S.Log.Last;
#endif
        long index = Majorities.Reached(S.Configuration, new MatchValues(S, own));
        if (index <= S.Commit || !S.Log.TryTermOf(index, out ulong term)) return;
        bool ownTerm = term == S.Term;
#if MUTANTS
        if (Mutants.On(Mutant.CommitOlderTermByCounting)) ownTerm = true;
#endif
        if (!ownTerm) return;
        bool opens = S.Commit < S.TermStart && index >= S.TermStart;
        DeliverTo(index);
        CompleteChange();
        if (S.Role != Role.Leader) return;
        if (opens) OpenReads();
        foreach (var p in S.Peers)
            if (p.State == ProgressState.Replicate && p.Next > S.Log.Last && p.CommitSent < S.Commit) SendBeat(p); // followers' reads wait for it
    }

    private void DeliverTo(long index)
    {
        if (index <= S.Commit) return;
        _out.Deliver(S.Commit + 1, index);
        S.Commit = index;
    }
}
