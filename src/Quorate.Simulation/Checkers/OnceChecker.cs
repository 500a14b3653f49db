namespace Quorate.Simulation.Checkers;

/// <summary>ExactlyOnce: each write is known by a number; one that was acknowledged took effect once, one whose answer was lost at most once, one that was refused never.</summary>
public sealed class OnceChecker
{
    private readonly SortedDictionary<long, int> _acknowledged = [];
    private readonly SortedDictionary<long, int> _asked = [];

    public void Asked(long number) => _asked[number] = 1;

    public void Acknowledged(long number) => _acknowledged[number] = 1;

    public void Refused(long number) => _asked.Remove(number);

    /// <summary>What is there at the end.</summary>
    public void Judge(IEnumerable<long> found)
    {
        var seen = new SortedDictionary<long, int>();
        foreach (long number in found)
        {
            if (!_asked.ContainsKey(number)) throw new BreachException("ExactlyOnce", $"write {number} took effect, though it was refused or never asked for");
            if (!seen.TryAdd(number, 1)) throw new BreachException("ExactlyOnce", $"write {number} took effect twice");
        }
        foreach (long number in _acknowledged.Keys)
            if (!seen.ContainsKey(number)) throw new BreachException("NothingAcknowledgedLost", $"write {number} was acknowledged and is gone");
    }
}
