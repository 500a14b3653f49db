namespace Quorate.Protocols.Quorums;

/// <summary>One number for each voter: an index that it holds, a round that it acknowledged, 1 for a vote given.</summary>
public interface IVoterValues
{
    long ValueOf(ConfiguredMember voter);
}

/// <summary>
/// Majorities of a configuration, and of both halves of a joint one (Raft §6). Everything that a protocol decides by counting is counted here, over distinct voters, never over messages (raft.md, bugs 4, 17, 24).
/// </summary>
public static class Majorities
{
    /// <summary>What is reached in a configuration without voters: nothing.</summary>
    public const long Nothing = long.MinValue;

    /// <summary>How many of <paramref name="voters"/> are more than half.</summary>
    public static int Of(int voters) => voters / 2 + 1;

    /// <summary>The largest value that a majority of the voters has reached; in a joint configuration that a majority of each half has.</summary>
    public static long Reached<T>(ClusterConfiguration configuration, in T values) where T : struct, IVoterValues, allows ref struct
    {
        long reached = ReachedBy(configuration.Members, values);
        return configuration.Outgoing.Length == 0 ? reached : Math.Min(reached, ReachedBy(configuration.Outgoing, values));
    }

    /// <summary>Those whose value is at least 1 meet every majority of the voters: the rest is none. Of a joint configuration one half is enough, since its quorums hold a majority of each.</summary>
    public static bool MeetEveryOne<T>(ClusterConfiguration configuration, in T values) where T : struct, IVoterValues, allows ref struct =>
        MeetEveryOne(configuration.Members, values) || MeetEveryOne(configuration.Outgoing, values);

    private static bool MeetEveryOne<T>(ConfiguredMember[] members, in T values) where T : struct, IVoterValues, allows ref struct
    {
        int voters = 0, others = 0;
        foreach (var m in members)
        {
            if (!m.Voter) continue;
            voters++;
            if (values.ValueOf(m) < 1) others++;
        }
        return voters > 0 && others < Of(voters);
    }

    private static long ReachedBy<T>(ConfiguredMember[] members, in T values) where T : struct, IVoterValues, allows ref struct
    {
        Span<long> sorted = stackalloc long[members.Length];
        int voters = 0;
        foreach (var m in members)
            if (m.Voter) sorted[voters++] = values.ValueOf(m);
        if (voters == 0) return Nothing;
        sorted = sorted[..voters];
        sorted.Sort();
        return sorted[voters - Of(voters)];
    }
}
