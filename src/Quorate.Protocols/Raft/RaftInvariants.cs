namespace Quorate.Protocols.Raft;

/// <summary>What the last look saw: some promises are about the step between two looks.</summary>
public sealed class RaftShadow
{
    internal ulong Term;
    internal ReplicaId VotedFor;
    internal ulong VotedForDirectory;
    internal long Commit;
    internal Role Role;
    internal long Last;
    internal long Round;
    internal int Marked = int.MaxValue;

    internal RaftShadow Copy() => (RaftShadow)MemberwiseClone();
}

/// <summary>The local promises, by the names of raft.md §19; each is stated here once. The global ones: <see cref="RaftGlobalInvariants"/>.</summary>
public static class RaftInvariants
{
    public static void CheckLocal(RaftCore core, RaftShadow shadow)
    {
        var s = core.State;
        CheckSteps(s, shadow);
        CheckLog(s);
        CheckMark(s, shadow);
        if (s.Role == Role.Leader) CheckLeader(core, s, shadow);
        shadow.Term = s.Term;
        shadow.VotedFor = s.VotedFor;
        shadow.VotedForDirectory = s.VotedForDirectory;
        shadow.Commit = s.Commit;
        shadow.Role = s.Role;
        shadow.Last = s.Log.Last;
        shadow.Round = s.Round;
        shadow.Marked = s.Mark.Count;
    }

    private static void CheckSteps(RaftState s, RaftShadow shadow)
    {
        Invariant.That(s.Term >= shadow.Term, "TermMonotone", $"{shadow.Term} then {s.Term}"); // P §5.1
        if (s.Term == shadow.Term && !shadow.VotedFor.IsNone)
            Invariant.That(s.VotedFor == shadow.VotedFor && s.VotedForDirectory == shadow.VotedForDirectory, "VoteOncePerTerm", $"term {s.Term}: {shadow.VotedFor} then {s.VotedFor}"); // P §5.2
        Invariant.That(s.Commit >= shadow.Commit, "CommitSane", $"commit fell from {shadow.Commit} to {s.Commit}"); // P §5.3
        if (s.Role == Role.Leader && shadow.Role == Role.Leader && s.Term == shadow.Term)
            Invariant.That(s.Log.Last >= shadow.Last, "LeaderAppendOnly", $"last fell from {shadow.Last} to {s.Log.Last}"); // P Figure 3
        Invariant.That(s.Round >= shadow.Round, "ReadIndexFresh", "a round number came back"); // T §6.4
    }

    private static void CheckLog(RaftState s)
    {
        var log = s.Log;
        Invariant.That(s.Applied <= s.Commit && s.Commit <= log.Last && s.Commit >= s.Snapshot.Index, "CommitSane", $"snapshot {s.Snapshot.Index}, applied {s.Applied}, commit {s.Commit}, last {log.Last}");
        Invariant.That(log.BeginIndex <= s.Snapshot.Index || (log.BeginIndex == 0 && s.Snapshot.IsNone) || s.BaseLost, "SnapshotSound", $"begin {log.BeginIndex}, snapshot {s.Snapshot.Index}"); // T §5.1
        Invariant.That(s.Snapshot.IsNone || log.Matches(s.Snapshot.Index, s.Snapshot.Term), "BoundaryKnown", $"snapshot ({s.Snapshot.Index}, {s.Snapshot.Term})"); // P §7
        ulong term = log.BeginTerm;
        long index = log.BeginIndex;
        foreach (var run in log.Runs)
        {
            Invariant.That(run.Term >= term && run.Term <= s.Term && run.First > index, "LogShape", $"run ({run.First}, {run.Term}) in term {s.Term}"); // P §5.3
            (term, index) = (run.Term, run.First);
        }
        Ticket ticket = default;
        long last = -1;
        foreach (var w in s.Spans)
        {
            Invariant.That(w.Ticket > ticket && w.First > last && w.Last >= w.First, "AckDurable", "pending writes out of order");
            (ticket, last) = (w.Ticket, w.Last);
        }
        Invariant.That(s.Spans.Count == 0 || last == log.Last, "AckDurable", $"the last pending write ends at {last}, the log at {log.Last}");
        int uncommitted = 0;
        for (int i = 0; i < s.Configurations.Count; i++)
        {
            if (s.Configurations[i].Index > Math.Max(s.Commit, s.TermStart)) uncommitted++; // inherited ones may be committed unknown to it
            Invariant.That(s.Configurations[i].Index <= log.Last && (i == 0 || s.Configurations[i].Index > s.Configurations[i - 1].Index), "ConfigIsLog", $"configuration at {s.Configurations[i].Index}"); // P §6
        }
        Invariant.That(uncommitted <= 1 || s.Role != Role.Leader, "OneChangeInFlight", $"{uncommitted} uncommitted configurations"); // T §4.1
    }

    /// <summary>storage.md §2.4, §4.5.</summary>
    private static void CheckMark(RaftState s, RaftShadow shadow)
    {
        Invariant.That(s.Mark.Count <= shadow.Marked, "MarkOnlyShrinks", $"{shadow.Marked} entries, then {s.Mark.Count}");
        if (s.Mark.Count == 0)
        {
            Invariant.That(!s.BaseLost, "MarkHoldsTheLostBase", $"the log begins at {s.Log.BeginIndex} on nothing, and the mark is empty");
            return;
        }
        Invariant.That(s.Role == Role.Follower, "MarkedStandsAside", $"{s.Role} with {s.Mark.Count} damaged entries");
        for (int i = 0; i < s.Mark.Count; i++)
        {
            bool isBase = s.BaseLost && s.Mark[i].Index == s.Log.BeginIndex;
            Invariant.That(isBase || s.Mark[i].Index > s.Commit, "NothingDeliveredOverTheMark", $"{s.Mark[i].Index} is damaged, commit {s.Commit}");
            Invariant.That(i == 0 || s.Mark[i].Index > s.Mark[i - 1].Index, "MarkAscends", $"{s.Mark[i]} behind {s.Mark[i - 1]}");
        }
        Invariant.That(s.AckedMatch <= s.WholeTo || s.BaseLost, "NothingAcknowledgedOverTheMark", $"acknowledged {s.AckedMatch}, whole to {s.WholeTo}");
    }

    private static void CheckLeader(RaftCore core, RaftState s, RaftShadow shadow)
    {
        Invariant.That(s.Leader == s.Self && s.VotedFor == s.Self, "ElectionSafety", "leads without its own vote");
        if (s.ChangeIndex > 0) Invariant.That(s.Commit >= s.TermStart, "ChangeAfterOwnTerm", $"change at {s.ChangeIndex}, term opened at {s.TermStart}, commit {s.Commit}"); // Ongaro 2015
        foreach (var r in s.Reads)
            Invariant.That(r.Index < 0 || s.Commit >= s.TermStart, "ReadAfterOwnTerm", $"read at {r.Index}, term opened at {s.TermStart}"); // T §6.4
        if (shadow.Role == Role.Leader && shadow.Term == s.Term && s.Commit > shadow.Commit && s.Log.TryTermOf(s.Commit, out ulong term))
            Invariant.That(term == s.Term, "CommitCurrentTerm", $"commit {s.Commit} is of term {term}, the leader's is {s.Term}"); // P §5.4.2
        foreach (var p in s.Peers)
        {
            Invariant.That(p.Match < p.Next && p.Next <= s.Log.Last + 1, "MatchBelowNext", $"{p.Id}: match {p.Match}, next {p.Next}, last {s.Log.Last}"); // etcd PR 149
            Invariant.That(p.AckedRound <= s.Round, "ReadIndexFresh", $"{p.Id} acknowledged round {p.AckedRound}, {s.Round} began last"); // T §6.4
            long bytes = 0;
            foreach (var f in p.Flights) bytes += f.Bytes;
            Invariant.That(bytes == p.FlightBytes, "WindowBounded", $"{p.Id}: {p.FlightBytes} counted, {bytes} in flight");
            Invariant.That(p.Flights.Count <= core.Options.MaxInflightMessages, "WindowBounded", $"{p.Id}: {p.Flights.Count} messages in flight");
        }
    }
}
