namespace Quorate.Simulation.Checkers;

/// <summary>ReplicasEqual: two replicas that have applied the same index have the same state.</summary>
public sealed class DigestChecker
{
    private readonly SortedDictionary<long, (ulong Digest, int Member)> _seen = [];

    public void At(long index, ulong digest, int member)
    {
        if (!_seen.TryGetValue(index, out var other)) _seen.Add(index, (digest, member));
        else if (other.Digest != digest) throw new BreachException("ReplicasEqual", $"n{other.Member} and n{member} differ at index {index}");
    }
}
