namespace Quorate.Simulation.Checkers;

/// <summary>
/// ExactlyOnce: each write is known by a number; one that was acknowledged took effect once, one whose answer was lost at most once, one that was refused never.
/// ClientOrder: those of one client took effect in the order of asking, also when it moved to another member between two of them.
/// </summary>
public sealed class OnceChecker
{
    private readonly SortedDictionary<long, long> _acknowledged = [];
    private readonly SortedDictionary<long, int> _asked = [];

    /// <summary>Numbers grow in a client's order of asking.</summary>
    public void Asked(long number, int client) => _asked[number] = client;

    /// <summary>At this moment of the world's order.</summary>
    public void Acknowledged(long number, long order) => _acknowledged[number] = order;

    public void Refused(long number) => _asked.Remove(number);

    /// <summary>What is there, each with its place in the order of effects; whoever looked asked at <paramref name="asked"/>: what was acknowledged later may be missing.</summary>
    public void Judge(IEnumerable<(long Number, long Place)> found, long asked)
    {
        var seen = new SortedDictionary<long, int>();
        var last = new SortedDictionary<int, (long Number, long Place)>();
        foreach (var (number, place) in found.OrderBy(f => f.Number))
        {
            if (!_asked.TryGetValue(number, out int client)) throw new BreachException("ExactlyOnce", $"write {number} took effect, though it was refused or never asked for");
            if (!seen.TryAdd(number, 1)) throw new BreachException("ExactlyOnce", $"write {number} took effect twice");
            if (last.TryGetValue(client, out var before) && place < before.Place) throw new BreachException("ClientOrder", $"client {client} asked for {before.Number} and then for {number}; they took effect at {before.Place} and {place}");
            last[client] = (number, place);
        }
        foreach (var (number, order) in _acknowledged)
            if (order < asked && !seen.ContainsKey(number)) throw new BreachException("NothingAcknowledgedLost", $"write {number} was acknowledged and is gone");
    }
}
