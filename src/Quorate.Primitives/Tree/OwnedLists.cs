namespace Quorate.Primitives.Tree;

/// <summary>What each owner has, as lists through the nodes' sides: a session's ephemerals, all containers, all TTL nodes.</summary>
internal sealed class OwnedLists(StructPool<NodeSide> sides, StructPool<NodeRow> rows)
{
    private readonly Dictionary<long, Ends> _sessions = [];
    private Ends _containers, _ttls;

    /// <summary>Sessions that own something.</summary>
    public int Sessions => _sessions.Count;

    public int FirstContainer => _containers.First;

    public int FirstTtl => _ttls.First;

    public int First(long session) => _sessions.TryGetValue(session, out var ends) ? ends.First : 0;

    public int Count(long session) => _sessions.TryGetValue(session, out var ends) ? ends.Count : 0;

    public int Next(int node) => sides[rows[node].Side].OwnedNext;

    /// <summary>Appends the node, so that a list is in the order of creation.</summary>
    public void Add(long owner, int side, int node)
    {
        var ends = EndsOf(owner);
        sides[side].OwnedPrevious = ends.Last;
        sides[side].OwnedNext = 0;
        if (ends.Last != 0) sides[rows[ends.Last].Side].OwnedNext = node;
        else ends.First = node;
        ends.Last = node;
        ends.Count++;
        Set(owner, ends);
    }

    public void Remove(long owner, int node)
    {
        var ends = EndsOf(owner);
        ref var side = ref sides[rows[node].Side];
        if (side.OwnedPrevious != 0) sides[rows[side.OwnedPrevious].Side].OwnedNext = side.OwnedNext;
        else ends.First = side.OwnedNext;
        if (side.OwnedNext != 0) sides[rows[side.OwnedNext].Side].OwnedPrevious = side.OwnedPrevious;
        else ends.Last = side.OwnedPrevious;
        ends.Count--;
        Set(owner, ends);
    }

    public void Clear()
    {
        _sessions.Clear();
        _containers = _ttls = default;
    }

    private Ends EndsOf(long owner) =>
        owner == NodeOwner.Container ? _containers
        : NodeOwner.IsTtl(owner) ? _ttls
        : _sessions.TryGetValue(owner, out var ends) ? ends : default;

    private void Set(long owner, in Ends ends)
    {
        if (owner == NodeOwner.Container) _containers = ends;
        else if (NodeOwner.IsTtl(owner)) _ttls = ends;
        else if (ends.Count == 0) _sessions.Remove(owner);
        else _sessions[owner] = ends;
    }

    private struct Ends
    {
        public int First, Last, Count;
    }
}
