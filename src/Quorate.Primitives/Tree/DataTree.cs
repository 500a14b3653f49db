namespace Quorate.Primitives.Tree;

/// <summary>
/// ZooKeeper's data tree (README.md). Rows of structs, names and data in slabs, one index by path hash: no object a znode. This part: the state and the few ways to change it; beside it reads, prepare, apply, snapshots and the sweep.
/// </summary>
public sealed partial class DataTree : IStateMachine, ISweepingMachine
{
    private const int Root = 1;

    private readonly TreeOptions _options;
    private readonly StructPool<NodeRow> _rows = new();
    private readonly StructPool<NodeSide> _sides = new();
    private readonly ByteSlabs _slabs = new();
    private readonly PathIndex _index;
    private readonly AccessLists _access = new();
    private readonly OwnedLists _owned;
    private int _freeRow, _freeSide, _nodes, _sideCount;
    private long _ephemerals, _pathAndDataBytes, _nameAndDataBytes;
    private ulong _digest;

    public DataTree(TreeOptions? options = null)
    {
        _options = options ?? new TreeOptions();
        _index = new PathIndex(_rows);
        _owned = new OwnedLists(_sides, _rows);
        _pending = new PendingChanges(_access);
        _byAge = CompareAge;
        _byName = CompareNames;
        PlantInitial();
    }

    public ulong Digest => _digest;

    public long RowCount => _nodes;

    public long EncodedBytes => (long)_nodes * SnapshotRowBytes + (long)_sideCount * SnapshotSideBytes + _nameAndDataBytes + _access.Bytes + 64;

    /// <summary>All znodes, the root once.</summary>
    public int NodeCount => _nodes;

    public long EphemeralCount => _ephemerals;

    /// <summary>Sessions that own znodes.</summary>
    public int EphemeralSessions => _owned.Sessions;

    /// <summary>Bytes of all paths and data: zk_approximate_data_size.</summary>
    public long DataBytes => _pathAndDataBytes;

    /// <summary>Bytes of memory that names and data have taken, free pieces included.</summary>
    public long SlabBytes => _slabs.Reserved;

    /// <summary>What a new server has: all stats zero (zookeeper.md §2.2).</summary>
    private void PlantInitial()
    {
        int root = TakeRow();
        ref var row = ref _rows[root];
        row.PathHash = TreePaths.RootHash;
        row.Access = AccessLists.Open;
        _access.Hold(AccessLists.Open);
        _nodes = 1;
        _pathAndDataBytes = 1;
        _index.Add(root);
        _digest = DataPrint(root) + StatPrint(root);

        Plant("/zookeeper"u8, AccessLists.Open);
        Plant("/zookeeper/quota"u8, AccessLists.Open);
        int config = Plant("/zookeeper/config"u8, AccessLists.ReadOnly);
        _digest -= StatPrint(config);
        Side(config).Aversion = -1;
        _digest += StatPrint(config);
    }

    private int Plant(ReadOnlySpan<byte> path, int access)
    {
        _access.Hold(access);
        return Insert(path, Find(TreePaths.Parent(path)), default, dataLength: 0, access, NodeOwner.None, zxid: 0, timeMillis: 0);
    }

    /// <summary>A new row under its parent, whose own stat the caller changes. Takes over the caller's hold on the access list.</summary>
    private int Insert(ReadOnlySpan<byte> path, int parent, ReadOnlySpan<byte> data, int dataLength, int access, long owner, long zxid, long timeMillis)
    {
        var name = TreePaths.Name(path);
        int node = TakeRow();
        ref var row = ref _rows[node];
        row.PathHash = TreePaths.ChildHash(_rows[parent].PathHash, name);
        row.Czxid = zxid;
        row.Ctime = timeMillis;
        row.Parent = parent;
        row.Name = _slabs.Store(name);
        row.NameLength = name.Length;
        row.Data = _slabs.Store(data);
        row.DataLength = dataLength;
        row.Access = access;
        if (owner != NodeOwner.None)
        {
            Side(node).Owner = owner;
            Own(node, owner);
        }
        LinkChild(parent, node);
        _index.Add(node);
        _nodes++;
        _pathAndDataBytes += path.Length + data.Length;
        _nameAndDataBytes += name.Length + data.Length;
        _digest += DataPrint(node) + StatPrint(node);
        return node;
    }

    /// <summary>Takes a childless row away; the caller changes its parent's stat and releases its access list.</summary>
    private void Delete(int node, int pathLength)
    {
        ref var row = ref _rows[node];
        _digest -= DataPrint(node) + StatPrint(node);
        _pathAndDataBytes -= pathLength + row.StoredLength;
        _nameAndDataBytes -= row.NameLength + row.StoredLength;
        _nodes--;
        _index.Remove(node);
        UnlinkChild(node);
        if (row.Side != 0)
        {
            long owner = _sides[row.Side].Owner;
            if (owner != NodeOwner.None) Disown(node, owner);
            DropSide(row.Side);
        }
        _slabs.Free(row.Name, row.NameLength);
        _slabs.Free(row.Data, row.StoredLength);
        row = new NodeRow { Access = NodeRow.FreeMark, Next = _freeRow };
        _freeRow = node;
    }

    private void SetData(int node, ReadOnlySpan<byte> data, int dataLength)
    {
        ref var row = ref _rows[node];
        _digest -= DataPrint(node);
        _pathAndDataBytes += data.Length - row.StoredLength;
        _nameAndDataBytes += data.Length - row.StoredLength;
        row.Data = _slabs.Replace(row.Data, row.StoredLength, data);
        row.DataLength = dataLength;
        _digest += DataPrint(node);
    }

    private int TakeRow()
    {
        int node = _freeRow;
        if (node != 0)
        {
            _freeRow = _rows[node].Next;
            _rows[node] = default;
        }
        else node = _rows.Extend();
        BornDuringSnapshot(node);
        return node;
    }

    /// <summary>The node's other half, made when it has none yet.</summary>
    private ref NodeSide Side(int node)
    {
        ref var row = ref _rows[node];
        if (row.Side != 0) return ref _sides[row.Side];
        int side = _freeSide;
        if (side != 0) _freeSide = _sides[side].FirstChild;
        else side = _sides.Extend();
        row.Side = side;
        _sideCount++;
        ref var s = ref _sides[side];
        s = new NodeSide { Mzxid = row.Czxid, Pzxid = row.Czxid, Mtime = row.Ctime };
        return ref s;
    }

    private void DropSide(int side)
    {
        _sides[side] = new NodeSide { FirstChild = _freeSide };
        _freeSide = side;
        _sideCount--;
    }

    private void LinkChild(int parent, int node)
    {
        ref var side = ref Side(parent);
        ref var row = ref _rows[node];
        side.Children++;
        row.Next = 0;
        if (side.FirstChild == 0)
        {
            side.FirstChild = row.Previous = node;
            return;
        }
        ref var first = ref _rows[side.FirstChild];
        row.Previous = first.Previous;
        _rows[first.Previous].Next = node;
        first.Previous = node;
    }

    private void UnlinkChild(int node)
    {
        ref var row = ref _rows[node];
        ref var side = ref _sides[_rows[row.Parent].Side];
        side.Children--;
        if (side.FirstChild == node) side.FirstChild = row.Next;
        else _rows[row.Previous].Next = row.Next;
        if (row.Next != 0) _rows[row.Next].Previous = row.Previous;
        else if (side.FirstChild != 0) _rows[side.FirstChild].Previous = row.Previous;
    }

    private void Own(int node, long owner)
    {
        _owned.Add(owner, _rows[node].Side, node);
        if (NodeOwner.IsSession(owner)) _ephemerals++;
    }

    private void Disown(int node, long owner)
    {
        _owned.Remove(owner, node);
        if (NodeOwner.IsSession(owner)) _ephemerals--;
    }

    // The digest is a sum over all nodes of two prints, so that a change of stat need not read the data, nor the other way round.
    private ulong DataPrint(int node)
    {
        ref var row = ref _rows[node];
        return Hash64.Of(_slabs.Span(row.Data, row.StoredLength), Hash64.Mix(row.PathHash, (ulong)row.DataLength));
    }

    private ulong StatPrint(int node)
    {
        ref var row = ref _rows[node];
        ulong h = Hash64.Mix(row.PathHash, (ulong)row.Czxid);
        h = Hash64.Mix(h, (ulong)row.Ctime);
        h = Hash64.Mix(h, _access.HashOf(row.Access));
        if (row.Side == 0)
        {
            h = Hash64.Mix(h, (ulong)row.Czxid);
            h = Hash64.Mix(h, (ulong)row.Czxid);
            h = Hash64.Mix(h, (ulong)row.Ctime);
            h = Hash64.Mix(h, 0);
            h = Hash64.Mix(h, 0);
            return Hash64.Mix(h, 0);
        }
        ref var side = ref _sides[row.Side];
        h = Hash64.Mix(h, (ulong)side.Mzxid);
        h = Hash64.Mix(h, (ulong)side.Pzxid);
        h = Hash64.Mix(h, (ulong)side.Mtime);
        h = Hash64.Mix(h, (ulong)side.Owner);
        h = Hash64.Mix(h, (ulong)(uint)side.Version << 32 | (uint)side.Cversion);
        return Hash64.Mix(h, (uint)side.Aversion);
    }
}
