using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

/// <summary>A state's print, the same for states that differ only in who is called what.</summary>
internal readonly ref struct StatePrint(ReadOnlySpan<ExploredNode> nodes, ReadOnlySpan<Flying> net, RaftGlobalInvariants ghost, Allowance left)
{
    private readonly ReadOnlySpan<ExploredNode> _nodes = nodes;
    private readonly ReadOnlySpan<Flying> _net = net;

    /// <summary>Members are ordered by their signatures; those of one signature are tried in every order, and the least print is the state's.</summary>
    public ulong Least()
    {
        Span<int> order = stackalloc int[_nodes.Length];
        for (int i = 0; i < order.Length; i++)
        {
            int at = i;
            while (at > 0 && _nodes[order[at - 1]].Signature > _nodes[i].Signature)
            {
                order[at] = order[at - 1];
                at--;
            }
            order[at] = i;
        }
        Span<byte> names = stackalloc byte[256];
        names.Clear();
        ulong least = ulong.MaxValue;
        TryOrders(order, 0, names, ref least);
        return least;
    }

    private void TryOrders(Span<int> order, int from, Span<byte> names, ref ulong least)
    {
        if (from == order.Length)
        {
            least = Math.Min(least, In(order, names));
            return;
        }
        ulong signature = _nodes[order[from]].Signature;
        for (int i = from; i < order.Length && _nodes[order[i]].Signature == signature; i++)
        {
            (order[from], order[i]) = (order[i], order[from]);
            TryOrders(order, from + 1, names, ref least);
            (order[from], order[i]) = (order[i], order[from]);
        }
    }

    private ulong In(ReadOnlySpan<int> order, Span<byte> names)
    {
        ulong key = 0;
        for (int i = 0; i < order.Length; i++)
        {
            names[_nodes[order[i]].Id.Value] = (byte)(i + 1);
            key = key << 8 | _nodes[order[i]].Id.Value;
        }
        var print = new Fingerprint();
        print.Add(left.Print);
        foreach (int i in order) print.Add(_nodes[i].Print(names, key));
        ulong flying = 0;
        foreach (var f in _net) flying += f.Named(names);
        print.Add(flying);
        ghost.AddTo(ref print, names);
        return print.Value;
    }
}
