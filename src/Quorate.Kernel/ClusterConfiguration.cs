namespace Quorate.Kernel;

/// <summary>One member as the configuration records it: who, with which directory (storage.md §6), where, and whether it votes.</summary>
/// <param name="Id">The member's number.</param>
/// <param name="Directory">The random id of the data directory that votes for this member. 0 in a list that was never formed.</param>
/// <param name="Voter">Counts in quorums and may lead; otherwise a learner.</param>
/// <param name="Address">HOST:PORT of its mesh.</param>
/// <param name="Returning">A learner that was a voter under another directory and takes its vote back by itself (storage.md §6.3).</param>
public sealed record ConfiguredMember(ReplicaId Id, ulong Directory, bool Voter, string Address, bool Returning = false);

/// <summary>
/// Voters and learners, itself a log entry; immutable. <see cref="Outgoing"/> is the other half of a joint configuration (Raft §6): empty until joint consensus comes.
/// </summary>
public sealed class ClusterConfiguration
{
    /// <summary>No members: what a replica knows before formation.</summary>
    public static ClusterConfiguration None { get; } = new([]);

    public ClusterConfiguration(IEnumerable<ConfiguredMember> members, IEnumerable<ConfiguredMember>? outgoing = null)
    {
        Members = [.. members.OrderBy(m => m.Id)];
        Outgoing = outgoing is null ? [] : [.. outgoing.OrderBy(m => m.Id)];
    }

    /// <summary>Sorted by id; an id stands once.</summary>
    public ConfiguredMember[] Members { get; }

    public ConfiguredMember[] Outgoing { get; }

    public int VoterCount => Members.Count(m => m.Voter);

    public ConfiguredMember? Find(ReplicaId id)
    {
        foreach (var m in Members)
            if (m.Id == id) return m;
        return null;
    }

    /// <summary>The configuration names this very directory for this member.</summary>
    public bool Names(ReplicaId id, ulong directory) => Find(id) is { } m && m.Directory == directory;

    /// <summary>Votes and acknowledgements count for (member, directory) of the counter's own configuration (storage.md §6.3).</summary>
    public bool IsVoter(ReplicaId id, ulong directory) => Find(id) is { Voter: true } m && m.Directory == directory;

    public ClusterConfiguration With(ConfiguredMember member) => new(Members.Where(m => m.Id != member.Id).Append(member), Outgoing);

    public ClusterConfiguration Without(ReplicaId id) => new(Members.Where(m => m.Id != id), Outgoing);

    public byte[] Encode()
    {
        var w = new ByteWriter(64);
        w.Byte(1);
        Write(w, Members);
        Write(w, Outgoing);
        return w.Written.ToArray();
    }

    /// <summary>Null when the bytes are no configuration.</summary>
    public static ClusterConfiguration? Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() != 1) return null;
        var members = Read(ref r);
        var outgoing = Read(ref r);
        return r.Ok && r.AtEnd ? new ClusterConfiguration(members, outgoing) : null;
    }

    public override string ToString() => string.Join(",", Members.Select(m => $"{m.Id.Value}{(m.Voter ? "" : "(learner)")}={m.Address}"));

    private static void Write(ByteWriter w, ConfiguredMember[] members)
    {
        w.Int32(members.Length);
        foreach (var m in members)
        {
            w.Byte(m.Id.Value);
            w.UInt64(m.Directory);
            w.Byte((byte)((m.Voter ? 1 : 0) | (m.Returning ? 2 : 0)));
            w.Text(m.Address);
        }
    }

    private static ConfiguredMember[] Read(ref ByteReader r)
    {
        var members = new ConfiguredMember[r.Count(14)];
        for (int i = 0; i < members.Length; i++)
        {
            var id = new ReplicaId(r.Byte());
            ulong directory = r.UInt64();
            int flags = r.Byte();
            members[i] = new ConfiguredMember(id, directory, (flags & 1) != 0, r.Text(), (flags & 2) != 0);
        }
        return members;
    }
}
