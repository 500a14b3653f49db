namespace Quorate.Kernel;

/// <summary>A member's number in its cluster, 1 to 254 (it is the top byte of the session ids that the member hands out). 0 means none; a message from 0 comes from the host itself.</summary>
public readonly record struct ReplicaId(byte Value) : IComparable<ReplicaId>
{
    /// <summary>Nobody; as a sender, the replica's own host.</summary>
    public static ReplicaId None => default;

    public bool IsNone => Value == 0;

    public int CompareTo(ReplicaId other) => Value.CompareTo(other.Value);

    public static bool operator <(ReplicaId a, ReplicaId b) => a.Value < b.Value;
    public static bool operator >(ReplicaId a, ReplicaId b) => a.Value > b.Value;
    public static bool operator <=(ReplicaId a, ReplicaId b) => a.Value <= b.Value;
    public static bool operator >=(ReplicaId a, ReplicaId b) => a.Value >= b.Value;

    public override string ToString() => Value == 0 ? "none" : "n" + Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
