namespace Quorate.Primitives.Tree;

/// <summary>
/// Judging, at the leader, over the tree and the pending changes (sessions.md §2): a request becomes a transaction of results. The order in which errors are found is ZooKeeper's (zookeeper.md §1.6, "Precedence inside one op").
/// </summary>
public sealed partial class DataTree
{
    private readonly PendingChanges _pending;
    private readonly ByteWriter _acl = new();
    private readonly ByteWriter _finalPath = new();
    private readonly ByteWriter _owner = new();

    /// <summary>Nodes with pending changes.</summary>
    public int PendingCount => _pending.Count;

    public void Prepare(in PrepareContext context, ReadOnlySpan<byte> request, ByteWriter transaction)
    {
        int start = transaction.Length;
        var r = new ByteReader(request);
        var asker = new Asker { Identities = r.Sized(), Session = context.Session, TimeMillis = context.TimeMillis, MaxBytes = context.MaxBytes };
        var op = (TreeOp)r.Byte();
        int error = r.Failed ? TreeError.Marshalling : op == TreeOp.Multi ? PrepareMulti(asker, ref r, transaction) : PrepareAlone(op, asker, ref r, transaction);
        if (error == 0 && transaction.Length - start > context.MaxBytes) error = TreeError.Marshalling;
        if (error == 0)
        {
            _pending.Commit(context.Sequence);
            return;
        }
        _pending.Rollback();
        transaction.Length = start;
        TreeTransactions.Error(transaction, op, error);
    }

    public void PrepareSessionEnd(long sequence, long session)
    {
        for (int node = _owned.First(session); node != 0; node = _owned.Next(node)) EndOwned(ScratchPath(node), _rows[node].PathHash, session);
        for (int entry = _pending.FirstOwned(session); entry != 0; entry = _pending.NextOwned(entry))
        {
            ref readonly var facts = ref _pending.Facts(entry);
            if (!facts.Exists || facts.Owner != session) continue;
            _owner.Clear();
            _owner.Bytes(_pending.Path(entry));
            EndOwned(_owner.Written, _pending.Hash(entry), session);
        }
        _pending.Commit(sequence);
    }

    public void ReleasePending(long sequence) => _pending.Release(sequence);

    public void ResetPending() => _pending.Clear();

    private int PrepareAlone(TreeOp op, in Asker asker, ref ByteReader r, ByteWriter transaction)
    {
        if (op == TreeOp.SetAcl) return PrepareSetAcl(asker, ref r, transaction);
        var sub = SubRequest.Read(op, ref r);
        if (!r.Ok || !r.AtEnd) return TreeError.Marshalling;
        return op switch
        {
            TreeOp.Check => TreeError.Marshalling,
            TreeOp.DeleteContainer => PrepareDeleteContainer(asker, sub.Path, transaction),
            _ => PrepareSub(asker, sub, transaction),
        };
    }

    /// <summary>Decodes the whole before it judges anything: what cannot be decoded is -5 for all (zookeeper.md §1.5).</summary>
    private int PrepareMulti(in Asker asker, ref ByteReader r, ByteWriter transaction)
    {
        int count = r.Count(9);
        if (count > TreeRequests.MaxMultiOps) return TreeError.Marshalling;
        var scan = r;
        for (int i = 0; i < count; i++)
        {
            var sub = SubRequest.Read((TreeOp)scan.Byte(), ref scan);
            if (scan.Failed || sub.Op == TreeOp.DeleteContainer || (sub.IsCreate && sub.Flags is < 0 or > 6)) return TreeError.Marshalling;
        }
        if (!scan.Ok || !scan.AtEnd) return TreeError.Marshalling;

        int start = transaction.Length, failed = -1, error = 0;
        var again = r;
        TreeTransactions.Multi(transaction, count);
        for (int i = 0; i < count && failed < 0; i++)
        {
            error = PrepareSub(asker, SubRequest.Read((TreeOp)again.Byte(), ref again), transaction);
            if (error != 0) failed = i;
            else if (transaction.Length - start > asker.MaxBytes) return TreeError.Marshalling;
        }
        if (failed < 0) return 0;

        _pending.Rollback();
        transaction.Length = start;
        TreeTransactions.FailedMulti(transaction, count);
        for (int i = 0; i < count; i++)
        {
            var sub = SubRequest.Read((TreeOp)r.Byte(), ref r);
            transaction.Byte((byte)sub.Op);
            transaction.Int32(i < failed ? 0 : i == failed ? error : TreeError.RuntimeInconsistency);
        }
        return 0;
    }

    private int PrepareSub(in Asker asker, in SubRequest sub, ByteWriter transaction) => sub.Op switch
    {
        TreeOp.Delete => PrepareDelete(asker, sub.Path, sub.Version, transaction),
        TreeOp.SetData => PrepareSetData(asker, sub, transaction),
        TreeOp.Check => PrepareCheck(asker, sub, transaction),
        _ => PrepareCreate(asker, sub, transaction),
    };

    private int PrepareCreate(in Asker asker, in SubRequest sub, ByteWriter transaction)
    {
        int error = JudgeMode(sub, asker.Session, out long owner);
        if (error != 0) return error;
        if (sub.Path.IndexOf((byte)'/') < 0 || sub.Path.IndexOf((byte)0) >= 0) return TreeError.BadArguments;
        _acl.Clear();
        if (!AccessRules.Normalize(sub.Acl, asker.Identities, asker.MaxBytes, _acl)) return TreeError.InvalidAcl;
        var parentPath = TreePaths.Parent(sub.Path);
        if (!Look(parentPath, out ulong parentHash, out var parent)) return TreeError.NoNode;
        if (!Allows(parent.Access, TreePerms.Create, asker.Identities)) return TreeError.NoAuth;

        var path = sub.IsSequential ? WithSuffix(sub.Path, parent.Cversion) : sub.Path;
        if (!TreePaths.IsValid(path)) return TreeError.BadArguments;
        if (Look(path, out ulong hash, out var node)) return TreeError.NodeExists;
        if (NodeOwner.IsSession(parent.Owner)) return TreeError.NoChildrenForEphemerals;

        // The stored counter sticks at its end (zookeeper.md §2.2).
        var changed = parent;
        if (changed.Cversion < int.MaxValue) changed.Cversion++;
        changed.Children++;
        _pending.Change(parentHash, TreePaths.IsRoot(parentPath) ? "/"u8 : parentPath, parent, changed);
        int access = _access.Intern(_acl.Written);
        var born = new NodeFacts { Exists = true, Access = access, Owner = owner, Mtime = asker.TimeMillis, Ctime = asker.TimeMillis };
        _pending.Change(hash, path, node, born);
        _access.Release(access);
        TreeTransactions.Create(transaction, sub.Op, path, sub.Data, sub.DataIsNull, _acl.Written, owner, changed.Cversion);
        return 0;
    }

    /// <summary>Flags and TTL, before anything else is looked at. createTTL with flags that are no TTL's would kill ZooKeeper when applied; here it is -8 (zookeeper.md §1.4, Poison).</summary>
    private int JudgeMode(in SubRequest sub, long session, out long owner)
    {
        owner = NodeOwner.None;
        if (sub.Flags is < 0 or > 6) return TreeError.BadArguments;
        bool ttlMode = sub.Flags >= 5;
        if ((ttlMode || sub.Op == TreeOp.CreateTtl) && !_options.ExtendedTypes) return TreeError.Unimplemented;
        if (ttlMode != (sub.Op == TreeOp.CreateTtl)) return TreeError.BadArguments;
        if (ttlMode)
        {
            if (sub.Ttl is <= 0 or > NodeOwner.MaxTtl) return TreeError.BadArguments;
            owner = NodeOwner.OfTtl(sub.Ttl);
        }
        else if (sub.Op == TreeOp.CreateContainer) owner = NodeOwner.Container;
        else if (sub.Flags is 1 or 3)
        {
            // Nobody's ephemeral would be a persistent node.
            if (!NodeOwner.IsSession(session)) return TreeError.BadArguments;
            owner = session;
        }
        return 0;
    }

    private int PrepareDelete(in Asker asker, ReadOnlySpan<byte> path, int version, ByteWriter transaction)
    {
        if (path.IndexOf((byte)'/') < 0 || path.IndexOf((byte)0) >= 0 || TreePaths.IsSpecial(path)) return TreeError.BadArguments;
        if (!Look(TreePaths.Parent(path), out _, out var parent)) return TreeError.NoNode;
        if (!Allows(parent.Access, TreePerms.Delete, asker.Identities)) return TreeError.NoAuth;
        if (!Look(path, out ulong hash, out var node)) return TreeError.NoNode;
        if (version != -1 && version != node.Version) return TreeError.BadVersion;
        if (node.Children > 0) return TreeError.NotEmpty;
        Gone(path, hash, node);
        TreeTransactions.Delete(transaction, TreeOp.Delete, path);
        return 0;
    }

    /// <summary>The sweep's: only what is still due goes, so a node that was made anew since it was collected stays.</summary>
    private int PrepareDeleteContainer(in Asker asker, ReadOnlySpan<byte> path, ByteWriter transaction)
    {
        if (asker.Session != 0) return TreeError.BadArguments;
        if (!Look(path, out ulong hash, out var node)) return TreeError.NoNode;
        if (node.Children > 0) return TreeError.NotEmpty;
        if (!IsDue(node.Owner, node.Cversion, node.Ctime, node.Mtime, asker.TimeMillis)) return TreeError.BadVersion;
        Gone(path, hash, node);
        TreeTransactions.Delete(transaction, TreeOp.DeleteContainer, path);
        return 0;
    }

    private int PrepareSetData(in Asker asker, in SubRequest sub, ByteWriter transaction)
    {
        int error = LookAllowed(asker, sub.Path, TreePerms.Write, out ulong hash, out var node);
        if (error != 0) return error;
        if (sub.Version != -1 && sub.Version != node.Version) return TreeError.BadVersion;
        var changed = node;
        changed.Version = Following(node.Version);
        changed.Mtime = asker.TimeMillis;
        _pending.Change(hash, sub.Path, node, changed);
        TreeTransactions.SetData(transaction, sub.Path, sub.Data, sub.DataIsNull, changed.Version);
        return 0;
    }

    private int PrepareCheck(in Asker asker, in SubRequest sub, ByteWriter transaction)
    {
        int error = LookAllowed(asker, sub.Path, TreePerms.Read, out _, out var node);
        if (error != 0) return error;
        if (sub.Version != -1 && sub.Version != node.Version) return TreeError.BadVersion;
        TreeTransactions.Check(transaction);
        return 0;
    }

    private int PrepareSetAcl(in Asker asker, ref ByteReader r, ByteWriter transaction)
    {
        var path = r.Sized();
        var acl = SubRequest.ReadAcl(ref r);
        int version = r.Int32();
        if (!r.Ok || !r.AtEnd) return TreeError.Marshalling;
        if (!TreePaths.IsValid(path)) return TreeError.BadArguments;
        _acl.Clear();
        if (!AccessRules.Normalize(acl, asker.Identities, asker.MaxBytes, _acl)) return TreeError.InvalidAcl;
        int error = LookAllowed(asker, path, TreePerms.Admin, out ulong hash, out var node);
        if (error != 0) return error;
        if (version != -1 && version != node.Aversion) return TreeError.BadVersion;
        var changed = node;
        changed.Aversion = Following(node.Aversion);
        changed.Access = _access.Intern(_acl.Written);
        _pending.Change(hash, path, node, changed);
        _access.Release(changed.Access);
        TreeTransactions.SetAcl(transaction, path, _acl.Written, changed.Aversion);
        return 0;
    }

    /// <summary>Path, existence, permission, in this order.</summary>
    private int LookAllowed(in Asker asker, ReadOnlySpan<byte> path, int perms, out ulong hash, out NodeFacts node)
    {
        hash = 0;
        node = default;
        if (!TreePaths.IsValid(path)) return TreeError.BadArguments;
        if (!Look(path, out hash, out node)) return TreeError.NoNode;
        return Allows(node.Access, perms, asker.Identities) ? 0 : TreeError.NoAuth;
    }

    /// <summary>A node as all prepared transactions leave it.</summary>
    private bool Look(ReadOnlySpan<byte> path, out ulong hash, out NodeFacts facts)
    {
        facts = default;
        if (!TreePaths.TryHash(path, out hash)) return false;
        if (path.IsEmpty) path = "/"u8;
        if (_pending.TryGet(hash, path, out facts, out _)) return facts.Exists;
        int node = Find(hash, path);
        if (node == 0) return false;
        facts = FactsOf(node);
        return true;
    }

    private NodeFacts FactsOf(int node)
    {
        ref var row = ref _rows[node];
        var facts = new NodeFacts { Exists = true, Access = row.Access, Ctime = row.Ctime, Mtime = row.Ctime };
        if (row.Side == 0) return facts;
        ref var side = ref _sides[row.Side];
        facts.Version = side.Version;
        facts.Cversion = side.Cversion;
        facts.Aversion = side.Aversion;
        facts.Children = side.Children;
        facts.Owner = side.Owner;
        facts.Mtime = side.Mtime;
        return facts;
    }

    private void EndOwned(ReadOnlySpan<byte> path, ulong hash, long session)
    {
        if (Look(path, out _, out var node) && node.Owner == session) Gone(path, hash, node);
    }

    /// <summary>The node goes, and its parent has a child less.</summary>
    private void Gone(ReadOnlySpan<byte> path, ulong hash, in NodeFacts node)
    {
        _pending.Change(hash, path, node, default);
        var parentPath = TreePaths.Parent(path);
        if (parentPath.IsEmpty) parentPath = "/"u8;
        Look(parentPath, out ulong parentHash, out var parent);
        var changed = parent;
        changed.Children--;
        _pending.Change(parentHash, parentPath, parent, changed);
    }

    private ReadOnlySpan<byte> WithSuffix(ReadOnlySpan<byte> path, int number)
    {
        _finalPath.Clear();
        _finalPath.Bytes(path);
        var digits = _finalPath.Take(10);
        for (int i = 9; i >= 0; i--, number /= 10) digits[i] = (byte)('0' + number % 10);
        return _finalPath.Written;
    }

    // -1 in a request means any version, so none may be -1.
    private static int Following(int version) => unchecked(version + 1) is var next && next == -1 ? 0 : next;

    private ref struct Asker
    {
        public ReadOnlySpan<byte> Identities;
        public long Session, TimeMillis;
        public int MaxBytes;
    }
}
