using System.Globalization;
using Quorate.Protocols.Quorums;

namespace Quorate.Protocols.Raft;

/// <summary>
/// How a mark ends without a leader (storage.md §2.4): the voters say that they never had what is lost, or an operator accepts it. Why that is safe, and why a bare quorum of them is not always enough: docs/decisions/0009.
/// </summary>
public sealed partial class RaftCore
{
    /// <summary>Whoever adopted it acknowledges nothing any more to a leader to whom this replica can have acknowledged a lost entry.</summary>
    private ulong TermAboveLosses()
    {
        ulong term = S.Term;
        foreach (var d in S.Mark) term = Math.Max(term, d.Term);
        return term + 1;
    }

    private long HighestOfMark() => S.Mark.Count == 0 ? 0 : S.Mark[^1].Index;

    /// <summary>What the log begins on: it leaves the mark by a leader's snapshot alone (storage.md §4.5).</summary>
    private bool IsLostBase(in DamagedEntry entry) => S.BaseLost && entry.Index == S.Log.BeginIndex;

    // ---- Asking

    /// <summary>Its own term does not rise by asking, and who hears a leader does not answer: a replica that is cut off disturbs nobody.</summary>
    private void AskAboutLoss()
    {
        BecomeFollower(ReplicaId.None, "it asks about its mark");
        var entries = S.Mark.FindAll(d => !IsLostBase(d));
        if (entries.Count > Limits.MaxLossEntries) entries.RemoveRange(0, entries.Count - Limits.MaxLossEntries);
        if (entries.Count == 0) return;
        var question = new LossQuestion(S.LossTerm, S.Run, [.. entries]);
        var asked = new List<ReplicaId> { S.Self };
        foreach (var at in ConfigurationsFrom(entries[0].Index))
        {
            Ask(at.Configuration.Members);
            Ask(at.Configuration.Outgoing);
        }
        _out.Note("asks the voters about its mark: entries, highest", S.Mark.Count, HighestOfMark());

        void Ask(ConfiguredMember[] members)
        {
            foreach (var m in members)
            {
                if (!m.Voter || asked.Contains(m.Id)) continue;
                asked.Add(m.Id);
                _out.Send(m.Id, question);
            }
        }
    }

    /// <summary>Every known configuration that a leader who committed this index can have had: the one that ruled there, and those above, damaged ones among them (their bytes stand in headers).</summary>
    private IEnumerable<ConfigurationAt> ConfigurationsFrom(long index)
    {
        long from = S.ConfigurationAsOf(index).Index;
        foreach (var at in S.Configurations)
            if (at.Index >= from) yield return at;
    }

    // ---- Answering

    private void OnLossQuestion(Sender from, LossQuestion m)
    {
        if (S.Role == Role.Leader || (m.Term > S.Term && Sticky(from.Id)))
        {
            _out.Note("question about a mark ignored: a leader brings it past", from.Id.Value);
            return; // without adopting its term, as with votes (raft.md §4.8)
        }
        AdoptIfHigher(m.Term);
        var words = new LossWord[m.Entries.Length];
        for (int i = 0; i < words.Length; i++) words[i] = WordOn(m.Entries[i]);
        var after = S.PromisePending ? S.PromiseTicket : Ticket.None;
#if MUTANTS
        if (Mutants.On(Mutant.LossAnsweredUngated)) after = Ticket.None;
#endif
        // A crash must not bring back a term in which what was denied here could still be acknowledged.
        _out.Send(from.Id, new LossAnswer(S.Term, m.Term, m.Run, m.Entries, words), after);
    }

    /// <summary>From headers (the map holds what is damaged, too), snapshots, and what is still on its way to the disk: its acknowledgement may leave after this answer.</summary>
    private LossWord WordOn(in DamagedEntry entry)
    {
        if (S.Log.BeginIndex > 0 && entry.Index <= S.Log.BeginIndex) return LossWord.Had;
        bool had = S.Log.Matches(entry.Index, entry.Term) || S.Mark.Contains(entry);
#if MUTANTS
        if (Mutants.On(Mutant.LossAnswerForgetsPending)) had &= entry.Index <= S.DurableIndex;
#endif
        if (had) return LossWord.Had;
        bool ofItsTerm = S.Log.BeginIndex > 0 && S.Log.BeginTerm >= entry.Term; // what is below the begin may have been
        foreach (var run in S.Log.Runs) ofItsTerm |= run.Term == entry.Term;
        foreach (var d in S.Mark) ofItsTerm |= d.Term == entry.Term;
        return ofItsTerm ? LossWord.NotThisEntry : LossWord.NothingOfItsTerm;
    }

    // ---- Deciding

    private void OnLossAnswer(Sender from, LossAnswer m)
    {
        AdoptIfHigher(m.Term);
        if (m.Run != S.Run || m.Asked != S.LossTerm || S.Mark.Count == 0) return;
        S.LossAnswers.RemoveAll(a => a.Id == from.Id && a.Directory == from.Directory);
        S.LossAnswers.Add(new LossAnswerOf(from.Id, from.Directory, m));
        if (!S.Leader.IsNone) return; // it is being brought past

        long lowest = 0;
        for (int i = S.Mark.Count - 1; i >= 0 && !IsLostBase(S.Mark[i]) && NeverAcknowledged(S.Mark[i]); i--)
        {
            lowest = S.Mark[i].Index;
            _out.Note("damaged entry leaves the mark, the voters never had it: index, term", lowest, (long)S.Mark[i].Term, level: 2);
        }
        if (lowest > 0) LoseFrom(lowest);
    }

    /// <summary>
    /// In every configuration that can have committed it: the voters that never had it are a majority, this replica not counted; or they meet every write quorum and have nothing of the entry's term.
    /// Meeting every quorum is not enough by itself: the leader may have appended one more configuration that this log does not hold, and counted by that (docs/decisions/0009).
    /// </summary>
    private bool NeverAcknowledged(in DamagedEntry entry)
    {
        var never = new NeverHadValues(S, entry, LossWord.NotThisEntry);
        var nothing = new NeverHadValues(S, entry, LossWord.NothingOfItsTerm);
        foreach (var at in ConfigurationsFrom(entry.Index))
        {
            if (Majorities.Reached(at.Configuration, never) >= 1 || Majorities.MeetEveryOne(at.Configuration, nothing)) continue;
#if MUTANTS
            if (Mutants.On(Mutant.LossByBareQuorum) && Majorities.MeetEveryOne(at.Configuration, never)) continue;
#endif
            return false;
        }
        return true;
    }

    /// <summary>The log ends below it now, which is one durable record; what stood above an entry that was never decided was not decided either.</summary>
    private void LoseFrom(long index)
    {
        S.Mark.RemoveAll(d => d.Index >= index);
        if (index <= S.Log.Last)
        {
            CutFrom(index);
            _out.PersistCut(index - 1);
        }
        if (S.Mark.Count == 0)
        {
            S.LossAnswers.Clear();
            _out.Note("nothing is damaged any more: the log ends at, term", S.Log.Last, (long)S.Log.LastTerm, level: 1);
        }
        else AskAboutLoss();
    }

    // ---- The operator's word

    private void OnAcceptLoss(AcceptLoss m)
    {
        string? reason = WhyNotLost(m.Indexes);
        if (reason is not null || S.AcceptedLoss != 0)
        {
            _out.Answer(m.Proposal, AnswerKind.Refused, reason: reason ?? "another loss is being accepted");
            return;
        }
        long lowest = long.MaxValue;
        foreach (long index in m.Indexes) lowest = Math.Min(lowest, index);
        foreach (var d in S.Mark)
            if (d.Index >= lowest) _out.Note("damaged entry leaves the mark, an operator accepts its loss: index, term", d.Index, (long)d.Term, level: 2);
        if (S.Log.Last > HighestOfMark()) _out.Note("whole entries above go with it: from, to", HighestOfMark() + 1, S.Log.Last, level: 2);
        S.AcceptedLoss = m.Proposal;
        LoseFrom(lowest);
        S.AcceptedTicket = _out.LastTicket;
        if (S.AcceptedTicket <= S.Durable) AnswerAcceptedLoss();
    }

    private void AnswerAcceptedLoss()
    {
        _out.Answer(S.AcceptedLoss, AnswerKind.Done);
        S.AcceptedLoss = 0;
    }

    private string? WhyNotLost(IReadOnlyList<long> indexes)
    {
        if (S.Mark.Count == 0) return "nothing is damaged at this member";
        if (indexes.Count == 0) return "no index is named; damaged are " + MarkAsText();
        if (!S.Leader.IsNone && !S.LeaderSuspected && S.Judged - S.HeardLeader < _options.ElectionTimeoutMicros) return $"member {S.Leader.Value} leads and brings this one past its damage: nothing needs to be accepted";
        long lowest = long.MaxValue;
        foreach (long index in indexes)
        {
            if (!S.IsMarked(index)) return $"index {index} is not damaged; damaged are {MarkAsText()}";
            if (S.BaseLost && index == S.Log.BeginIndex) return $"index {index} is what the log begins on: only a leader's snapshot brings it back";
            lowest = Math.Min(lowest, index);
        }
        foreach (var d in S.Mark)
            if (d.Index > lowest && !indexes.Contains(d.Index)) return $"index {d.Index} above {lowest} is damaged, too, and would be lost with it: name it as well";
        return null;
    }

    /// <summary>The first ranges of the mark.</summary>
    private string MarkAsText()
    {
        var text = new System.Text.StringBuilder();
        int ranges = 0;
        for (int i = 0; i < S.Mark.Count; ranges++)
        {
            int last = i;
            while (last + 1 < S.Mark.Count && S.Mark[last + 1].Index == S.Mark[last].Index + 1) last++;
            if (ranges > 0) text.Append(", ");
            if (ranges == 8) return text.Append(CultureInfo.InvariantCulture, $"... up to {HighestOfMark()}").ToString();
            text.Append(S.Mark[i].Index);
            if (last > i) text.Append('-').Append(S.Mark[last].Index);
            i = last + 1;
        }
        return text.ToString();
    }
}
