namespace Quorate.Primitives.Tree;

/// <summary>What a request asks; the numbers are ZooKeeper's opcodes, so that a reader of a dump needs no table (zookeeper.md §1.4).</summary>
public enum TreeOp : byte
{
    /// <summary>In a transaction: nothing happened but an error. Never a request.</summary>
    Error = 0,
    Create = 1,
    Delete = 2,
    SetData = 5,
    SetAcl = 7,

    /// <summary>Legal inside a multi only.</summary>
    Check = 13,
    Multi = 14,
    Create2 = 15,
    CreateContainer = 19,

    /// <summary>The sweep's own: refused unless session 0 asks.</summary>
    DeleteContainer = 20,
    CreateTtl = 21,

    /// <summary>In a transaction: a multi whose sub-operation failed. Never a request.</summary>
    FailedMulti = 22,
}

/// <summary>ZooKeeper's error numbers, as far as the tree says them (zookeeper.md §1.6).</summary>
public static class TreeError
{
    public const int Ok = 0;
    public const int RuntimeInconsistency = -2;
    public const int Marshalling = -5;
    public const int Unimplemented = -6;
    public const int BadArguments = -8;
    public const int NoNode = -101;
    public const int NoAuth = -102;
    public const int BadVersion = -103;
    public const int NoChildrenForEphemerals = -108;
    public const int NodeExists = -110;
    public const int NotEmpty = -111;
    public const int InvalidAcl = -114;
}

/// <summary>The bits of an access entry.</summary>
public static class TreePerms
{
    public const int Read = 1;
    public const int Write = 2;
    public const int Create = 4;
    public const int Delete = 8;
    public const int Admin = 16;
    public const int All = 31;
}

/// <summary>The event numbers that go to <see cref="IApplySink.Event"/> (zookeeper.md §1.7).</summary>
public static class TreeEvent
{
    public const int Created = 1;

    /// <summary>Once a node: the face hands it to the data table, then to the child table.</summary>
    public const int Deleted = 2;
    public const int DataChanged = 3;

    /// <summary>At the parent; <c>access</c> is the parent's.</summary>
    public const int ChildrenChanged = 4;
}

/// <summary>What Stat.ephemeralOwner hides (zookeeper.md §2.3).</summary>
internal static class NodeOwner
{
    public const long None = 0;
    public const long Container = long.MinValue;
    public const long MaxTtl = 0xff_ffff_ffffL;
    private const long TtlMark = unchecked((long)0xff00_0000_0000_0000);

    public static long OfTtl(long ttl) => TtlMark | ttl;

    public static bool IsTtl(long owner) => (owner & TtlMark) == TtlMark;

    public static long Ttl(long owner) => owner & MaxTtl;

    /// <summary>A session owns it.</summary>
    public static bool IsSession(long owner) => owner != None && owner != Container && !IsTtl(owner);
}
