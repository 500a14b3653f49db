namespace Quorate;

/// <summary>A member's own view, taken in one turn. Numbers that only a leader knows are null elsewhere.</summary>
public sealed record MemberStatus
{
    public required int Id { get; init; }

    /// <summary>forming, standalone, leader, follower, candidate or learner.</summary>
    public required string Role { get; init; }

    /// <summary>In a quorum, and caught up: clients are served.</summary>
    public required bool Serving { get; init; }

    public required ulong Term { get; init; }

    /// <summary>0: none is known.</summary>
    public required int Leader { get; init; }

    public required long Commit { get; init; }
    public required long Applied { get; init; }
    public required string Zxid { get; init; }
    public required int Sessions { get; init; }
    public required int Connections { get; init; }
    public required int Watches { get; init; }
    public required int Nodes { get; init; }
    public required long DataBytes { get; init; }
    public required string Storage { get; init; }

    /// <summary>New writes are refused until there is room again (storage.md §3).</summary>
    public required bool LowSpace { get; init; }

    /// <summary>Entries of its log that are damaged and not repaired yet, and the highest of them: it neither votes for shorter logs nor stands (storage.md §2.4).</summary>
    public int Damaged { get; init; }
    public long DamagedHighest { get; init; }

    public required string Cluster { get; init; }
    public required string Directory { get; init; }
    public required ulong Run { get; init; }
    public required string ZooKeeper { get; init; }
    public required string Peer { get; init; }
    public required double UptimeSeconds { get; init; }
    public required string Version { get; init; }
    public required IReadOnlyList<MemberView> Members { get; init; }
}

/// <summary>One line of the configuration as a member sees it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Address">Of its mesh.</param>
/// <param name="Voter">Counts in quorums; else a learner.</param>
/// <param name="Linked">The member that was asked has a link to it (or is it).</param>
/// <param name="Applied">What it last said that it has applied; only a leader hears that.</param>
/// <param name="Http">Where its operators ask it; empty when nowhere or not known yet.</param>
public sealed record MemberView(int Id, string Address, bool Voter, bool Linked, long? Applied, string Http);
