namespace Quorate.Kernel;

/// <summary>A number in a replica's own stream of writes (DESIGN §3, Tickets). Writes are first in, first out, so "durable up to t" covers everything persisted before t as well.</summary>
public readonly record struct Ticket(long Value) : IComparable<Ticket>
{
    /// <summary>No write: a message sent after it waits for nothing.</summary>
    public static Ticket None => default;

    public bool IsNone => Value == 0;

    public int CompareTo(Ticket other) => Value.CompareTo(other.Value);

    public static bool operator <(Ticket a, Ticket b) => a.Value < b.Value;
    public static bool operator >(Ticket a, Ticket b) => a.Value > b.Value;
    public static bool operator <=(Ticket a, Ticket b) => a.Value <= b.Value;
    public static bool operator >=(Ticket a, Ticket b) => a.Value >= b.Value;
}
