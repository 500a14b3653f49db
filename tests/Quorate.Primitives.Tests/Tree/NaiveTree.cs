using System.Globalization;
using System.Text;
using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

public sealed record NaiveAcl(int Perms, string Scheme, string Id)
{
    public override string ToString() => $"{Perms}:{Scheme}:{Id}";
}

/// <summary>One operation of a request, as a test thinks of it.</summary>
public sealed record NaiveOp(TreeOp Op, string Path)
{
    public byte[]? Data { get; init; }
    public NaiveAcl[]? Acl { get; init; } = [new(31, "world", "anyone")];
    public int Flags { get; init; }
    public int Version { get; init; } = -1;
    public long Ttl { get; init; } = -1;
    public NaiveOp[] Subs { get; init; } = [];

    public bool IsCreate => Op is TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl;
}

public sealed class NaiveNode
{
    public byte[]? Data = [];
    public NaiveAcl[] Acl = [];
    public long Czxid, Mzxid, Pzxid, Ctime, Mtime, Owner, Ttl;
    public bool Container;
    public int Version, Cversion, Aversion;

    public NaiveNode Clone() => (NaiveNode)MemberwiseClone();
}

public sealed record NaiveEvent(int Type, string Path, long Zxid, string Acl);

/// <summary>
/// The tree as one would write it in an afternoon: a dictionary of strings, each request executed at once, a failed multi by restoring a copy. Written from zookeeper.md, not from the code that it judges.
/// Its results and dumps are text.
/// </summary>
public sealed class NaiveTree
{
    private static readonly NaiveAcl[] s_open = [new(31, "world", "anyone")];
    private SortedDictionary<string, NaiveNode> _nodes = new(StringComparer.Ordinal);
    private List<NaiveEvent> _events = [];

    public NaiveTree()
    {
        _nodes["/"] = new NaiveNode { Acl = s_open };
        _nodes["/zookeeper"] = new NaiveNode { Acl = s_open };
        _nodes["/zookeeper/quota"] = new NaiveNode { Acl = s_open };
        _nodes["/zookeeper/config"] = new NaiveNode { Acl = [new(1, "world", "anyone")], Aversion = -1 };
    }

    public IReadOnlyList<NaiveEvent> Events => _events;

    public IEnumerable<string> Paths => _nodes.Keys;

    public NaiveNode? Get(string path) => _nodes.GetValueOrDefault(path);

    public string Execute(NaiveOp op, long session, (string Scheme, string Id)[] ids, long zxid, long time)
    {
        _events = [];
        if (op.Op != TreeOp.Multi) return One(op, session, ids, zxid, time, alone: true);
        foreach (var sub in op.Subs)
            if (sub.Op is TreeOp.SetAcl or TreeOp.DeleteContainer or TreeOp.Multi || (sub.IsCreate && sub.Flags is < 0 or > 6)) return "Multi -5";
        var copy = new SortedDictionary<string, NaiveNode>(_nodes.ToDictionary(p => p.Key, p => p.Value.Clone()), StringComparer.Ordinal);
        var results = new List<string>();
        for (int i = 0; i < op.Subs.Length; i++)
        {
            string result = One(op.Subs[i], session, ids, zxid, time, alone: false);
            results.Add(result);
            if (!result.Contains(" -", StringComparison.Ordinal)) continue;
            _nodes = copy;
            _events = [];
            var all = op.Subs.Select((s, n) => n < i ? $"{s.Op} 0" : n == i ? result : $"{s.Op} -2");
            return "Failed[" + string.Join("; ", all) + "]";
        }
        return "Multi[" + string.Join("; ", results) + "]";
    }

    public void EndSession(long session, long zxid)
    {
        _events = [];
        foreach (var path in _nodes.Where(p => p.Value.Owner == session).OrderBy(p => p.Value.Czxid).ThenBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key).ToList()) Remove(path, zxid);
    }

    public string Dump() => string.Join("\n", _nodes.Select(p => $"{p.Key} {Stat(p.Key)} data={Show(p.Value.Data)} acl={ShowAcl(p.Value.Acl)}"));

    public string Stat(string path)
    {
        var n = _nodes[path];
        int children = Children(path);
        return string.Create(CultureInfo.InvariantCulture, $"{n.Czxid},{n.Mzxid},{n.Ctime},{n.Mtime},{n.Version},{2 * n.Cversion - children},{n.Aversion},{n.Owner},{n.Data?.Length ?? 0},{children},{n.Pzxid}");
    }

    public static string Show(byte[]? data) => data is null ? "null" : data.Length > 40 ? $"{data.Length}:{Convert.ToHexString(data[..8])}" : Encoding.Latin1.GetString(data);

    public static string ShowAcl(IEnumerable<NaiveAcl> acl) => string.Join("|", acl);

    public int Children(string path) => _nodes.Keys.Count(k => k != "/" && ParentOf(k) == path);

    private string One(NaiveOp op, long session, (string, string)[] ids, long zxid, long time, bool alone)
    {
        int error = op.Op switch
        {
            TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl => Create(op, session, ids, zxid, time, out string path) is var e && e == 0 ? Created(path) : e,
            TreeOp.Delete => Delete(op, ids, zxid),
            TreeOp.SetData => SetData(op, ids, zxid, time),
            TreeOp.SetAcl => SetAcl(op, ids),
            TreeOp.Check => alone ? -5 : Check(op, ids),
            TreeOp.DeleteContainer => DeleteContainer(op, session, zxid, time),
            _ => -5,
        };
        if (error != 0) return $"{op.Op} {error}";
        return op.Op switch
        {
            TreeOp.Create => $"{op.Op} 0 {_created}",
            TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl => $"{op.Op} 0 {_created} {Stat(_created)}",
            TreeOp.SetData or TreeOp.SetAcl => $"{op.Op} 0 {Stat(op.Path)}",
            _ => $"{op.Op} 0",
        };
    }

    private string _created = "";

    private int Created(string path)
    {
        _created = path;
        return 0;
    }

    private int Create(NaiveOp op, long session, (string, string)[] ids, long zxid, long time, out string path)
    {
        path = op.Path;
        bool ttl = op.Flags is 5 or 6;
        if (op.Flags is < 0 or > 6 || ttl != (op.Op == TreeOp.CreateTtl)) return -8;
        if (ttl && (op.Ttl <= 0 || op.Ttl > 1_099_511_627_775)) return -8;
        if (!path.Contains('/') || path.Contains('\0')) return -8;
        var acl = Fix(op.Acl, ids);
        if (acl is null) return -114;
        string parentPath = path[..path.LastIndexOf('/')];
        if (parentPath == "") parentPath = "/";
        if (!_nodes.TryGetValue(parentPath, out var parent)) return -101;
        if (!May(parent, 4, ids)) return -102;
        if (op.Flags is 2 or 3 or 6) path += parent.Cversion.ToString("D10", CultureInfo.InvariantCulture);
        if (!Valid(path)) return -8;
        if (_nodes.ContainsKey(path)) return -110;
        if (parent.Owner != 0) return -108;
        bool ephemeral = op.Op is TreeOp.Create or TreeOp.Create2 && op.Flags is 1 or 3;
        if (op.Op == TreeOp.CreateContainer) ephemeral = false;
        _nodes[path] = new NaiveNode
        {
            Data = op.Data, Acl = acl, Czxid = zxid, Mzxid = zxid, Pzxid = zxid, Ctime = time, Mtime = time,
            Owner = ephemeral ? session : 0, Ttl = ttl ? op.Ttl : 0, Container = op.Op == TreeOp.CreateContainer,
        };
        parent.Cversion++;
        parent.Pzxid = zxid;
        _events.Add(new NaiveEvent(1, path, zxid, ShowAcl(acl)));
        _events.Add(new NaiveEvent(4, parentPath, zxid, ShowAcl(parent.Acl)));
        return 0;
    }

    private int Delete(NaiveOp op, (string, string)[] ids, long zxid)
    {
        string path = op.Path;
        if (!path.Contains('/') || path.Contains('\0') || path is "/" or "/zookeeper" or "/zookeeper/quota" or "/zookeeper/config") return -8;
        string parentPath = path[..path.LastIndexOf('/')];
        if (parentPath == "") parentPath = "/";
        if (!_nodes.TryGetValue(parentPath, out var parent)) return -101;
        if (!May(parent, 8, ids)) return -102;
        if (!_nodes.TryGetValue(path, out var node)) return -101;
        if (op.Version != -1 && op.Version != node.Version) return -103;
        if (Children(path) > 0) return -111;
        Remove(path, zxid);
        return 0;
    }

    private int DeleteContainer(NaiveOp op, long session, long zxid, long time)
    {
        if (session != 0) return -8;
        if (!_nodes.TryGetValue(op.Path == "" ? "/" : op.Path, out var node)) return -101;
        if (Children(op.Path) > 0 || op.Path is "" or "/") return -111;
        bool due = node.Ttl > 0 ? time - node.Mtime > node.Ttl : node.Container && node.Cversion > 0;
        if (!due) return -103;
        Remove(op.Path, zxid);
        return 0;
    }

    private void Remove(string path, long zxid)
    {
        var node = _nodes[path];
        _nodes.Remove(path);
        string parentPath = ParentOf(path);
        var parent = _nodes[parentPath];
        parent.Pzxid = zxid;
        _events.Add(new NaiveEvent(2, path, zxid, ShowAcl(node.Acl)));
        _events.Add(new NaiveEvent(4, parentPath, zxid, ShowAcl(parent.Acl)));
    }

    private int SetData(NaiveOp op, (string, string)[] ids, long zxid, long time)
    {
        int error = Allowed(op.Path, 2, ids, out var node);
        if (error != 0) return error;
        if (op.Version != -1 && op.Version != node.Version) return -103;
        node.Version++;
        node.Mzxid = zxid;
        node.Mtime = time;
        node.Data = op.Data;
        _events.Add(new NaiveEvent(3, op.Path, zxid, ShowAcl(node.Acl)));
        return 0;
    }

    private int SetAcl(NaiveOp op, (string, string)[] ids)
    {
        if (!Valid(op.Path)) return -8;
        var acl = Fix(op.Acl, ids);
        if (acl is null) return -114;
        int error = Allowed(op.Path, 16, ids, out var node);
        if (error != 0) return error;
        if (op.Version != -1 && op.Version != node.Aversion) return -103;
        node.Aversion = node.Aversion == -2 ? 0 : node.Aversion + 1;
        node.Acl = acl;
        return 0;
    }

    private int Check(NaiveOp op, (string, string)[] ids)
    {
        int error = Allowed(op.Path, 1, ids, out var node);
        return error != 0 ? error : op.Version != -1 && op.Version != node.Version ? -103 : 0;
    }

    private int Allowed(string path, int perms, (string, string)[] ids, out NaiveNode node)
    {
        node = null!;
        if (!Valid(path)) return -8;
        if (!_nodes.TryGetValue(path, out node!)) return -101;
        return May(node, perms, ids) ? 0 : -102;
    }

    private static string ParentOf(string path) => path[..path.LastIndexOf('/')] is var p && p == "" ? "/" : p;

    private static bool May(NaiveNode node, int perms, (string Scheme, string Id)[] ids) =>
        ids.Any(i => i.Scheme == "super") || node.Acl.Any(a => (a.Perms & perms) != 0 && (a.Scheme == "world" || ids.Any(i => i.Scheme == a.Scheme && i.Id == a.Id)));

    private static NaiveAcl[]? Fix(NaiveAcl[]? acl, (string Scheme, string Id)[] ids)
    {
        if (acl is null || acl.Length == 0) return null;
        var list = new List<NaiveAcl>();
        foreach (var a in acl.Distinct())
        {
            if (a.Scheme == "auth")
            {
                var mine = ids.Where(i => i.Scheme is "digest" or "sasl" or "x509").ToList();
                if (mine.Count == 0) return null;
                list.AddRange(mine.Select(i => new NaiveAcl(a.Perms, i.Scheme, i.Id)));
                continue;
            }
            bool ok = a.Scheme switch
            {
                "world" => a.Id == "anyone",
                "digest" => a.Id.Split(':').Length == 2 && !a.Id.StartsWith(':') && !a.Id.EndsWith(':'),
                "ip" => System.Net.IPAddress.TryParse(a.Id, out _),
                _ => false,
            };
            if (!ok) return null;
            list.Add(a);
        }
        return [.. list];
    }

    private static bool Valid(string path)
    {
        if (path.Length == 0 || path[0] != '/') return false;
        if (path == "/") return true;
        foreach (var part in path[1..].Split('/'))
            if (part is "" or "." or "..") return false;
        return !path.Any(c => c is < ' ' or (>= '\x7f' and <= '\x9f') or (>= '\ud800' and <= '\uf8ff') or >= '\ufff0');
    }
}
