namespace Quorate.Simulation.Checkers;

/// <summary>LockExclusion: no two clients may believe at one moment that they own the same lock. A client believes while it is connected and was told that it made the node, until it asks for its deletion.</summary>
public sealed class LockChecker(int locks)
{
    private readonly int[] _owner = new int[locks];
    private readonly long[] _session = new long[locks];

    /// <summary>It was told so, or it came back with the session that made it.</summary>
    public void Believes(int number, int client, long session)
    {
        if (_owner[number] != 0 && _owner[number] != client)
            throw new BreachException("LockExclusion", $"client {client} (session 0x{session:x}) owns lock {number}, which client {_owner[number]} (session 0x{_session[number]:x}) owns as well");
        _owner[number] = client;
        _session[number] = session;
    }

    /// <summary>It gave it back, or lost its connection and does not know.</summary>
    public void Doubts(int number, int client)
    {
        if (_owner[number] == client) _owner[number] = 0;
    }
}
