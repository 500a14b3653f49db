using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

internal enum Deed : byte { Deliver, Sync, Timeout, Quiet, Beat, Propose, Crash }

/// <summary>One step: what, at whom, and of what (which message on its way, how many writes survive).</summary>
internal readonly record struct Act(Deed Deed, byte Member, short Of);

/// <summary>Members, messages on their way, what was ever decided, and what the bounds still allow. Never changed once it stands.</summary>
internal sealed class ExploredState
{
    public required ExploredNode[] Nodes { get; init; }
    public required Flying[] Net { get; init; }
    public required RaftGlobalInvariants Ghost { get; init; }
    public byte Proposals { get; init; }
    public byte Crashes { get; init; }
    public byte Timeouts { get; init; }
    public byte Beats { get; init; }

    /// <summary>Every step that is possible here.</summary>
    public void AddActs(List<Act> acts)
    {
        for (int i = 0; i < Net.Length; i++)
            if (!StandsBefore(i)) acts.Add(new Act(Deed.Deliver, Net[i].To.Value, (short)i));
        foreach (var n in Nodes)
        {
            byte id = n.Id.Value;
            var s = n.State;
            bool leads = s.Role == Role.Leader;
            if (n.Pending.Length > 0) acts.Add(new Act(Deed.Sync, id, 0));
            if (Timeouts > 0) acts.Add(new Act(Deed.Timeout, id, 0));
            if (!leads && s.Judged + (n.Now - s.LastNow) < s.ElectionDeadline) acts.Add(new Act(Deed.Quiet, id, 0));
            if (leads && Beats > 0) acts.Add(new Act(Deed.Beat, id, 0));
            if (leads && Proposals > 0) acts.Add(new Act(Deed.Propose, id, 0));
            if (Crashes > 0)
                for (int survive = 0; survive <= n.Pending.Length; survive++) acts.Add(new Act(Deed.Crash, id, (short)survive));
        }
    }

    private bool StandsBefore(int at)
    {
        for (int i = 0; i < at; i++)
            if (Net[i].Same(Net[at])) return true;
        return false;
    }

    // ---- Print: the same for states that differ only in who is called what

    public ulong Print()
    {
        int count = Nodes.Length;
        Span<int> order = stackalloc int[count];
        for (int i = 0; i < count; i++)
        {
            int at = i;
            while (at > 0 && Nodes[order[at - 1]].Signature > Nodes[i].Signature)
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

    /// <summary>Members of different signatures have one order; those of one signature are tried in every order, and the least print is the state's.</summary>
    private void TryOrders(Span<int> order, int from, Span<byte> names, ref ulong least)
    {
        if (from == order.Length)
        {
            least = Math.Min(least, PrintIn(order, names));
            return;
        }
        ulong signature = Nodes[order[from]].Signature;
        for (int i = from; i < order.Length && Nodes[order[i]].Signature == signature; i++)
        {
            (order[from], order[i]) = (order[i], order[from]);
            TryOrders(order, from + 1, names, ref least);
            (order[from], order[i]) = (order[i], order[from]);
        }
    }

    private ulong PrintIn(ReadOnlySpan<int> order, Span<byte> names)
    {
        ulong key = 0;
        for (int i = 0; i < order.Length; i++)
        {
            names[Nodes[order[i]].Id.Value] = (byte)(i + 1);
            key = key << 8 | Nodes[order[i]].Id.Value;
        }
        var print = new Fingerprint();
        print.Add((ulong)Proposals << 24 | (ulong)Crashes << 16 | (ulong)Timeouts << 8 | Beats);
        foreach (int i in order) print.Add(Nodes[i].Print(names, key));
        ulong net = 0;
        foreach (var f in Net) net += f.Named(names);
        print.Add(net);
        Ghost.AddTo(ref print, names);
        return print.Value;
    }
}
