using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper;

/// <summary>What is answered from the tree as it stands (zookeeper.md §1.4 to §1.6), straight into the output.</summary>
public sealed partial class ZooKeeperConnection
{
    private static bool IsKnown(int op) => op is (>= OpCode.Exists and <= OpCode.GetData) or OpCode.GetAcl or OpCode.GetChildren or OpCode.Sync or OpCode.Ping or OpCode.GetChildren2
        or (>= OpCode.Reconfig and <= OpCode.RemoveWatches) or OpCode.DeleteContainer or OpCode.MultiRead or OpCode.SetWatches or (>= OpCode.GetEphemerals and <= OpCode.WhoAmI);

    private void Execute(int xid, int op, JuteReader r, ushort identities)
    {
        switch (op)
        {
            case OpCode.Ping:
                _connection.Output.HeaderFrame(-2, _sessions.LastZxid, ErrorCode.Ok);
                return;
            case OpCode.Sync:
                Sync(xid, ref r);
                return;
            case OpCode.Exists or OpCode.GetData or OpCode.GetAcl or OpCode.GetChildren or OpCode.GetChildren2 or OpCode.GetAllChildrenNumber:
                ReadNode(xid, op, ref r, identities);
                return;
            case OpCode.MultiRead:
                MultiRead(xid, ref r, identities);
                return;
            case OpCode.GetEphemerals:
                GetEphemerals(xid, ref r);
                return;
            case OpCode.WhoAmI:
                WhoAmI(xid, identities);
                return;
            case OpCode.AddWatch:
                AddWatch(xid, ref r);
                return;
            case OpCode.CheckWatches or OpCode.RemoveWatches:
                CheckWatches(xid, op, ref r);
                return;
            case OpCode.SetWatches or OpCode.SetWatches2:
                SetWatches(xid, op, r);
                return;
            case OpCode.Reconfig:
                Refuse(xid, ErrorCode.ReconfigDisabled);
                return;
            case OpCode.DeleteContainer:
                Refuse(xid, ErrorCode.BadArguments);
                return;
            default:
                _connection.Output.HeaderFrame(xid, -1, ErrorCode.Unimplemented);
                End();
                return;
        }
    }

    private void Refuse(int xid, int error) => _connection.Output.HeaderFrame(xid, _sessions.LastZxid, error);

    private int BeginReply(int xid)
    {
        int frame = _connection.Output.BeginFrame();
        _connection.Output.ReplyHeader(xid, _sessions.LastZxid, ErrorCode.Ok);
        return frame;
    }

    private void EndReply(int frame) => _connection.Output.EndFrame(frame);

    /// <summary>The path comes back as it came, even null or nonsense.</summary>
    private void Sync(int xid, ref JuteReader r)
    {
        _face.Scratch.Clear();
        var path = r.String(_face.Scratch, out bool isNull);
        if (r.Failed)
        {
            Refuse(xid, ErrorCode.MarshallingError);
            return;
        }
        int frame = BeginReply(xid);
        _connection.Output.JuteBuffer(path, isNull);
        EndReply(frame);
    }

    /// <summary>Reads look at no path's form: what is not there is not there, and the empty string is the root (zookeeper.md §2.1).</summary>
    private void ReadNode(int xid, int op, ref JuteReader r, ushort identities)
    {
        _face.Scratch.Clear();
        var path = r.String(_face.Scratch, out bool isNull);
        bool watch = op is not (OpCode.GetAcl or OpCode.GetAllChildrenNumber) && r.Bool();
        if (isNull || r.Failed)
        {
            Refuse(xid, ErrorCode.MarshallingError);
            return;
        }
        if (op == OpCode.Exists && path.Contains((byte)0))
        {
            Refuse(xid, ErrorCode.BadArguments);
            return;
        }
        var tree = _face.Tree;
        int node = tree.Find(path);
        if (node != 0 && !Allowed(tree.Access(node), op == OpCode.GetAcl ? TreePerms.Read | TreePerms.Admin : TreePerms.Read, identities))
        {
            Refuse(xid, ErrorCode.NoAuth);
            return;
        }
        // Registered in the step that reads; on a missing node by exists only (zookeeper.md §1.7).
        if (watch && (node != 0 || op == OpCode.Exists)) _face.Watches.Add(Slot, path, op is OpCode.Exists or OpCode.GetData ? WatchModes.Data : WatchModes.Child);
        if (node == 0)
        {
            Refuse(xid, ErrorCode.NoNode);
            return;
        }
        if (op is OpCode.GetChildren or OpCode.GetChildren2 && tree.ChildCount(node) >= ChildList.LeastChildren)
        {
            BeginList(xid, node, op == OpCode.GetChildren2);
            return;
        }
        int frame = BeginReply(xid);
        WriteNode(op, node, identities);
        EndReply(frame);
    }

    private void WriteNode(int op, int node, ushort identities)
    {
        var w = _connection.Output;
        var tree = _face.Tree;
        switch (op)
        {
            case OpCode.GetData:
                w.JuteBuffer(tree.Data(node), tree.DataIsNull(node));
                break;
            case OpCode.GetChildren or OpCode.GetChildren2:
                WriteChildren(node);
                break;
            case OpCode.GetAcl:
                WriteAcl(tree.Access(node), identities);
                break;
            case OpCode.GetAllChildrenNumber:
                w.JuteInt((int)tree.Descendants(node));
                return;
        }
        if (op != OpCode.GetChildren) WriteStat(node);
    }

    private void WriteStat(int node) => _face.Tree.Stat(node).WriteBigEndian(_connection.Output.Take(TreeStat.Size));

    private void WriteChildren(int node)
    {
        var w = _connection.Output;
        var tree = _face.Tree;
        var children = tree.SortedChildren(node);
        w.JuteInt(children.Length);
        foreach (int child in children) w.JuteBuffer(tree.Name(child));
    }

    /// <summary>Who may not administer the node sees no digest (zookeeper.md §2.5).</summary>
    private void WriteAcl(int access, ushort identities)
    {
        var w = _connection.Output;
        bool masked = !Allowed(access, TreePerms.Admin, identities);
        var acl = _face.Tree.Acl(access);
        w.JuteInt(acl.Count);
        while (acl.Next())
        {
            w.JuteInt(acl.Perms);
            w.JuteBuffer(acl.Scheme);
            int colon = masked && acl.Scheme.SequenceEqual("digest"u8) ? acl.Id.IndexOf((byte)':') : -1;
            if (colon < 0)
            {
                w.JuteBuffer(acl.Id);
                continue;
            }
            w.JuteInt(colon + 2);
            w.Bytes(acl.Id[..(colon + 1)]);
            w.Byte((byte)'x');
        }
    }

    /// <summary>Each part is judged for itself; a part of another kind makes the whole undecodable. Watch flags inside are ignored (zookeeper.md §1.5).</summary>
    private void MultiRead(int xid, ref JuteReader r, ushort identities)
    {
        var w = _connection.Output;
        int frame = BeginReply(xid);
        _face.Scratch.Clear();
        while (true)
        {
            int type = r.Int();
            bool done = r.Bool();
            r.Int();
            if (r.Ok && done) break;
            var path = r.String(_face.Scratch, out bool isNull);
            r.Bool();
            if (r.Failed || isNull || type is not (OpCode.GetData or OpCode.GetChildren))
            {
                w.Length = frame;
                Refuse(xid, ErrorCode.MarshallingError);
                return;
            }
            int node = _face.Tree.Find(path);
            int error = node == 0 ? ErrorCode.NoNode : Allowed(_face.Tree.Access(node), TreePerms.Read, identities) ? ErrorCode.Ok : ErrorCode.NoAuth;
            w.MultiHeader(error == ErrorCode.Ok ? type : -1, false, error);
            if (error == ErrorCode.Ok) WriteNode(type, node, identities);
            else w.JuteInt(error);
        }
        w.MultiHeader(-1, true, -1);
        EndReply(frame);
    }

    /// <summary>Own ephemeral nodes whose path begins with the text, component or not (zookeeper.md §2.2).</summary>
    private void GetEphemerals(int xid, ref JuteReader r)
    {
        var scratch = _face.Scratch;
        scratch.Clear();
        var prefix = r.String(scratch, out _);
        if (r.Failed)
        {
            Refuse(xid, ErrorCode.MarshallingError);
            return;
        }
        var w = _connection.Output;
        int frame = BeginReply(xid), at = w.Length, count = 0;
        w.JuteInt(0);
        int mark = scratch.Length;
        for (int node = _face.Tree.FirstEphemeral(_sessionId); node != 0; node = _face.Tree.NextEphemeral(node))
        {
            scratch.Length = mark;
            _face.Tree.WritePath(node, scratch);
            var path = scratch.Written[mark..];
            if (!path.StartsWith(prefix)) continue;
            w.JuteBuffer(path);
            count++;
        }
        w.PatchInt32Big(at, count);
        EndReply(frame);
    }
}
