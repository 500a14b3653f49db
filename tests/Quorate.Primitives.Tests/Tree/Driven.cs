using System.Text;
using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>One tree, each request prepared and applied at once; zxids count from 1.</summary>
public sealed class Driven
{
    public const long Session = 0x0100_0000_0000_0001;

    public DataTree Tree { get; }
    public EventLog Log { get; } = new();
    public (string, string)[] Ids { get; set; } = [("ip", "127.0.0.1")];
    public long Zxid { get; private set; }
    public long Time { get; set; } = 1000;

    private readonly ByteWriter _transaction = new(), _result = new();

    public Driven(TreeOptions? options = null)
    {
        Tree = new DataTree(options);
        Log.Tree = Tree;
    }

    public string Do(NaiveOp op, long session = Session, int maxBytes = 1 << 22) => Do(Bench.Encode(op, Ids), session, maxBytes);

    public string Do(byte[] request, long session = Session, int maxBytes = 1 << 22)
    {
        _transaction.Clear();
        _result.Clear();
        Log.Events.Clear();
        Zxid++;
        Tree.Prepare(new PrepareContext(Zxid, session, Time, maxBytes), request, _transaction);
        Tree.Apply(new ApplyContext(Zxid, Zxid, Time, session, true), _transaction.Written, Log, _result);
        Tree.ReleasePending(Zxid);
        Assert.Equal(0, Tree.PendingCount);
        return Bench.ResultText(_result.Written);
    }

    /// <summary>Error of a create with these flags.</summary>
    public string Create(string path, int flags = 0, TreeOp op = TreeOp.Create, long ttl = -1, string? data = "") =>
        Do(new NaiveOp(op, path) { Flags = flags, Ttl = ttl, Data = data is null ? null : Encoding.UTF8.GetBytes(data) });

    public string Delete(string path, int version = -1) => Do(new NaiveOp(TreeOp.Delete, path) { Version = version });

    public string Set(string path, int version = -1, string? data = "") => Do(new NaiveOp(TreeOp.SetData, path) { Version = version, Data = data is null ? null : Encoding.UTF8.GetBytes(data) });

    public string SetAcl(string path, NaiveAcl[]? acl, int version = -1) => Do(new NaiveOp(TreeOp.SetAcl, path) { Acl = acl, Version = version });

    public string Multi(params NaiveOp[] subs) => Do(new NaiveOp(TreeOp.Multi, "") { Subs = subs });

    public void End(long session = Session)
    {
        Log.Events.Clear();
        Zxid++;
        Tree.PrepareSessionEnd(Zxid, session);
        Tree.ApplySessionEnd(new ApplyContext(Zxid, Zxid, Time, session, false), session, Log);
        Tree.ReleasePending(Zxid);
    }

    public TreeStat Stat(string path) => Tree.Stat(Node(path));

    public int Node(string path) => Tree.Find(Encoding.UTF8.GetBytes(path));

    public string Events() => string.Join(" ", Log.Events.Select(e => $"{e.Type}({e.Path})"));
}
