namespace Quorate.Primitives.Tree;

/// <summary>A znode: one cache line. What only a changed node, a parent or an owned node needs is in its <see cref="NodeSide"/>.</summary>
internal struct NodeRow
{
    /// <summary>Never a row's own list: the row is free.</summary>
    public const int FreeMark = -1;

    public ulong PathHash;
    public long Czxid, Ctime;

    /// <summary>0 for the root.</summary>
    public int Parent;

    /// <summary>The next sibling, 0 behind the last. In a free row: the next free one.</summary>
    public int Next;

    /// <summary>The sibling before; the first one's is the last of all.</summary>
    public int Previous;
    public uint Name, Data;
    public int NameLength;

    /// <summary>-1: null.</summary>
    public int DataLength;

    /// <summary>In <see cref="AccessLists"/>; <see cref="FreeMark"/> when the row is free.</summary>
    public int Access;

    /// <summary>0: a leaf that nobody owns and that was never changed.</summary>
    public int Side;

    public readonly int StoredLength => Math.Max(0, DataLength);
}

/// <summary>The other half of a znode that was changed, has or had children, or has an owner. Without one: mzxid = pzxid = czxid, mtime = ctime, all else 0.</summary>
internal struct NodeSide
{
    public long Mzxid, Pzxid, Mtime, Owner;
    public int Version;

    /// <summary>As stored: creations of children (zookeeper.md §2.2).</summary>
    public int Cversion;
    public int Aversion;

    /// <summary>In a free side: the next free one.</summary>
    public int FirstChild;
    public int Children;

    /// <summary>The list of what one owner has.</summary>
    public int OwnedNext, OwnedPrevious;
}
