using System.Text;
using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>Takes events as text, with the access list that they name as it is at that moment.</summary>
public sealed class EventLog : IApplySink
{
    public DataTree? Tree { get; set; }

    public List<NaiveEvent> Events { get; } = [];

    public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access) => Events.Add(new NaiveEvent(type, Encoding.UTF8.GetString(path), zxid, Bench.AclText(Tree!, access)));
}

/// <summary>Requests, results and dumps between a test's words and the tree's records.</summary>
public static class Bench
{
    public static byte[] Encode(NaiveOp op, (string, string)[] ids)
    {
        var w = new ByteWriter();
        TreeRequests.Begin(w, Identities.Encode(ids));
        Encode(w, op);
        return w.Written.ToArray();
    }

    public static string ResultText(ReadOnlySpan<byte> record)
    {
        var r = new TreeResult(record);
        if (!r.IsMulti) return One(r);
        var parts = new List<string>();
        while (r.Next()) parts.Add(One(r));
        Assert.Equal(r.Count, parts.Count);
        return (r.Failed ? "Failed[" : "Multi[") + string.Join("; ", parts) + "]";
    }

    public static string StatText(in TreeStat s) =>
        $"{s.Czxid},{s.Mzxid},{s.Ctime},{s.Mtime},{s.Version},{s.Cversion},{s.Aversion},{s.EphemeralOwner},{s.DataLength},{s.NumChildren},{s.Pzxid}";

    public static string AclText(DataTree tree, int access)
    {
        var list = new List<NaiveAcl>();
        var r = tree.Acl(access);
        while (r.Next()) list.Add(new NaiveAcl(r.Perms, Encoding.UTF8.GetString(r.Scheme), Encoding.UTF8.GetString(r.Id)));
        Assert.Equal(r.Count, list.Count);
        return NaiveTree.ShowAcl(list);
    }

    /// <summary>Every node by path, as <see cref="NaiveTree.Dump"/> shows them; found by walking, and found again by path.</summary>
    public static string Dump(DataTree tree)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var w = new ByteWriter();
        Visit(tree.Find("/"u8));
        Assert.Equal(tree.NodeCount, lines.Count);
        return string.Join("\n", lines.Select(l => $"{l.Key} {l.Value}"));

        void Visit(int node)
        {
            w.Clear();
            tree.WritePath(node, w);
            Assert.Equal(node, tree.Find(w.Written));
            var data = tree.DataIsNull(node) ? null : tree.Data(node).ToArray();
            lines.Add(Encoding.UTF8.GetString(w.Written), $"{StatText(tree.Stat(node))} data={NaiveTree.Show(data)} acl={AclText(tree, tree.Access(node))}");
            int[] children = tree.SortedChildren(node).ToArray();
            Assert.Equal(tree.ChildCount(node), children.Length);
            int siblings = 0;
            for (int child = tree.FirstChild(node); child != 0; child = tree.NextSibling(child)) siblings++;
            Assert.Equal(children.Length, siblings);
            for (int i = 1; i < children.Length; i++) Assert.True(tree.Name(children[i - 1]).SequenceCompareTo(tree.Name(children[i])) < 0);
            foreach (int child in children) Visit(child);
        }
    }

    private static string One(in TreeResult r)
    {
        string text = $"{r.Op} {r.Error}";
        if (r.Path.Length > 0) text += " " + Encoding.UTF8.GetString(r.Path);
        return r.HasStat ? text + " " + StatText(r.Stat) : text;
    }

    private static void Encode(ByteWriter w, NaiveOp op)
    {
        var path = Encoding.UTF8.GetBytes(op.Path);
        switch (op.Op)
        {
            case TreeOp.Delete: TreeRequests.Delete(w, path, op.Version); break;
            case TreeOp.Check: TreeRequests.Check(w, path, op.Version); break;
            case TreeOp.SetData: TreeRequests.SetData(w, path, op.Data, op.Data is null, op.Version); break;
            case TreeOp.DeleteContainer: TreeRequests.DeleteContainer(w, path); break;
            case TreeOp.SetAcl:
                TreeRequests.SetAcl(w, path);
                Acls(w, op.Acl);
                TreeRequests.SetAclEnd(w, op.Version);
                break;
            case TreeOp.Multi:
                int at = TreeRequests.Multi(w);
                foreach (var sub in op.Subs) Encode(w, sub);
                TreeRequests.MultiEnd(w, at, op.Subs.Length);
                break;
            default:
                TreeRequests.Create(w, op.Op, path, op.Data, op.Data is null);
                Acls(w, op.Acl);
                TreeRequests.CreateEnd(w, op.Flags, op.Ttl);
                break;
        }
    }

    private static void Acls(ByteWriter w, NaiveAcl[]? acl)
    {
        TreeRequests.Acls(w, acl?.Length ?? -1);
        foreach (var a in acl ?? []) TreeRequests.Acl(w, a.Perms, Encoding.UTF8.GetBytes(a.Scheme), Encoding.UTF8.GetBytes(a.Id));
    }
}
