namespace Quorate.Primitives.Tree;

/// <summary>Applying: a transaction of results, so nothing is judged and nothing can fail; a transaction that does not fit the tree means that replicas differ, and stops this one.</summary>
public sealed partial class DataTree
{
    private readonly Comparison<int> _byAge;
    private readonly ByteWriter _comparedPath = new();
    private int[] _ending = new int[16];

    public void Apply(in ApplyContext context, ReadOnlySpan<byte> transaction, IApplySink sink, ByteWriter result)
    {
        var r = new ByteReader(transaction);
        var op = (TreeOp)r.Byte();
        var output = context.WantsResult ? result : null;
        switch (op)
        {
            case TreeOp.Error:
                ApplyError(ref r, output);
                break;
            case TreeOp.FailedMulti:
                ApplyFailedMulti(ref r, output);
                break;
            case TreeOp.Multi:
                int count = r.Int32();
                if (output is not null) TreeTransactions.Multi(output, count);
                for (int i = 0; i < count; i++) ApplyOne(context, (TreeOp)r.Byte(), ref r, sink, output);
                break;
            default:
                ApplyOne(context, op, ref r, sink, output);
                break;
        }
        if (!r.Ok || !r.AtEnd) throw new InvariantException("Tree.Transaction", $"index {context.Index}: {transaction.Length} bytes are no transaction");
    }

    public void ApplySessionEnd(in ApplyContext context, long session, IApplySink sink)
    {
        int count = _owned.Count(session);
        if (count == 0) return;
        if (_ending.Length < count) _ending = new int[Math.Max(count, _ending.Length * 2)];
        var nodes = _ending.AsSpan(0, count);
        bool sorted = true;
        int at = 0;
        for (int node = _owned.First(session); node != 0; node = _owned.Next(node))
        {
            sorted = sorted && (at == 0 || CompareAge(nodes[at - 1], node) < 0);
            nodes[at++] = node;
        }

        // By age, then path: a replica that was restored from a snapshot has its rows in another order.
        if (!sorted) nodes.Sort(_byAge);
        for (int i = 0; i < count; i++) Remove(context, nodes[i], ScratchPath(nodes[i]), sink);
    }

    private void ApplyOne(in ApplyContext context, TreeOp op, ref ByteReader r, IApplySink sink, ByteWriter? output)
    {
        switch (op)
        {
            case TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl:
                ApplyCreate(context, op, ref r, sink, output);
                break;
            case TreeOp.Delete or TreeOp.DeleteContainer:
                var path = r.Sized();
                Remove(context, Existing(path), path, sink);
                Done(output, op);
                break;
            case TreeOp.SetData:
                ApplySetData(context, ref r, sink, output);
                break;
            case TreeOp.SetAcl:
                ApplySetAcl(ref r, sink, output);
                break;
            case TreeOp.Check:
                Done(output, op);
                break;
            default:
                throw new InvariantException("Tree.Transaction", $"index {context.Index}: operation {(int)op}");
        }
    }

    private void ApplyCreate(in ApplyContext context, TreeOp op, ref ByteReader r, IApplySink sink, ByteWriter? output)
    {
        var path = r.Sized();
        var data = SubRequest.ReadData(ref r, out bool isNull);
        var acl = r.Sized();
        long owner = r.Int64();
        int cversion = r.Int32();
        int parent = Existing(TreePaths.Parent(path));

        sink.Changing(parent);
        BeforeChange(parent);
        int node = Insert(path, parent, data, isNull ? -1 : data.Length, _access.Intern(acl), owner, context.Zxid, context.TimeMillis);
        _digest -= StatPrint(parent);
        ref var side = ref Side(parent);
        side.Cversion = Math.Max(side.Cversion, cversion);
        side.Pzxid = Math.Max(side.Pzxid, context.Zxid);
        _digest += StatPrint(parent);

        sink.Event(TreeEvent.Created, path, context.Zxid, _rows[node].Access);
        sink.Event(TreeEvent.ChildrenChanged, TreePaths.ShownParent(path), context.Zxid, _rows[parent].Access);
        if (output is null) return;
        Done(output, op);
        output.Sized(path);
        if (op != TreeOp.Create) Stat(node).WriteTo(output.Take(TreeStat.Size));
    }

    private void ApplySetData(in ApplyContext context, ref ByteReader r, IApplySink sink, ByteWriter? output)
    {
        var path = r.Sized();
        var data = SubRequest.ReadData(ref r, out bool isNull);
        int version = r.Int32();
        int node = Existing(path);

        sink.Changing(node);
        BeforeChange(node);
        SetData(node, data, isNull ? -1 : data.Length);
        _digest -= StatPrint(node);
        ref var side = ref Side(node);
        side.Version = version;
        side.Mzxid = context.Zxid;
        side.Mtime = context.TimeMillis;
        _digest += StatPrint(node);

        sink.Event(TreeEvent.DataChanged, path, context.Zxid, _rows[node].Access);
        Done(output, TreeOp.SetData);
        if (output is not null) Stat(node).WriteTo(output.Take(TreeStat.Size));
    }

    private void ApplySetAcl(ref ByteReader r, IApplySink sink, ByteWriter? output)
    {
        int node = Existing(r.Sized());
        var acl = r.Sized();
        int aversion = r.Int32();

        sink.Changing(node);
        BeforeChange(node);
        _digest -= StatPrint(node);
        int before = _rows[node].Access;
        _rows[node].Access = _access.Intern(acl);
        _access.Release(before);
        Side(node).Aversion = aversion;
        _digest += StatPrint(node);

        Done(output, TreeOp.SetAcl);
        if (output is not null) Stat(node).WriteTo(output.Take(TreeStat.Size));
    }

    /// <summary>Deletes a node; its access list stands until the events were given.</summary>
    private void Remove(in ApplyContext context, int node, ReadOnlySpan<byte> path, IApplySink sink)
    {
        int parent = _rows[node].Parent, access = _rows[node].Access;
        if (node == Root || ChildCount(node) != 0) throw new InvariantException("Tree.Delete", $"index {context.Index}: the node has children");
        sink.Changing(parent);
        BeforeChange(node);
        BeforeChange(parent);
        Delete(node, path.Length);
        _digest -= StatPrint(parent);
        ref var side = ref Side(parent);
        side.Pzxid = Math.Max(side.Pzxid, context.Zxid);
        _digest += StatPrint(parent);

        sink.Event(TreeEvent.Deleted, path, context.Zxid, access);
        sink.Event(TreeEvent.ChildrenChanged, TreePaths.ShownParent(path), context.Zxid, _rows[parent].Access);
        _access.Release(access);
    }

    private int Existing(ReadOnlySpan<byte> path)
    {
        int node = Find(path);
        if (node == 0) throw new InvariantException("Tree.Apply", "a transaction names a node that does not exist");
        return node;
    }

    private static void ApplyError(ref ByteReader r, ByteWriter? output)
    {
        var op = (TreeOp)r.Byte();
        int error = r.Int32();
        if (output is not null) TreeTransactions.Error(output, op, error);
    }

    private static void ApplyFailedMulti(ref ByteReader r, ByteWriter? output)
    {
        int count = r.Count(5);
        var entries = r.Bytes(count * 5);
        if (output is null) return;
        TreeTransactions.FailedMulti(output, count);
        output.Bytes(entries);
    }

    private static void Done(ByteWriter? output, TreeOp op)
    {
        if (output is null) return;
        output.Byte((byte)op);
        output.Int32(0);
    }

    /// <summary>The order in which a session's nodes go.</summary>
    private int CompareAge(int x, int y)
    {
        int age = _rows[x].Czxid.CompareTo(_rows[y].Czxid);
        if (age != 0 || x == y) return age;
        _comparedPath.Clear();
        WritePath(x, _comparedPath);
        return _comparedPath.Written.SequenceCompareTo(ScratchPath(y));
    }
}
