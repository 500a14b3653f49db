using Quorate.Runtime.Replica;
using Quorate.Runtime.Sessions;
using Quorate.Storage;

namespace Quorate.Runtime.Membership;

public enum MembershipChange : byte { Add, Remove, Promote }

/// <summary>
/// Changes of the configuration, one voter at a time (Raft §4.1). A listed member with a directory that the configuration does not record becomes a learner and takes its vote back by itself,
/// through two changes, each committed before the next (storage.md §6.3): the old directory loses its vote, then the new one gets one.
/// </summary>
public sealed class Membership(SessionHost sessions, INotes notes, WindowRoom room, MemberStore store)
{
    private const long RetryMicros = 250_000;

    /// <summary>So long no leader is heard before a group is called lost.</summary>
    private const long LostMicros = 5_000_000;
    private readonly ulong[] _linked = new ulong[256];
    private long _next, _lostSince = Instant.Never;
    private long _votesSince = -1;
    private bool _asked, _lostNoted;
    private ReplicaId _stepped;

    /// <summary>
    /// May a member whose journal has damage of unknown content begin anew under a new directory? Only when for every partition the other voters are a quorum (storage.md §2.1); else it stops.
    /// </summary>
    public static bool OthersAreAQuorum(LostJournal lost)
    {
        var known = ConfigurationsOf(lost);
        foreach (var configuration in known)
        {
            int others = 0;
            foreach (var m in configuration.Members)
                if (m.Voter && m.Id != lost.Identity.Self) others++;
            if (others <= configuration.VoterCount / 2) return false;
        }
        return known.Count > 0;
    }

    /// <summary>Is this member the only voter of a partition with damage? Then nobody else holds what is lost, and it stops (storage.md §2.4).</summary>
    public static bool IsAlone(LostJournal lost)
    {
        foreach (var configuration in ConfigurationsOf(lost))
            if (configuration.VoterCount == 1 && configuration.Find(lost.Identity.Self) is { Voter: true }) return true;
        return false;
    }

    /// <summary>What the journal knows; the formed list, which stands at index 0 and in no journal, when that is nothing.</summary>
    private static List<ClusterConfiguration> ConfigurationsOf(LostJournal lost)
    {
        var known = new List<ClusterConfiguration>();
        foreach (var (_, configuration) in lost.Configurations) known.Add(configuration);
        if (known.Count == 0 && lost.Identity.Formed && Formation.FormedList.Decode(lost.Identity.Formation.Span) is { } formed) known.Add(new ClusterConfiguration(formed.Members));
        return known;
    }

    /// <summary>The core that takes proposals; absent before formation.</summary>
    public ReplicaHost? Host { get; set; }

    public void OnLinkUp(ReplicaId peer, ulong directory) => _linked[peer.Value] = directory;

    public void OnLinkDown(ReplicaId peer) => _linked[peer.Value] = 0;

    public long NextWake => sessions.Leading ? _next : _lostNoted || _lostSince == Instant.Never ? Instant.Never : _lostSince + LostMicros;

    public void Pump(Instant now)
    {
        NoteWhenLost(now);
        ForgetOldDirectories();
        if (!sessions.Leading || Host is null || now.Micros < _next) return;
        _next = now.Micros + RetryMicros;
        if (!_asked && sessions.ConfigurationIndex == Host.Standing.ConfigurationIndex) Step(now);
    }

    private void Step(Instant now)   // apart from Pump: what a lambda captures is allocated where its method begins, and Pump runs each turn
    {
        if (NextStep(sessions.Configuration, sessions.Self, _stepped, _linked, id => CaughtUp(id, now)) is not { } step) return;
        _stepped = step.Id;
        Propose(step.Next, (_, _) => { });
    }

    /// <summary>An operator's word. The answer's text is null when it is done.</summary>
    public void Change(MembershipChange change, ReplicaId id, string address, Action<string?> answer)
    {
        var present = sessions.Configuration;
        string? wrong = !sessions.Leading || Host is null ? "this member does not lead" : _asked || sessions.ConfigurationIndex != Host.Standing.ConfigurationIndex ? "another change is under way" : Why(change, id, address, present);
        if (wrong is not null)
        {
            answer(wrong);
            return;
        }
        var next = change switch
        {
            MembershipChange.Add => present.With(new ConfiguredMember(id, _linked[id.Value], false, address)),
            MembershipChange.Remove => present.Without(id),
            _ => present.With(present.Find(id)! with { Voter = true, Returning = false }),
        };
        Propose(next, (outcome, reason) => answer(outcome == AnswerKind.Done ? null : reason ?? $"the outcome is {outcome}"));
    }

    private string? Why(MembershipChange change, ReplicaId id, string address, ClusterConfiguration present)
    {
        var member = present.Find(id);
        return change switch
        {
            MembershipChange.Add when member is not null => $"member {id.Value} is in the configuration already",
            MembershipChange.Add when room.Why(present.Members.Length + 1) is { } tooMany => tooMany,
            MembershipChange.Add when address.Length == 0 => "an address HOST:PORT is needed",
            MembershipChange.Add when Array.Find(present.Members, m => m.Address == address) is { } other => $"{address} is the address of member {other.Id.Value}",
            MembershipChange.Remove when member is null => $"member {id.Value} is not in the configuration",
            MembershipChange.Remove when member!.Voter && present.VoterCount == 1 => "the last voter cannot be removed",
            MembershipChange.Promote when member is null => $"member {id.Value} is not in the configuration",
            MembershipChange.Promote when member!.Voter => $"member {id.Value} votes already",
            MembershipChange.Promote when present.VoterCount >= Limits.MaxVoters => $"there are {Limits.MaxVoters} voters already",
            MembershipChange.Promote when member!.Directory == 0 => $"member {id.Value} was never heard",
            MembershipChange.Promote when !CaughtUp(id, sessions.Now) => $"member {id.Value} has not caught up yet",
            _ => null,
        };
    }

    private void Propose(ClusterConfiguration next, Action<AnswerKind, string?> answer)
    {
        _asked = true;
        notes.Note(1, $"proposing the configuration {next}");
        Host!.Ask(ProposalKind.Configuration, next, default, (outcome, reason) =>
        {
            _asked = false;
            if (outcome != AnswerKind.Done) notes.Note(1, $"configuration not changed: {outcome} {reason}");
            answer(outcome, reason);
        });
    }

    /// <summary>
    /// The next of the two changes that some member needs; null when all is as it should be. Whoever stepped last is asked last: one whose step the core refuses again and again must not keep another from coming back.
    /// </summary>
    internal static (ReplicaId Id, ClusterConfiguration Next)? NextStep(ClusterConfiguration present, ReplicaId self, ReplicaId stepped, ulong[] linked, Func<ReplicaId, bool> caughtUp)
    {
        var members = present.Members;
        int first = 0;
        while (first < members.Length && members[first].Id <= stepped) first++;
        for (int i = 0; i < members.Length; i++)
        {
            var m = members[(first + i) % members.Length];
            if (m.Id != self && StepOf(m, present, linked[m.Id.Value], caughtUp) is { } next) return (m.Id, next);
        }
        return null;
    }

    private static ClusterConfiguration? StepOf(ConfiguredMember m, ClusterConfiguration present, ulong linked, Func<ReplicaId, bool> caughtUp)
    {
        if (linked == 0) return null;
#if MUTANTS
        if (Mutants.On(Mutant.OneChangeReplacement) && linked != m.Directory) return present.With(m with { Directory = linked });
#endif
        if (linked != m.Directory) return present.With(m with { Directory = linked, Voter = false, Returning = m.Voter || m.Returning });
        return m is { Voter: false, Returning: true } && caughtUp(m.Id) ? present.With(m with { Voter = true, Returning = false }) : null;
    }

    /// <summary>Its report of the last beats says that it has applied nearly all of what is committed.</summary>
    private bool CaughtUp(ReplicaId id, Instant now)
    {
        var (applied, heardAt) = sessions.ReportOf(id);
        return now.Micros - heardAt < 500_000 && applied + 10_000 >= sessions.AppliedIndex && applied > 0;
    }

    /// <summary>Its directory stands in the applied configuration as a voter: what earlier directories of this member kept is not needed any more (storage.md §2.1).</summary>
    private void ForgetOldDirectories()
    {
        if (sessions.ConfigurationIndex == _votesSince) return;
        _votesSince = sessions.ConfigurationIndex;
        if (Host is not null && sessions.Configuration.IsVoter(sessions.Self, store.Identity.Directory)) store.RemoveOldDirectories();
    }

    /// <summary>Members whose recorded directories are gone can no longer form a write quorum (storage.md §5).</summary>
    private void NoteWhenLost(Instant now)
    {
        if (_lostNoted) return;
        if (sessions.Serving || Host is null || !Host.Standing.Leader.IsNone)
        {
            _lostSince = Instant.Never;
            return;
        }
        int voters = 0, gone = 0;
        foreach (var m in sessions.Configuration.Members)
        {
            if (!m.Voter) continue;
            voters++;
            if (_linked[m.Id.Value] != 0 && _linked[m.Id.Value] != m.Directory && m.Directory != 0) gone++;
        }
        if (voters == 0 || voters - gone > voters / 2) return;
        if (_lostSince == Instant.Never) _lostSince = now.Micros;
        if (now.Micros - _lostSince < LostMicros) return; // what is applied so far may be an old configuration: a leader that is heard brings the newer one
        _lostNoted = true;
        notes.Note(3, $"group lost: {gone} of {voters} voters came back without their data, the rest is no quorum. To begin anew, stop every member, remove the data directories of all, and start them again");
    }
}
