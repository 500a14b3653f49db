namespace Quorate.Primitives.Tree;

/// <summary>One operation as decoded from a request; only its own fields are set.</summary>
internal ref struct SubRequest
{
    public TreeOp Op;
    public ReadOnlySpan<byte> Path, Data, Acl;
    public bool DataIsNull;
    public int Flags, Version;
    public long Ttl;

    public readonly bool IsCreate => Op is TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl;

    public readonly bool IsSequential => Flags is 2 or 3 or 6;

    /// <summary>Reads the operation's fields; an operation that is no sub-operation fails the reader.</summary>
    public static SubRequest Read(TreeOp op, scoped ref ByteReader r)
    {
        var sub = new SubRequest { Op = op };
        switch (op)
        {
            case TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl:
                sub.Path = r.Sized();
                sub.Data = ReadData(ref r, out sub.DataIsNull);
                sub.Acl = ReadAcl(ref r);
                sub.Flags = r.Int32();
                sub.Ttl = r.Int64();
                break;
            case TreeOp.Delete or TreeOp.Check:
                sub.Path = r.Sized();
                sub.Version = r.Int32();
                break;
            case TreeOp.SetData:
                sub.Path = r.Sized();
                sub.Data = ReadData(ref r, out sub.DataIsNull);
                sub.Version = r.Int32();
                break;
            case TreeOp.DeleteContainer:
                sub.Path = r.Sized();
                break;
            default:
                r.Fail();
                break;
        }
        return sub;
    }

    /// <summary>The list with its count before it; empty for the null list.</summary>
    public static ReadOnlySpan<byte> ReadAcl(scoped ref ByteReader r)
    {
        var whole = r;
        int count = r.Int32();
        for (int i = 0; i < count && r.Ok; i++)
        {
            r.Int32();
            r.Sized();
            r.Sized();
        }
        return count < 0 || !r.Ok ? default : whole.Bytes(r.Position - whole.Position);
    }

    public static ReadOnlySpan<byte> ReadData(scoped ref ByteReader r, out bool isNull)
    {
        int length = r.Int32();
        isNull = length == -1;
        return isNull ? default : r.Bytes(length);
    }
}
