namespace Quorate.Protocols.Raft;

/// <summary>
/// Membership, one voter at a time: a configuration takes effect when it is appended and is undone when it is cut (P §6, T §4.1; raft.md §10). A joint configuration has its place: <see cref="ClusterConfiguration.Outgoing"/> is counted wherever quorums are, but none is proposed yet.
/// </summary>
public sealed partial class RaftCore
{
    private void ProposeConfiguration(in Proposal p)
    {
        if (S.Role != Role.Leader)
        {
            _out.Answer(p.Id, AnswerKind.Redirect);
            return;
        }
        bool ownTerm = S.TermIsOpen;
#if MUTANTS
        if (Mutants.On(Mutant.ConfigurationBeforeOwnTerm)) ownTerm = true;
#endif
        // Two leaders that change the same configuration, each by one, can make two majorities that do not meet; a committed entry of the own term rules it out (Ongaro 2015, raft.md §10.3).
        if (!ownTerm) _out.Answer(p.Id, AnswerKind.Busy, reason: "the leader's term is not open yet");
        else if (S.Latest.Index > S.Commit) _out.Answer(p.Id, AnswerKind.Busy, reason: "another change is under way");
        else if (S.Transferring) _out.Answer(p.Id, AnswerKind.Busy, reason: "leadership is being handed over");
        else if (p.Configuration is not { } next) _out.Answer(p.Id, AnswerKind.Refused, reason: "no configuration was given");
        else if (WhyNot(next) is { } reason) _out.Answer(p.Id, AnswerKind.Refused, reason: reason);
        else if (NotCaughtUp(next) is { } lagging) _out.Answer(p.Id, AnswerKind.Busy, reason: $"{lagging} is not caught up yet");
        else
        {
            S.ChangeProposal = p.Id;
            S.ChangeIndex = S.Log.Last + 1;
            var payload = Payload.Of(next.Encode());
            AppendEntry(new Entry(EntryKind.Configuration, payload));
            AdoptConfiguration(S.ChangeIndex, payload);
        }
    }

    private string? WhyNot(ClusterConfiguration next)
    {
        if (next.Outgoing.Length > 0) return "joint configurations are not proposed";
        if (next.VoterCount == 0) return "a configuration needs a voter";
        if (next.VoterCount > Limits.MaxVoters) return "more voters than MaxVoters";
        int changed = 0;
        foreach (var m in S.Configuration.Members)
            if (m.Voter && !next.IsVoter(m.Id, m.Directory)) changed++;
        foreach (var m in next.Members)
            if (m.Voter && !S.Configuration.IsVoter(m.Id, m.Directory)) changed++;

        // Another directory in a voter's place is two changes: one alone makes two majorities (storage.md §6.3).
        return changed > 1 ? "more than one voter would change" : null;
    }

    /// <summary>A learner that would be promoted and lacks more than a little (T §4.2.1), or did not speak lately.</summary>
    private ReplicaId? NotCaughtUp(ClusterConfiguration next)
    {
        foreach (var m in next.Members)
        {
            if (!m.Voter || m.Id == S.Self || S.Configuration.IsVoter(m.Id, m.Directory)) continue;
            bool caughtUp = S.Peer(m.Id) is { State: ProgressState.Replicate } p && p.Directory == m.Directory && RecentlyHeard(p)
                && p.Match >= S.Log.BeginIndex && S.Log.BytesOf(p.Match + 1, S.Log.Last) <= _options.CaughtUpBytes;
            if (!caughtUp) return m.Id;
        }
        return null;
    }

    /// <summary>At append, at leader and follower alike.</summary>
    private void AdoptConfiguration(long index, in Payload payload)
    {
        var configuration = ClusterConfiguration.Decode(payload.Span);
        Invariant.That(configuration is not null, "ConfigIsLog", $"entry {index} is no configuration");
        S.Configurations.Add(new ConfigurationAt(index, configuration!));
        OnConfigurationChanged();
    }

    /// <summary>A cut configuration rules no more: the one before it in the log does, whichever that is (bug 46).</summary>
    private void RollConfigurationsBack(long first)
    {
        int count = S.Configurations.Count;
        while (S.Configurations.Count > 1 && S.Configurations[^1].Index >= first) S.Configurations.RemoveAt(S.Configurations.Count - 1);
        if (S.Configurations.Count == count) return;
        _out.Note("configuration rolled back to the one at", S.Latest.Index);
        OnConfigurationChanged();
    }

    private void OnConfigurationChanged()
    {
        _out.Note("configuration at", S.Configurations.Count == 0 ? 0 : S.Latest.Index);
        if (S.Role == Role.Leader) SyncPeers();
        else if (!S.Electable || S.ElectionDeadline == Instant.Never) ArmElection();
    }

    /// <summary>Progress for every other member of the latest configuration; one that leaves is told until its removal is committed (raft.md §10.1.8).</summary>
    private void SyncPeers()
    {
        var peers = new List<PeerProgress>();
        foreach (var m in S.Configuration.Members) Keep(m);
        foreach (var m in S.Configuration.Outgoing) Keep(m);
        foreach (var p in S.Peers)
        {
            if (S.Latest.Index <= S.Commit || peers.Exists(q => q.Id == p.Id)) continue;
            p.Leaving = true;
            peers.Add(p);
        }
        peers.Sort((a, b) => a.Id.CompareTo(b.Id));
        S.Peers = [.. peers];
        S.HeartbeatDeadline = S.Peers.Length == 0 ? Instant.Never : Math.Min(S.HeartbeatDeadline, S.Judged + _options.HeartbeatMicros);
        S.QuorumDeadline = S.SoleVoter ? Instant.Never : Math.Min(S.QuorumDeadline, S.Judged + _options.ElectionTimeoutMicros);

        void Keep(ConfiguredMember m)
        {
            if (m.Id == S.Self || peers.Exists(q => q.Id == m.Id)) return;
            var p = S.Peer(m.Id) is { } known && known.Directory == m.Directory ? known : null;

            // A new peer counts as heard once, or adding it topples the leader (raft.md §13.2).
            p ??= new PeerProgress(m.Id, m.Directory) { Next = S.Log.Last + 1, Contact = S.Judged, AckedRound = S.ConfirmedRound };
            p.Leaving = false;
            peers.Add(p);
        }
    }

    /// <summary>A committed change: answered, those who left are let go, and a leader that is no voter any more hands over and steps down (T §4.2.2, bug 43).</summary>
    private void CompleteChange()
    {
        if (S.Latest.Index > S.Commit) return;
        if (S.ChangeIndex > 0)
        {
            _out.Answer(S.ChangeProposal, AnswerKind.Done);
            S.ChangeIndex = S.ChangeProposal = 0;
        }
        bool leaving = false;
        foreach (var p in S.Peers)
        {
            if (!p.Leaving) continue;
            leaving = true;
            SendBeat(p); // its last word: the commit that covers its removal
        }
        if (leaving) SyncPeers();
        if (S.SelfVotes) return;
        foreach (var p in S.Peers) SendBeat(p);
        if (ChooseTarget(ReplicaId.None) is { } heir) _out.Send(heir.Id, new TimeoutNow(S.Term));
        BecomeFollower(ReplicaId.None, "no voter any more");
    }
}
