namespace Quorate.Primitives.Tree;

/// <summary>What the face reads. A node is a number, 0 for none, good until the next Apply. Nothing here allocates.</summary>
public sealed partial class DataTree
{
    private readonly Comparison<int> _byName;
    private int[] _scratchRows = new int[16];
    private byte[] _scratchPath = new byte[256];

    /// <summary>0 when there is none; a string that can be no path is none. The empty path is the root.</summary>
    public int Find(ReadOnlySpan<byte> path) => TreePaths.TryHash(path, out ulong hash) ? Find(hash, path) : 0;

    public TreeStat Stat(int node)
    {
        ref var row = ref _rows[node];
        if (row.Side == 0) return new TreeStat(row.Czxid, row.Czxid, row.Ctime, row.Ctime, 0, 0, 0, 0, row.StoredLength, 0, row.Czxid);
        ref var side = ref _sides[row.Side];
        return new TreeStat(
            row.Czxid, side.Mzxid, row.Ctime, side.Mtime, side.Version, unchecked(2 * side.Cversion - side.Children), side.Aversion,
            NodeOwner.IsSession(side.Owner) ? side.Owner : 0, row.StoredLength, side.Children, side.Pzxid);
    }

    /// <summary>The data; empty also when it is null.</summary>
    public ReadOnlySpan<byte> Data(int node) => _slabs.Span(_rows[node].Data, _rows[node].StoredLength);

    public bool DataIsNull(int node) => _rows[node].DataLength < 0;

    /// <summary>The number of the node's access list.</summary>
    public int Access(int node) => _rows[node].Access;

    /// <summary>The entries of an access list. Ids are whole: masking digests is the asker's matter (zookeeper.md §2.5).</summary>
    public AclReader Acl(int access) => new(_access.BytesOf(access));

    /// <summary>These identities (<see cref="Identities.Encode"/>) may do any one of <paramref name="perms"/>.</summary>
    public bool Allows(int access, int perms, ReadOnlySpan<byte> identities) =>
        (_access.WorldPerms(access) & perms) != 0 || _options.SkipAcl || AccessRules.Allows(_access.BytesOf(access), perms, identities);

    public int ChildCount(int node) => _rows[node].Side == 0 ? 0 : _sides[_rows[node].Side].Children;

    public int FirstChild(int node) => _rows[node].Side == 0 ? 0 : _sides[_rows[node].Side].FirstChild;

    public int NextSibling(int node) => _rows[node].Next;

    /// <summary>The last component of its path.</summary>
    public ReadOnlySpan<byte> Name(int node) => _slabs.Span(_rows[node].Name, _rows[node].NameLength);

    /// <summary>Children by name, bytewise, in the tree's own scratch: good until the next call. Names that were created in order cost one pass.</summary>
    public ReadOnlySpan<int> SortedChildren(int node)
    {
        int count = ChildCount(node);
        var children = Scratch(count);
        int at = 0;
        bool sorted = true;
        for (int child = FirstChild(node); child != 0; child = NextSibling(child))
        {
            sorted = sorted && (at == 0 || Name(children[at - 1]).SequenceCompareTo(Name(child)) <= 0);
            children[at++] = child;
        }
        if (!sorted) children.Sort(_byName);
        return children;
    }

    /// <summary>Appends the node's whole path.</summary>
    public void WritePath(int node, ByteWriter into) => FillPath(node, into.Take(PathLength(node)));

    /// <summary>Nodes below this one (getAllChildrenNumber): walks them all.</summary>
    public long Descendants(int node)
    {
        if (node == Root) return _nodes - 1;
        long count = 0;
        for (int at = Below(node, node); at != 0; at = Below(at, node)) count++;
        return count;
    }

    /// <summary>The first of the session's ephemerals, 0 when it has none.</summary>
    public int FirstEphemeral(long session) => _owned.First(session);

    public int NextEphemeral(int node) => _owned.Next(node);

    private int Find(ulong hash, ReadOnlySpan<byte> path)
    {
        int probe = 0;
        while (true)
        {
            int node = _index.Find(hash, ref probe);
            if (node == 0 || IsAt(node, path)) return node;
        }
    }

    private bool IsAt(int node, ReadOnlySpan<byte> path)
    {
        if (TreePaths.IsRoot(path)) return node == Root;
        while (node != Root)
        {
            ref var row = ref _rows[node];
            int start = path.Length - row.NameLength;
            if (start < 1 || path[start - 1] != '/' || !path[start..].SequenceEqual(_slabs.Span(row.Name, row.NameLength))) return false;
            path = path[..(start - 1)];
            node = row.Parent;
        }
        return path.IsEmpty;
    }

    private int PathLength(int node)
    {
        if (node == Root) return 1;
        int length = 0;
        for (; node != Root; node = _rows[node].Parent) length += _rows[node].NameLength + 1;
        return length;
    }

    private void FillPath(int node, Span<byte> path)
    {
        path[0] = (byte)'/';
        for (int end = path.Length; node != Root; node = _rows[node].Parent)
        {
            var name = Name(node);
            name.CopyTo(path[(end - name.Length)..]);
            end -= name.Length + 1;
            path[end] = (byte)'/';
        }
    }

    /// <summary>The node's path in the tree's own scratch.</summary>
    private ReadOnlySpan<byte> ScratchPath(int node)
    {
        int length = PathLength(node);
        if (length > _scratchPath.Length) _scratchPath = new byte[Math.Max(length, _scratchPath.Length * 2)];
        FillPath(node, _scratchPath.AsSpan(0, length));
        return _scratchPath.AsSpan(0, length);
    }

    private Span<int> Scratch(int count)
    {
        if (_scratchRows.Length < count) _scratchRows = new int[Math.Max(count, _scratchRows.Length * 2)];
        return _scratchRows.AsSpan(0, count);
    }

    /// <summary>The next node in preorder within a subtree; 0 behind the last.</summary>
    private int Below(int node, int top)
    {
        int child = FirstChild(node);
        if (child != 0) return child;
        for (; node != top; node = _rows[node].Parent)
            if (_rows[node].Next != 0) return _rows[node].Next;
        return 0;
    }

    private int CompareNames(int x, int y) => Name(x).SequenceCompareTo(Name(y));
}
