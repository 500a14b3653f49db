using Quorate.Runtime.Replica;
using Quorate.Simulation.Checkers;

namespace Quorate.Simulation.Served;

/// <summary>What is seen of members from outside after each of their turns: one leader a term, equal states at equal positions.</summary>
internal sealed class MemberChecker(Trace trace, DigestChecker digests)
{
    private readonly SortedDictionary<ulong, int> _leaders = [];

    public void After(SimMember member, long micros)
    {
        if (member.Member.Host is null) return;
        var standing = member.Member.Standing;
        if (standing.Role == Role.Leader && standing.Term != member.LedTerm)
        {
            member.LedTerm = standing.Term;
            if (!_leaders.TryAdd(standing.Term, member.Number) && _leaders[standing.Term] != member.Number) throw new BreachException("ElectionSafety", $"n{_leaders[standing.Term]} and n{member.Number} both lead term {standing.Term}");
        }
        var sessions = member.Member.Sessions;
        if (sessions.AppliedIndex == member.SeenApplied) return;
        member.SeenApplied = sessions.AppliedIndex;
        ulong digest = StateSnapshots.DigestOf(sessions);
        trace.Add(micros, 3, member.Number, sessions.AppliedIndex);
        trace.Add(micros, 4, member.Number, (long)digest);
        digests.At(sessions.AppliedIndex, digest, member.Number);
    }
}
