namespace Quorate.Primitives.Tree;

/// <summary>
/// Writes requests. The fields come in the order in which Jute brings them, so a face can translate while it decodes:
/// <code>
/// Begin(w, identities)
/// Create(w, op, path, data, isNull); Acls(w, count) { Acl(w, perms, scheme, id) }; CreateEnd(w, flags, ttl)
/// Delete(w, path, version) | SetData(w, path, data, isNull, version) | Check(w, path, version) | DeleteContainer(w, path)
/// SetAcl(w, path); Acls(w, count) { Acl(...) }; SetAclEnd(w, version)
/// int at = Multi(w); ...create, create2, createContainer, createTTL, delete, setData, check, each as above, without Begin...; MultiEnd(w, at, count)
/// </code>
/// Paths are UTF-8 bytes as received; a null path is the face's matter (-5). Null data stays apart from empty, a null list from an empty one.
/// </summary>
public static class TreeRequests
{
    /// <summary>Operations in one multi that prepare takes; the frame's size bounds them before.</summary>
    public const int MaxMultiOps = 100_000;

    /// <summary>Entries of one access list.</summary>
    public const int MaxAclEntries = 10_000;

    /// <summary>Begins every request: who asks, as <see cref="Identities.Encode"/> made it (the client's address is the pair of scheme ip).</summary>
    public static void Begin(ByteWriter w, ReadOnlySpan<byte> identities) => w.Sized(identities);

    /// <param name="w">Where to.</param>
    /// <param name="op">Create, Create2, CreateContainer or CreateTtl.</param>
    /// <param name="path">As received.</param>
    /// <param name="data">Its data.</param>
    /// <param name="dataIsNull">The data was null, not empty.</param>
    public static void Create(ByteWriter w, TreeOp op, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull)
    {
        w.Byte((byte)op);
        w.Sized(path);
        Data(w, data, dataIsNull);
    }

    /// <summary>Ends a create. <paramref name="ttl"/> counts for CreateTtl only.</summary>
    public static void CreateEnd(ByteWriter w, int flags, long ttl = -1)
    {
        w.Int32(flags);
        w.Int64(ttl);
    }

    /// <summary>Begins the access list: as many <see cref="Acl"/> as <paramref name="count"/> follow; -1 (or less) is the null list.</summary>
    public static void Acls(ByteWriter w, int count) => w.Int32(count);

    /// <summary>One entry; a null scheme or id is written empty.</summary>
    public static void Acl(ByteWriter w, int perms, ReadOnlySpan<byte> scheme, ReadOnlySpan<byte> id)
    {
        w.Int32(perms);
        w.Sized(scheme);
        w.Sized(id);
    }

    public static void Delete(ByteWriter w, ReadOnlySpan<byte> path, int version)
    {
        w.Byte((byte)TreeOp.Delete);
        w.Sized(path);
        w.Int32(version);
    }

    public static void SetData(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, int version)
    {
        w.Byte((byte)TreeOp.SetData);
        w.Sized(path);
        Data(w, data, dataIsNull);
        w.Int32(version);
    }

    public static void SetAcl(ByteWriter w, ReadOnlySpan<byte> path)
    {
        w.Byte((byte)TreeOp.SetAcl);
        w.Sized(path);
    }

    public static void SetAclEnd(ByteWriter w, int version) => w.Int32(version);

    public static void Check(ByteWriter w, ReadOnlySpan<byte> path, int version)
    {
        w.Byte((byte)TreeOp.Check);
        w.Sized(path);
        w.Int32(version);
    }

    public static void DeleteContainer(ByteWriter w, ReadOnlySpan<byte> path)
    {
        w.Byte((byte)TreeOp.DeleteContainer);
        w.Sized(path);
    }

    /// <summary>Begins a multi; hand the returned position to <see cref="MultiEnd"/>.</summary>
    public static int Multi(ByteWriter w)
    {
        w.Byte((byte)TreeOp.Multi);
        int at = w.Length;
        w.Int32(0);
        return at;
    }

    public static void MultiEnd(ByteWriter w, int at, int count) => w.PatchInt32(at, count);

    internal static void Data(ByteWriter w, ReadOnlySpan<byte> data, bool isNull)
    {
        if (isNull) w.Int32(-1);
        else w.Sized(data);
    }
}
