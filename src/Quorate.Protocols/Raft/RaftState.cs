using Quorate.Protocols.Quorums;

namespace Quorate.Protocols.Raft;

/// <summary>A write that is not durable yet: entries First..Last of the log stand in it (as part of what it covers). Tickets grow with the indexes.</summary>
public readonly record struct WriteSpan(long First, long Last, Ticket Ticket);

/// <summary>A voter as it votes: votes count for (member, directory) of the counter's own configuration (storage.md §6.3).</summary>
public readonly record struct Ballot(ReplicaId Id, ulong Directory, bool Granted);

/// <summary>A voter's words on entries that this replica lost; the answer is never written again.</summary>
public readonly record struct LossAnswerOf(ReplicaId Id, ulong Directory, LossAnswer Answer);

/// <summary>A read that waits at the leader. Index is -1 until the leader's own term is open (raft.md §8.1).</summary>
public readonly record struct PendingRead(long Proposal, ReplicaId From, ulong Run, long Token, long Index, long Round);

/// <summary>Reads of one batch that a follower asked its leader about.</summary>
public readonly record struct ForwardedRead(long Proposal, long Token);

/// <summary>
/// Everything that a replica knows, in the paper's three blocks (P Figure 2). Plain data: it is copied by <see cref="Copy"/> and printed by RaftCore.
/// </summary>
public sealed class RaftState
{
    // Durable: mirrors of what was persisted, ahead of the disk by what is in Spans and PromiseTicket.

    /// <summary>currentTerm: only grows.</summary>
    public ulong Term;

    /// <summary>votedFor in Term, (member, directory); none → x only. <see cref="NobodyAtAll"/>: none may be given in this term.</summary>
    public ReplicaId VotedFor;
    public ulong VotedForDirectory;

    /// <summary>A vote that can be no candidate's.</summary>
    public static ReplicaId NobodyAtAll => new(255);

    public LogMap Log = new();

    /// <summary>The configuration entries of log and snapshot, ascending; the last one rules, committed or not (P §6).</summary>
    public List<ConfigurationAt> Configurations = [];

    /// <summary>The newest stored snapshot; Log.BeginIndex &lt;= Snapshot.Index.</summary>
    public SnapshotIdentity Snapshot;

    // Volatile.

    public ReplicaId Self;
    public ulong Directory;
    public ulong Run;
    public Role Role;
    public ReplicaId Leader;

    /// <summary>commitIndex; everything up to it was delivered. 0 &lt;= Applied &lt;= Commit &lt;= Log.Last.</summary>
    public long Commit;
    public long Applied;

    /// <summary>Everything persisted up to this ticket survived.</summary>
    public Ticket Durable;

    /// <summary>Of the last promise; pending while above Durable.</summary>
    public Ticket PromiseTicket;

    /// <summary>Pending writes of the log, ascending in index and in ticket.</summary>
    public List<WriteSpan> Spans = [];

    /// <summary>The mark (storage.md §2.4).</summary>
    public List<DamagedEntry> Mark = [];

    /// <summary>No whole snapshot reaches the log's begin: the state below it is lost, and only a leader's snapshot at or above it, switched to, brings it back (storage.md §4.5).</summary>
    public bool BaseLost;

    /// <summary>The term that questions about the mark are asked with: above every one in which a lost entry can have been acknowledged here. Of a whole run, so that no asking raises it twice.</summary>
    public ulong LossTerm;

    /// <summary>What voters said of lost entries in this run; the newest word of each.</summary>
    public List<LossAnswerOf> LossAnswers = [];

    /// <summary>An operator's word that is not durable yet: its proposal, and the ticket that it waits for.</summary>
    public long AcceptedLoss;
    public Ticket AcceptedTicket;

    /// <summary>Real monotone time of the last input, and the time that counts against others: a gap counts 200 ms there at most (DESIGN §3).</summary>
    public long LastNow;
    public long Judged;

    /// <summary>What replies claim as their time, once the host said it (<see cref="Kernel.Answered"/>): every touch up to then was reported. -1: it never did, the time of sending holds.</summary>
    public long AnsweredUpTo = -1;

    public long ClaimedMicros => AnsweredUpTo < 0 ? LastNow : AnsweredUpTo;

    /// <summary>Deadlines in judged time; <see cref="Instant.Never"/> when not armed.</summary>
    public long ElectionDeadline = Instant.Never;
    public long HeardLeader;

    /// <summary>The link to the leader was reset: stickiness is off until the leader speaks again (raft.md §16.3).</summary>
    public bool LeaderSuspected;
    public int HintedTries;

    public List<Ballot> Ballots = [];
    public bool CampaignsByTransfer;

    public List<ForwardedRead> ForwardedReads = [];
    public long LastToken;

    /// <summary>Own real time: the permission counts suspension in full.</summary>
    public long MayServeUntil;
    public long ProvenCommit;

    /// <summary>What was acknowledged to the present leader: the newest round at once, the newest match and the ticket that it waits for.</summary>
    public long EchoedRound;
    public long AckedMatch;
    public Ticket AckedGate;

    public bool LogSpaceLow;
    public bool Retiring;
    public Prng Chance;

    // Only at a leader, rebuilt at each election.

    /// <summary>Index of this term's "term opened" entry: nothing is known before it is committed (raft.md §8.1).</summary>
    public long TermStart;
    public PeerProgress[] Peers = [];
    public long HeartbeatDeadline = Instant.Never;
    public long QuorumDeadline = Instant.Never;

    /// <summary>Rounds: newest started (grows over the whole life), newest confirmed by a quorum.</summary>
    public long Round;
    public long ConfirmedRound;
    public long[] RoundStarts = [];
    public List<PendingRead> Reads = [];

    public long ChangeProposal;
    public long ChangeIndex;

    public ReplicaId TransferTarget;
    public long TransferProposal;
    public long TransferDeadline = Instant.Never;
    public bool TransferSent;

    /// <summary>Rounds whose start is remembered.</summary>
    public const int RoundRing = 64;

    public ConfigurationAt Latest => Configurations[^1];
    public ClusterConfiguration Configuration => Configurations.Count == 0 ? ClusterConfiguration.None : Configurations[^1].Configuration;

    /// <summary>Highest index such that everything up to it survives a crash here.</summary>
    public long DurableIndex => Spans.Count == 0 ? Log.Last : Spans[0].First - 1;

    /// <summary>The log can be read up to here: the first damaged entry that is still in it stands above.</summary>
    public long WholeTo
    {
        get
        {
            long whole = Log.Last;
            foreach (var d in Mark)
                if (d.Index <= whole) whole = d.Index - 1;
            return whole;
        }
    }

    public bool IsMarked(long index)
    {
        foreach (var d in Mark)
            if (d.Index == index) return true;
        return false;
    }

    public bool SelfVotes => Configuration.IsVoter(Self, Directory) || OutgoingNames(Self, Directory);

    /// <summary>
    /// May be elected: a voter; or one that an uncommitted entry of its log makes none. Its log may be the longest, so that only it can win, and it is needed until that entry is committed (T §4.2.2); it does not count itself.
    /// </summary>
    public bool Electable => SelfVotes || (Configurations.Count > 1 && Latest.Index > Commit && Configurations[^2].Configuration.IsVoter(Self, Directory));

    /// <summary>No other voter than this replica.</summary>
    public bool SoleVoter
    {
        get
        {
            if (!SelfVotes) return false;
            foreach (var m in Configuration.Members)
                if (m.Voter && m.Id != Self) return false;
            foreach (var m in Configuration.Outgoing)
                if (m.Voter && m.Id != Self) return false;
            return true;
        }
    }

    public bool PromisePending => PromiseTicket > Durable;
    public bool TermIsOpen => Role == Role.Leader && Commit >= TermStart;
    public bool Transferring => !TransferTarget.IsNone;

    /// <summary>The newest ticket that covers an index, or none when it is durable (raft.md §5.2.6).</summary>
    public Ticket Covering(long index)
    {
        for (int i = Spans.Count - 1; i >= 0; i--)
            if (Spans[i].First <= index) return Spans[i].Ticket;
        return Ticket.None;
    }

    public PeerProgress? Peer(ReplicaId id)
    {
        foreach (var p in Peers)
            if (p.Id == id) return p;
        return null;
    }

    /// <summary>The configuration that ruled at an index: the last entry not above it.</summary>
    public ConfigurationAt ConfigurationAsOf(long index)
    {
        for (int i = Configurations.Count - 1; i > 0; i--)
            if (Configurations[i].Index <= index) return Configurations[i];
        return Configurations[0];
    }

    public RaftState Copy()
    {
        var copy = (RaftState)MemberwiseClone();
        copy.Log = Log.Copy();
        copy.Configurations = [.. Configurations];
        copy.Spans = [.. Spans];
        copy.Mark = [.. Mark];
        copy.LossAnswers = [.. LossAnswers];
        copy.Ballots = [.. Ballots];
        copy.ForwardedReads = [.. ForwardedReads];
        copy.Peers = Peers.Length == 0 ? Peers : [.. Peers.Select(p => p.Copy())];
        copy.RoundStarts = [.. RoundStarts];
        copy.Reads = [.. Reads];
        return copy;
    }

    private bool OutgoingNames(ReplicaId id, ulong directory)
    {
        foreach (var m in Configuration.Outgoing)
            if (m.Id == id && m.Directory == directory && m.Voter) return true;
        return false;
    }
}

/// <summary>How a peer is fed (raft.md §6).</summary>
public enum ProgressState : byte
{
    /// <summary>One Append at a time, the next on a reply.</summary>
    Probe,

    /// <summary>Optimistic: Next moves when sent, within the window.</summary>
    Replicate,

    /// <summary>A snapshot is on its way: beats only.</summary>
    Snapshot,
}

/// <summary>An Append in flight: its last index and its payload bytes.</summary>
public readonly record struct Flight(long Last, long Bytes);

/// <summary>What a leader knows of one peer. Invariant: 0 &lt;= Match &lt; Next &lt;= Log.Last + 1.</summary>
public sealed class PeerProgress(ReplicaId id, ulong directory)
{
    public ReplicaId Id { get; } = id;

    /// <summary>The directory that the configuration names: acknowledgements of another one are nobody's.</summary>
    public ulong Directory { get; } = directory;

    public ProgressState State;
    public long Match;
    public long Next;

    /// <summary>Probe: one is under way.</summary>
    public bool Paused;

    /// <summary>What was sent last waits for a disk at the host: nothing is sent behind it but beats (DESIGN §4).</summary>
    public bool Delayed;
    public List<Flight> Flights = [];
    public long FlightBytes;
    public long SnapshotIndex;

    /// <summary>It refused even the begin of the log: what its own log begins on is lost, and entries do not help (storage.md §4.5). A snapshot that it refused as too old is not sent again.</summary>
    public bool NeedsSnapshot;
    public long RefusedSnapshot;

    /// <summary>Judged time of the last word from it.</summary>
    public long Contact;
    public long AckedRound;
    public long RoundSent;
    public long CommitSent;

    /// <summary>The peer's run, the newest time in its clock that came from it, what of that was newest when each round began, and what is proven (sessions.md §6.2).</summary>
    public ulong Run;
    public long NewestSent;
    public long Proven;
    public long[] SentAtRound = new long[RaftState.RoundRing];

    /// <summary>Not in the latest configuration any more: told until its removal is committed, never counted.</summary>
    public bool Leaving;

    public PeerProgress Copy()
    {
        var copy = (PeerProgress)MemberwiseClone();
        copy.Flights = [.. Flights];
        copy.SentAtRound = [.. SentAtRound];
        return copy;
    }

    /// <summary>Both counters together (raft.md §6.2).</summary>
    public void ClearFlights()
    {
        Flights.Clear();
        FlightBytes = 0;
    }

    /// <summary>Frees what an acknowledged index covers.</summary>
    public void Land(long match)
    {
        int landed = 0;
        while (landed < Flights.Count && Flights[landed].Last <= match) FlightBytes -= Flights[landed++].Bytes;
        if (landed > 0) Flights.RemoveRange(0, landed);
    }
}

/// <summary>What each voter holds durable, as its leader knows.</summary>
internal readonly struct MatchValues(RaftState state, long own) : IVoterValues
{
    public long ValueOf(ConfiguredMember voter)
    {
        if (voter.Id == state.Self) return voter.Directory == state.Directory ? own : -1;
        return state.Peer(voter.Id) is { } p && p.Directory == voter.Directory ? p.Match : -1;
    }
}

/// <summary>The newest round that each voter acknowledged; the leader's own counts at once.</summary>
internal readonly struct RoundValues(RaftState state) : IVoterValues
{
    public long ValueOf(ConfiguredMember voter)
    {
        if (voter.Id == state.Self) return voter.Directory == state.Directory ? state.Round : -1;
        return state.Peer(voter.Id) is { } p && p.Directory == voter.Directory ? p.AckedRound : -1;
    }
}

/// <summary>When each voter last spoke to its leader.</summary>
internal readonly struct ContactValues(RaftState state) : IVoterValues
{
    public long ValueOf(ConfiguredMember voter)
    {
        if (voter.Id == state.Self) return voter.Directory == state.Directory ? state.Judged : -1;
        return state.Peer(voter.Id) is { } p && p.Directory == voter.Directory ? p.Contact : -1;
    }
}

/// <summary>1 for each voter that granted; or, asked for the hopeless, 0 for each that refused.</summary>
internal readonly struct BallotValues(RaftState state, bool granted) : IVoterValues
{
    public long ValueOf(ConfiguredMember voter)
    {
#if MUTANTS
        if (Mutants.On(Mutant.WipedMemberVotes))
            foreach (var b in state.Ballots)
                if (b.Id == voter.Id) return b.Granted ? 1 : 0;
#endif
        foreach (var b in state.Ballots)
            if (b.Id == voter.Id && b.Directory == voter.Directory) return b.Granted ? 1 : 0;
        return granted ? 0 : 1;
    }
}

/// <summary>1 for each voter that never had the entry; the replica that asks is not counted (storage.md §2.4).</summary>
internal readonly struct NeverHadValues(RaftState state, DamagedEntry entry, LossWord least) : IVoterValues
{
    public long ValueOf(ConfiguredMember voter)
    {
#if MUTANTS
        if (Mutants.On(Mutant.LossCountsItself) && voter.Id == state.Self) return 1;
#endif
        if (voter.Id == state.Self) return 0;
        foreach (var a in state.LossAnswers)
        {
            if (a.Id != voter.Id || a.Directory != voter.Directory) continue;
            int at = Array.IndexOf(a.Answer.Entries, entry);
            return at >= 0 && a.Answer.Words[at] >= least ? 1 : 0;
        }
        return 0;
    }
}
