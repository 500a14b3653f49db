namespace Quorate.Simulation.Checkers;

/// <summary>ReplicasEqual: two replicas that have applied the same index have the same state.</summary>
public sealed class DigestChecker
{
    private readonly SortedDictionary<long, (ulong Digest, int Member)> _seen = [];
    private readonly SortedDictionary<long, (ulong Term, uint Checksum, int Member)> _entries = [];

    /// <summary>StateMachineSafety: no two replicas apply different entries at one index.</summary>
    public void Applied(long index, ulong term, uint checksum, int member)
    {
        if (!_entries.TryGetValue(index, out var other)) _entries.Add(index, (term, checksum, member));
        else if (other.Term != term || other.Checksum != checksum)
            throw new BreachException("StateMachineSafety", $"n{member} applies ({term}, {checksum:x8}) at {index}, where n{other.Member} applied ({other.Term}, {other.Checksum:x8})");
    }

    public void At(long index, ulong digest, int member)
    {
        if (!_seen.TryGetValue(index, out var other)) _seen.Add(index, (digest, member));
        else if (other.Digest != digest) throw new BreachException("ReplicasEqual", $"n{other.Member} and n{member} differ at index {index}");
    }
}
