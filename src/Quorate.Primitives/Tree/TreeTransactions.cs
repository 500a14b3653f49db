namespace Quorate.Primitives.Tree;

/// <summary>
/// Transactions: results, never conditions. First byte the operation; an error is (0, operation, code), a failed multi (22, count, then operation and code of each), a multi (14, count, then each).
/// Paths are final, versions are new, access lists are as kept.
/// </summary>
internal static class TreeTransactions
{
    public static void Error(ByteWriter w, TreeOp op, int error)
    {
        w.Byte((byte)TreeOp.Error);
        w.Byte((byte)op);
        w.Int32(error);
    }

    public static void Create(ByteWriter w, TreeOp op, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> acl, long owner, int parentCversion)
    {
        w.Byte((byte)op);
        w.Sized(path);
        TreeRequests.Data(w, data, dataIsNull);
        w.Sized(acl);
        w.Int64(owner);
        w.Int32(parentCversion);
    }

    public static void Delete(ByteWriter w, TreeOp op, ReadOnlySpan<byte> path)
    {
        w.Byte((byte)op);
        w.Sized(path);
    }

    public static void SetData(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, int version)
    {
        w.Byte((byte)TreeOp.SetData);
        w.Sized(path);
        TreeRequests.Data(w, data, dataIsNull);
        w.Int32(version);
    }

    public static void SetAcl(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> acl, int aversion)
    {
        w.Byte((byte)TreeOp.SetAcl);
        w.Sized(path);
        w.Sized(acl);
        w.Int32(aversion);
    }

    public static void Check(ByteWriter w) => w.Byte((byte)TreeOp.Check);

    public static void Multi(ByteWriter w, int count)
    {
        w.Byte((byte)TreeOp.Multi);
        w.Int32(count);
    }

    public static void FailedMulti(ByteWriter w, int count)
    {
        w.Byte((byte)TreeOp.FailedMulti);
        w.Int32(count);
    }
}
