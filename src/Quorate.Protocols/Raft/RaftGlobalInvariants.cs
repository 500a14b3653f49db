namespace Quorate.Protocols.Raft;

/// <summary>What only the world can see of its replicas; the world implements it for <see cref="RaftGlobalInvariants"/>.</summary>
public interface IRaftWitness
{
    /// <summary>The log that a crash now would leave at (member, directory); null when that directory is no more.</summary>
    LogMap? DurableLog(ReplicaId id, ulong directory);

    /// <summary>The promise that a crash now would leave.</summary>
    Promise DurablePromise(ReplicaId id);

    /// <summary>The log of whoever leads this term now; null for nobody.</summary>
    LogMap? LogOfLeader(ulong term);

    /// <summary>The entry was durable there and is known as damaged since: it stands in the mark.</summary>
    bool IsMarked(ReplicaId id, long index);
}

/// <summary>
/// The promises about all replicas together, by the names of raft.md §19, with a ghost record of everything that was ever led, appended and decided. The world reports what happens; a broken promise throws <see cref="InvariantException"/>.
/// </summary>
public sealed class RaftGlobalInvariants(IRaftWitness witness)
{
    private readonly record struct Decided(ulong Term, ulong CommitTerm, EntryKind Kind, uint Checksum);

    private Dictionary<ulong, ReplicaId> _leaders = [];
    private Dictionary<(long Index, ulong Term), (ulong PrevTerm, EntryKind Kind, uint Checksum)> _appended = [];
    private Dictionary<ReplicaId, long> _delivered = [];
    private List<Decided> _decided = [];

    /// <summary>The same history, to go on by itself: for worlds that are explored in every direction.</summary>
    public RaftGlobalInvariants Copy() =>
        new(witness) { _leaders = new(_leaders), _appended = new(_appended), _delivered = new(_delivered), _decided = [.. _decided], HighestTermLed = HighestTermLed };

    /// <summary>What of the history can still break a promise: who led which term, and what was decided. Members are called as <paramref name="names"/> says.</summary>
    public void AddTo(ref Fingerprint print, ReadOnlySpan<byte> names)
    {
        for (ulong term = 1; term <= HighestTermLed; term++)
            print.Add(_leaders.TryGetValue(term, out var leader) ? (ulong)names[leader.Value] : 0);
        foreach (var d in _decided)
        {
            print.Add(d.Term);
            print.Add(d.CommitTerm);
            print.Add((ulong)d.Checksum);
        }
    }

    public bool HasLed(ulong term, ReplicaId id) => _leaders.TryGetValue(term, out var leader) && leader == id;

    /// <summary>The highest index that was ever delivered anywhere.</summary>
    public long DecidedLast => _decided.Count;

    /// <summary>The highest term that anybody led.</summary>
    public ulong HighestTermLed { get; private set; }

    /// <summary>A replica leads: call it when a step made it so, once a term. True when it is new.</summary>
    public bool Led(ReplicaId id, ulong term, LogMap log)
    {
        if (_leaders.TryGetValue(term, out var other))
        {
            Invariant.That(other == id, "ElectionSafety", $"{other} and {id} lead term {term}"); // P Figure 3
            return false;
        }
        _leaders.Add(term, id);
        HighestTermLed = Math.Max(HighestTermLed, term);
        for (long i = log.First; i <= _decided.Count; i++)
        {
            var d = _decided[(int)i - 1];
            if (d.CommitTerm < term) Invariant.That(log.Matches(i, d.Term), "LeaderCompleteness", $"{id} leads term {term} without entry ({i}, {d.Term}), committed in term {d.CommitTerm}"); // P §5.4.3
        }
        return true;
    }

    /// <summary>The same, and that the leader was elected by votes that will not be forgotten.</summary>
    public bool Led(RaftState leader)
    {
        if (!Led(leader.Self, leader.Term, leader.Log)) return false;
        Elected(leader);
        return true;
    }

    /// <summary>A quorum of the leader's own configuration holds its vote durably, or has gone on to a higher term since (P §5.2).</summary>
    private void Elected(RaftState leader)
    {
        int voters = 0, votes = 0;
        foreach (var m in leader.Configuration.Members)
        {
            if (!m.Voter) continue;
            voters++;
            var promise = witness.DurablePromise(m.Id);
            bool lost = witness.DurableLog(m.Id, m.Directory) is null;
            if (lost || promise.Term > leader.Term || (promise.Term == leader.Term && promise.Vote == leader.Self.Value)) votes++;
        }
        Invariant.That(votes >= Quorums.Majorities.Of(voters), "ElectionSafety", $"{leader.Self} leads term {leader.Term} by {votes} votes of {voters}");
    }

    /// <summary>An entry was handed to a replica's journal, behind one of term <paramref name="prevTerm"/>.</summary>
    public void Appended(long index, ulong term, ulong prevTerm, EntryKind kind, uint checksum)
    {
        if (_appended.TryGetValue((index, term), out var other))
            Invariant.That(other == (prevTerm, kind, checksum), "LogMatching", $"two entries ({index}, {term})"); // P §5.3; by induction over the entry before
        else _appended.Add((index, term), (prevTerm, kind, checksum));
    }

    /// <summary>A replica starts, its state as of this index (of its snapshot).</summary>
    public void Started(ReplicaId id, long index) => _delivered[id] = index;

    /// <summary>A snapshot replaced a replica's state.</summary>
    public void Installed(ReplicaId id, in SnapshotIdentity snapshot)
    {
        Invariant.That(snapshot.Index <= _decided.Count && _decided[(int)snapshot.Index - 1].Term == snapshot.Term, "SnapshotSound", $"snapshot ({snapshot.Index}, {snapshot.Term}) is of no decided entry");
        Invariant.That(snapshot.Index > _delivered[id], "StateMachineSafety", $"{id} goes back from {_delivered[id]} to {snapshot.Index}");
        _delivered[id] = snapshot.Index;
    }

    /// <summary>A replica of this current term delivers an entry. The first to deliver is the leader that committed it.</summary>
    public void Delivered(ReplicaId id, ulong currentTerm, long index, ulong term, EntryKind kind, uint checksum)
    {
        Invariant.That(index == _delivered[id] + 1, "StateMachineSafety", $"{id} delivers {index} behind {_delivered[id]}");
        _delivered[id] = index;
        if (index == _decided.Count + 1) _decided.Add(new Decided(term, currentTerm, kind, checksum));
        var d = _decided[(int)index - 1];
        Invariant.That(d.Term == term && d.Kind == kind && d.Checksum == checksum, "StateMachineSafety", $"{id} delivers ({index}, {term}), decided was term {d.Term}"); // P Figure 3
    }

    /// <summary>A leader counts an index as committed.</summary>
    public void Committed(RaftState leader)
    {
        long index = leader.Commit;
        leader.Log.TryTermOf(index, out ulong term);
        Check(leader.Configuration.Members);
        if (leader.Configuration.Outgoing.Length > 0) Check(leader.Configuration.Outgoing);

        void Check(ConfiguredMember[] members)
        {
            int voters = 0, holders = 0;
            foreach (var m in members)
            {
                if (!m.Voter) continue;
                voters++;
                var log = witness.DurableLog(m.Id, m.Directory);
                if (log is null || log.BeginIndex >= index || log.Matches(index, term) || witness.IsMarked(m.Id, index)) holders++; // a lost directory held what it acknowledged, and never votes again
            }
            Invariant.That(holders >= Quorums.Majorities.Of(voters), "QuorumDurable", $"{leader.Self} commits ({index}, {term}) held by {holders} of {voters}");
        }
    }

    /// <summary>A message leaves its replica: what it claims must survive a crash now.</summary>
    public void Leaves(ReplicaId from, ulong directory, ReplicaId to, ProtocolMessage message)
    {
        switch (message)
        {
            case VoteReply { Granted: true } m:
                var promise = witness.DurablePromise(from);
                Invariant.That(promise.Term > m.Term || (promise.Term == m.Term && promise.Vote == to.Value), "VoteBeforeMessage", $"{from} grants {to} term {m.Term}; durable is {promise}"); // P Figure 2
                break;
            case RequestVote m:
                Invariant.That(witness.DurableLog(from, directory) is { } claimed && claimed.Matches(m.LastIndex, m.LastTerm), "ClaimedLogDurable", $"{from} claims ({m.LastIndex}, {m.LastTerm})"); // raft.md §4.5
                break;
            case LossAnswer m:
                Invariant.That(witness.DurablePromise(from).Term >= m.Asked, "LossAnswerDurable", $"{from} answers {to} of term {m.Asked}; durable is {witness.DurablePromise(from)}"); // storage.md §2.4
                break;
            case AppendReply { Match: > 0 } m: Acknowledged(from, directory, m.Term, m.Match); break;
            case InstallReply { Match: > 0 } m: Acknowledged(from, directory, m.Term, m.Match); break;
        }
    }

    private void Acknowledged(ReplicaId from, ulong directory, ulong term, long match)
    {
        var log = witness.DurableLog(from, directory);
        Invariant.That(log is not null && log.Last >= match, "AckDurable", $"{from} acknowledges {match}, durable is {log?.Last}"); // bug 2
        if (witness.LogOfLeader(term) is not { } leaders || match < log!.BeginIndex || match < leaders.BeginIndex) return;
        log.TryTermOf(match, out ulong own);
        Invariant.That(leaders.Matches(match, own), "AckDurable", $"{from} acknowledges ({match}, {own}), which is not its leader's"); // bug 6
    }

    /// <summary>An entry left a replica's mark, and no operator said so: its log holds it again, or it never was decided (storage.md §2.4).</summary>
    public void Unmarked(ReplicaId id, LogMap log, DamagedEntry entry)
    {
        if (entry.Index > _decided.Count || _decided[(int)entry.Index - 1].Term != entry.Term) return;
        Invariant.That(log.BeginIndex >= entry.Index || log.Matches(entry.Index, entry.Term), "MarkTruth", $"{id} forgot that it lost {entry}, which is decided");
    }

    /// <summary>A replica's permission grew: when it sent what the proof echoes, nobody led a higher term yet (sessions.md §6.2). Both times are the world's.</summary>
    public static void Permitted(ReplicaId id, ulong term, long sentAt, ulong higherTerm, long higherLedAt) =>
        Invariant.That(higherTerm <= term || higherLedAt >= sentAt, "ServeProven", $"{id} serves by a proof of term {term} for {sentAt}, while term {higherTerm} was led from {higherLedAt}");
}
