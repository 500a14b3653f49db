namespace Quorate.Protocols.Raft;

/// <summary>Compaction and installation (P §7, T §5; raft.md §11; storage.md §4). The host makes, stores and streams the bytes; the core decides what the log may forget and who needs a snapshot.</summary>
public sealed partial class RaftCore
{
    // ---- Compaction

    private void OnSnapshotStored(in SnapshotIdentity snapshot, long keepFrom)
    {
        if (snapshot.Index <= S.Snapshot.Index || S.BaseLost) return; // overtaken by an installed one; or of a state that is read by nobody
        Invariant.That(snapshot.Index <= S.Commit && S.Log.Matches(snapshot.Index, snapshot.Term), "SnapshotSound", $"snapshot ({snapshot.Index}, {snapshot.Term}) is not of this log");
        S.Snapshot = snapshot;
        Compact(keepFrom);
    }

    /// <summary>The log begins TrailingBytes behind the snapshot, for followers that lag; and not above what a peer that is being sent a snapshot needs next, or the loop never ends (raft.md §11.7).</summary>
    private void Compact(long keepFrom)
    {
        long begin = Math.Max(TrailingBegin(S.Snapshot.Index, _options.TrailingBytes), Math.Min(keepFrom - 1, S.Snapshot.Index));
        long bound = TrailingBegin(S.Snapshot.Index, 4 * _options.TrailingBytes);
        foreach (var p in S.Peers)
            if (p.State == ProgressState.Snapshot && RecentlyHeard(p)) begin = Math.Max(bound, Math.Min(begin, p.SnapshotIndex));
        if (begin > S.Log.BeginIndex) S.Log.BeginAt(begin);
        while (S.Configurations.Count > 1 && S.Configurations[1].Index <= S.Log.BeginIndex) S.Configurations.RemoveAt(0);
        _out.PersistLogBegin(S.Log.BeginIndex, S.Log.BeginTerm, S.Snapshot);
        _out.Note("log begins behind, snapshot", S.Log.BeginIndex, S.Snapshot.Index);
    }

    /// <summary>The smallest begin that leaves at most so many payload bytes behind an index.</summary>
    private long TrailingBegin(long index, long bytes)
    {
        long low = S.Log.BeginIndex, high = index;
        while (low < high)
        {
            long middle = low + (high - low) / 2;
            if (S.Log.BytesOf(middle + 1, index) <= bytes) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    // ---- Sender

    /// <summary>One at a time to a peer; beats go on meanwhile. The host streams the body that it holds under this identity, and tells Undelivered when that fails.</summary>
    private void SendSnapshot(PeerProgress p)
    {
        p.State = ProgressState.Snapshot;
        p.ClearFlights();
        p.SnapshotIndex = S.Snapshot.Index;
        _out.Send(p.Id, new InstallSnapshot(S.Term, S.ConfigurationAsOf(S.Snapshot.Index), new BodyHandle(S.Snapshot, 0, 0)));
        _out.Note("snapshot to, at", p.Id.Value, S.Snapshot.Index);
    }

    private void OnInstallReply(Sender from, InstallReply m)
    {
        if (AdoptIfHigher(m.Term)) return;
        if (S.Role != Role.Leader || m.Term != S.Term || HeardFrom(from, m.Run, m.SentMicros) is not { } p) return;
        if (m.TooOld && p.State == ProgressState.Snapshot) p.RefusedSnapshot = p.SnapshotIndex;
        TakeMatch(p, m.Match);
        AdvanceCommitIndex();
        if (S.Role != Role.Leader) return;
        if (p.State == ProgressState.Snapshot && m.Match < p.SnapshotIndex)
        {
            // It came to nothing there. As after Undelivered nothing is sent now: the next beat tries.
            BecomeProbe(p, p.Match + 1);
            return;
        }
        SendEntries(p);
    }

    private bool TakesOnlySnapshots(PeerProgress p) => p.Next - 1 < S.Log.BeginIndex || p.NeedsSnapshot;

    /// <summary>A peer that lost what its log begins on refused the stored snapshot, or there is none: until a newer one is made, however short the log, it stays marked and serves nobody (storage.md §4.5).</summary>
    private bool WantsSnapshot()
    {
#if MUTANTS
        if (Mutants.On(Mutant.LostBaseUnfed)) return false;
#endif
        foreach (var p in S.Peers)
            if (TakesOnlySnapshots(p) && p.RefusedSnapshot >= S.Snapshot.Index && RecentlyHeard(p)) return true;
        return false;
    }

    // ---- Receiver

    private void OnInstallSnapshot(Sender from, InstallSnapshot m)
    {
        if (m.Term < S.Term)
        {
            _out.Send(from.Id, new InstallReply(S.Term, 0, S.Run, S.ClaimedMicros));
            return;
        }
        if (!FollowLeader(from, m.Term)) return;
        var snapshot = m.Body.Snapshot;
        if (S.BaseLost ? snapshot.Index >= S.Log.BeginIndex : snapshot.Index > S.Commit) Install(m);
        AnswerInstall(from.Id, Math.Max(snapshot.Index, S.Commit), tooOld: S.BaseLost);
    }

    /// <summary>A position below the snapshot's says that it came to nothing here; without that word its sender would wait (raft.md §11.7) and this replica lag until then.</summary>
    private void OnReceiveFailed(ReceiveFailed m)
    {
        _out.Note("snapshot not stored: from, at", m.From.Value, m.Snapshot.Index);
        if (S.Role == Role.Follower && S.Leader == m.From) AnswerInstall(m.From, S.Commit, tooOld: false); // what is committed here, every leader has
    }

    /// <summary>Every way its ticket: what it claims must be durable, an older pending write included (raft.md §11.6). Who stands on a lost base claims nothing (storage.md §4.5).</summary>
    private void AnswerInstall(ReplicaId leader, long match, bool tooOld)
    {
        if (S.BaseLost) match = 0;
        var gate = S.Covering(match);
        if (S.PromisePending && S.PromiseTicket > gate) gate = S.PromiseTicket;
        _out.Send(leader, new InstallReply(S.Term, match, S.Run, S.ClaimedMicros, tooOld), gate);
    }

    private void Install(InstallSnapshot m)
    {
        var snapshot = m.Body.Snapshot;
        bool keepTail = S.Log.Matches(snapshot.Index, snapshot.Term);
#if MUTANTS
        if (Mutants.On(Mutant.KeepTailOnInstall) && S.Log.Last > snapshot.Index) keepTail = true;
#endif
        var ticket = _out.PersistSwitch(m.Body, keepTail);
        _out.DeliverInstall(m.Body);
        if (keepTail)
        {
            S.Log.BeginAt(snapshot.Index);
            S.Configurations.RemoveAll(c => c.Index <= snapshot.Index);
            S.Configurations.Insert(0, m.Configuration);
        }
        else
        {
            // Whatever stood here is not the leader's: a tail kept under a snapshot that it does not match hides a conflict (bug 14).
            S.Log.Reset(snapshot.Index, snapshot.Term);
            S.Configurations.Clear();
            S.Configurations.Add(m.Configuration);
        }
        S.Spans.Clear();
        S.Spans.Add(new WriteSpan(1, S.Log.Last, ticket)); // until the switch is durable nothing here is: a crash leaves the old log
        S.Snapshot = snapshot;
        S.BaseLost = false;
        S.Commit = S.Applied = snapshot.Index;
        S.AckedMatch = 0;
        ForgetMark(snapshot.Index);
        OnConfigurationChanged();
        _out.Note("snapshot installed at, tail kept", snapshot.Index, keepTail ? 1 : 0);
    }
}
