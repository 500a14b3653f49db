namespace Quorate.Simulation.Scenarios;

/// <summary>LockExclusion, as the seeded world checks it, over every ephemeral node that the script makes: no two clients may believe at one moment that they made the node which is there.</summary>
internal sealed class LockBelief
{
    private readonly SortedDictionary<string, string> _holders = new(StringComparer.Ordinal);

    public string? HolderOf(string path) => _holders.GetValueOrDefault(path);

    public void Believes(string path, string client)
    {
        if (_holders.TryGetValue(path, out string? other) && other != client) throw new BreachException("LockExclusion", $"{client} owns {path}, and {other} believes the same of itself");
        _holders[path] = client;
    }

    public void Doubts(string path, string client)
    {
        if (HolderOf(path) == client) _holders.Remove(path);
    }
}
