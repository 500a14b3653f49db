using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper;

/// <summary>Turns a write of the wire into the tree's own request, field by field while it is decoded: Jute never passes the face (DESIGN §2). What is judged by state is not judged here.</summary>
internal static class WriteTranslation
{
    /// <summary>Writes that need room in the log (sessions.md §4.4).</summary>
    public static bool NeedsRoom(int op) => op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl or OpCode.SetData or OpCode.SetAcl or OpCode.Multi;

    public static bool IsWrite(int op) => op == OpCode.Delete || NeedsRoom(op);

    /// <summary>Appends the request to <paramref name="into"/>; else the error that the client gets instead: the body cannot be decoded, so it gets no number.</summary>
    public static int Translate(int op, ref JuteReader r, ReadOnlySpan<byte> identities, ByteWriter into, ByteWriter scratch)
    {
        TreeRequests.Begin(into, identities);
        bool whole = op == OpCode.Multi ? Multi(ref r, into, scratch) : One(op, ref r, into, scratch, inMulti: false);
        return whole && r.Ok ? ErrorCode.Ok : ErrorCode.MarshallingError;
    }

    private static bool One(int op, ref JuteReader r, ByteWriter into, ByteWriter scratch, bool inMulti)
    {
        var path = r.String(scratch, out bool isNull);
        if (isNull || r.Failed) return false;
        switch (op)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                return Create(op, path, ref r, into, scratch, inMulti);
            case OpCode.Delete:
                TreeRequests.Delete(into, path, r.Int());
                return true;
            case OpCode.Check when inMulti:
                TreeRequests.Check(into, path, r.Int());
                return true;
            case OpCode.SetData:
                var data = r.Buffer(out bool dataIsNull);
                TreeRequests.SetData(into, path, data, dataIsNull, r.Int());
                return true;
            case OpCode.SetAcl when !inMulti:
                TreeRequests.SetAcl(into, path);
                Acls(ref r, into, scratch);
                TreeRequests.SetAclEnd(into, r.Int());
                return true;
            default:
                return false;
        }
    }

    private static bool Create(int op, ReadOnlySpan<byte> path, ref JuteReader r, ByteWriter into, ByteWriter scratch, bool inMulti)
    {
        var data = r.Buffer(out bool dataIsNull);
        // In a multi ZooKeeper makes a plain create of create2, so that its result is a path without a stat (zookeeper.md §1.5, row 69).
        var kind = inMulti && op == OpCode.Create2 ? TreeOp.Create : (TreeOp)op;
        TreeRequests.Create(into, kind, path, data, dataIsNull);
        Acls(ref r, into, scratch);
        int flags = r.Int();
        // 3.9 refuses to decode a multi with unknown flags; alone they are the tree's matter (zookeeper.md §1.5, row 75).
        if (inMulti && (uint)flags > 6) return false;
        TreeRequests.CreateEnd(into, flags, op == OpCode.CreateTtl ? r.Long() : -1);
        return true;
    }

    private static void Acls(ref JuteReader r, ByteWriter into, ByteWriter scratch)
    {
        int count = r.Count(12, out bool isNull);
        TreeRequests.Acls(into, isNull ? -1 : count);
        for (int i = 0; i < count && r.Ok; i++)
        {
            int perms = r.Int();
            var scheme = r.String(scratch, out _);
            var id = r.String(scratch, out _);
            TreeRequests.Acl(into, perms, scheme, id);
        }
    }

    private static bool Multi(ref JuteReader r, ByteWriter into, ByteWriter scratch)
    {
        int at = TreeRequests.Multi(into), count = 0;
        while (true)
        {
            int type = r.Int();
            bool done = r.Bool();
            r.Int();
            if (r.Failed) return false;
            if (done) break;
            if (type is not (OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl or OpCode.Delete or OpCode.SetData or OpCode.Check)) return false;
            if (!One(type, ref r, into, scratch, inMulti: true) || r.Failed) return false;
            count++;
        }
        TreeRequests.MultiEnd(into, at, count);
        return true;
    }
}
