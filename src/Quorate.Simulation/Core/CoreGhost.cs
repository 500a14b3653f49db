namespace Quorate.Simulation.Core;

/// <summary>States by position, against which every replica's is held: what <see cref="Protocols.Raft.RaftGlobalInvariants"/> cannot see, because a protocol knows no state machine.</summary>
internal sealed class CoreGhost
{
    private readonly List<(long Index, ulong Digest, int Node)> _digests = [];

    /// <summary>ReplicasEqual: equal positions, equal states.</summary>
    public void OnDigest(int node, long index, ulong digest)
    {
        int at = _digests.Count;
        while (at > 0 && _digests[at - 1].Index > index) at--;
        if (at > 0 && _digests[at - 1].Index == index)
        {
            var other = _digests[at - 1];
            if (other.Digest != digest) throw new BreachException("ReplicasEqual", $"n{node} and n{other.Node} differ at {index}");
            return;
        }
        _digests.Insert(at, (index, digest, node));
    }
}
