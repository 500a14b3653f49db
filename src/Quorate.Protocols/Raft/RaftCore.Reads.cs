using Quorate.Protocols.Quorums;

namespace Quorate.Protocols.Raft;

/// <summary>Linearizable read positions, and the permission to serve: both from rounds (T §6.4; raft.md §8; sessions.md §6.2).</summary>
public sealed partial class RaftCore
{
    /// <summary>Read rounds under way beside each other; further reads join the next.</summary>
    private const int RoundsAtOnce = 4;

    // ---- Rounds

    /// <summary>An own number that grows, never the asker's token (etcd-io/raft PR 397). What every peer had sent by now is remembered: when the round is confirmed, that is proven to lie in this leadership.</summary>
    private void StartRound()
    {
        S.Round++;
        int slot = (int)(S.Round % RaftState.RoundRing);
        S.RoundStarts[slot] = S.LastNow;
        foreach (var p in S.Peers) p.SentAtRound[slot] = p.NewestSent;
    }

    /// <summary>The newest round that a quorum acknowledged: nobody led a higher term when it began.</summary>
    private void ConfirmRounds()
    {
        if (S.Role != Role.Leader) return;
        long round = Majorities.Reached(S.Configuration, new RoundValues(S));
        if (round <= S.ConfirmedRound) return;
        S.ConfirmedRound = round;
        if (S.Round - round < RaftState.RoundRing)
        {
            int slot = (int)(round % RaftState.RoundRing);
            S.MayServeUntil = Math.Max(S.MayServeUntil, S.RoundStarts[slot] + _options.ServeWithoutLeaderMicros); // from its start, never its end (bug 27)
            foreach (var p in S.Peers) p.Proven = Math.Max(p.Proven, p.SentAtRound[slot]);
        }
        AnswerReads();
    }

    // ---- At the leader

    /// <summary>True when it waits for a round.</summary>
    private bool QueueRead(in PendingRead read)
    {
        if (S.Reads.Count >= _options.MaxPendingReads)
        {
            RefuseRead(read);
            return false;
        }
        bool known = S.TermIsOpen;
#if MUTANTS
        if (Mutants.On(Mutant.ReadIndexBeforeOwnTerm)) known = true;
#endif
        // Until its own term is open a leader does not know what its predecessor answered: wait (bug 26; etcd refused, and clients timed out).
        S.Reads.Add(known ? read with { Index = S.Commit, Round = S.Round + 1 } : read with { Index = -1, Round = long.MaxValue });
        return known;
    }

    /// <summary>Starts the round that reads wait for, unless enough are under way: then the next confirmation starts it.</summary>
    private void AskForReads()
    {
        if (S.Role != Role.Leader) return;
        if (S.SoleVoter)
        {
            StartRound();
            ConfirmRounds();
            return;
        }
        if (S.Round - S.ConfirmedRound >= RoundsAtOnce) return;
        StartRound();
        Broadcast();
    }

    private void OpenReads()
    {
        bool any = false;
        for (int i = 0; i < S.Reads.Count; i++)
        {
            if (S.Reads[i].Index >= 0) continue;
            S.Reads[i] = S.Reads[i] with { Index = S.Commit, Round = S.Round + 1 };
            any = true;
        }
        if (any) AskForReads();
    }

    private void AnswerReads()
    {
        int kept = 0;
        bool next = false;
        for (int i = 0; i < S.Reads.Count; i++)
        {
            var read = S.Reads[i];
            if (read.Round > S.ConfirmedRound)
            {
                next |= read.Index >= 0 && read.Round > S.Round;
                S.Reads[kept++] = read;
            }
            else if (read.From.IsNone) _out.Answer(read.Proposal, AnswerKind.ReadAt, read.Index);
            else _out.Send(read.From, new ReadIndexReply(read.Run, read.Token, read.Index, true));
        }
        S.Reads.RemoveRange(kept, S.Reads.Count - kept);
        if (next) AskForReads();
    }

    private void RefuseRead(in PendingRead read)
    {
        if (read.From.IsNone) _out.Answer(read.Proposal, AnswerKind.Busy);
        else _out.Send(read.From, new ReadIndexReply(read.Run, read.Token, 0, false));
    }

    private void FailReads()
    {
        foreach (var read in S.Reads) RefuseRead(read);
        S.Reads.Clear();
    }

    private void OnReadIndex(Sender from, ReadIndex m)
    {
        var read = new PendingRead(0, from.Id, m.Run, m.Token, 0, 0);
        if (S.Role != Role.Leader) RefuseRead(read);
        else if (QueueRead(read)) AskForReads();
    }

    // ---- At a follower or learner

    /// <summary>Asks the leader, once for all the reads of this step. False: no round of its own.</summary>
    private bool ForwardRead(long proposal)
    {
        if (S.Leader.IsNone || S.LeaderSuspected || S.ForwardedReads.Count >= _options.MaxPendingReads)
        {
            // What was lost on the way is asked again under a new number; it must not fill the list for ever.
            if (S.ForwardedReads.Count >= _options.MaxPendingReads) FailForwardedReads();
            _out.Answer(proposal, AnswerKind.Busy);
            return false;
        }
        foreach (ref readonly var v in _out.Verbs)
        {
            if (v.Kind != VerbKind.Send || v.Message is not ReadIndex asked || asked.Token != S.LastToken || v.To != S.Leader) continue;
            S.ForwardedReads.Add(new ForwardedRead(proposal, S.LastToken));
            return false;
        }
        S.ForwardedReads.Add(new ForwardedRead(proposal, ++S.LastToken));
        _out.Send(S.Leader, new ReadIndex(S.Run, S.LastToken));
        return false;
    }

    private void OnReadIndexReply(ReadIndexReply m)
    {
        if (m.Run != S.Run) return;
        int kept = 0;
        for (int i = 0; i < S.ForwardedReads.Count; i++)
        {
            var read = S.ForwardedReads[i];
            if (read.Token != m.Token) S.ForwardedReads[kept++] = read;
            else _out.Answer(read.Proposal, m.Granted ? AnswerKind.ReadAt : AnswerKind.Busy, m.Index);
        }
        S.ForwardedReads.RemoveRange(kept, S.ForwardedReads.Count - kept);
    }

    private void FailForwardedReads()
    {
        foreach (var read in S.ForwardedReads) _out.Answer(read.Proposal, AnswerKind.Busy);
        S.ForwardedReads.Clear();
    }
}
