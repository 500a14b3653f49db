namespace Quorate.Primitives.Tree;

/// <summary>Containers whose last child went, and TTL nodes whose time is over (zookeeper.md §2.3). Only the leader collects; prepare judges again.</summary>
public sealed partial class DataTree
{
    public void CollectSweep(long timeMillis, int max, List<byte[]> requests)
    {
        int end = requests.Count + max;
        Collect(_owned.FirstContainer, timeMillis, end, requests);
        Collect(_owned.FirstTtl, timeMillis, end, requests);
    }

    private void Collect(int node, long timeMillis, int end, List<byte[]> requests)
    {
        for (; node != 0 && requests.Count < end; node = _owned.Next(node))
        {
            ref var side = ref _sides[_rows[node].Side];
            if (side.Children > 0 || !IsDue(side.Owner, side.Cversion, _rows[node].Ctime, side.Mtime, timeMillis)) continue;
            var w = new ByteWriter(64);
            TreeRequests.Begin(w, Identities.Encode([]));
            TreeRequests.DeleteContainer(w, ScratchPath(node));
            requests.Add(w.Written.ToArray());
        }
    }

    /// <summary>A childless node of this owner may go.</summary>
    private bool IsDue(long owner, int cversion, long ctime, long mtime, long timeMillis)
    {
        if (NodeOwner.IsTtl(owner)) return timeMillis - mtime > NodeOwner.Ttl(owner);
        if (owner != NodeOwner.Container) return false;
        return cversion > 0 || (_options.ContainerMaxNeverUsedMillis > 0 && timeMillis - ctime > _options.ContainerMaxNeverUsedMillis);
    }
}
