namespace Quorate.Interop.Tests.Wire;

/// <summary>Opcodes (zookeeper.md §1.4) and the bodies of requests.</summary>
internal static class Op
{
    public const int Create = 1, Delete = 2, Exists = 3, GetData = 4, SetData = 5, GetAcl = 6, SetAcl = 7, GetChildren = 8, Sync = 9, Ping = 11, GetChildren2 = 12, Check = 13, Multi = 14, Create2 = 15;
    public const int CheckWatches = 17, RemoveWatches = 18, CreateContainer = 19, DeleteContainer = 20, CreateTtl = 21, MultiRead = 22;
    public const int Auth = 100, SetWatches = 101, GetEphemerals = 103, AllChildren = 104, SetWatches2 = 105, AddWatch = 106, WhoAmI = 107, CloseSession = -11;

    public static string Name(int op) => op switch
    {
        Create => "create", Delete => "delete", Exists => "exists", GetData => "getData", SetData => "setData", GetAcl => "getACL", SetAcl => "setACL", GetChildren => "getChildren", Sync => "sync", Ping => "ping",
        GetChildren2 => "getChildren2", Check => "check", Multi => "multi", Create2 => "create2", CheckWatches => "checkWatches", RemoveWatches => "removeWatches", CreateContainer => "createContainer",
        DeleteContainer => "deleteContainer", CreateTtl => "createTTL", MultiRead => "multiRead", Auth => "auth", SetWatches => "setWatches", GetEphemerals => "getEphemerals", AllChildren => "getAllChildrenNumber",
        SetWatches2 => "setWatches2", AddWatch => "addWatch", WhoAmI => "whoAmI", CloseSession => "closeSession", _ => "op" + op,
    };

    public static byte[] CreateBody(string? path, byte[]? data, Acl[]? acls, int flags) => new JuteWriter().String(path).Buffer(data).Acls(acls).Int(flags).ToArray();
    public static byte[] CreateTtlBody(string path, byte[]? data, Acl[]? acls, int flags, long ttl) => new JuteWriter().Raw(CreateBody(path, data, acls, flags)).Long(ttl).ToArray();
    public static byte[] PathVersion(string? path, int version) => new JuteWriter().String(path).Int(version).ToArray();
    public static byte[] PathWatch(string? path, bool watch) => new JuteWriter().String(path).Bool(watch).ToArray();
    public static byte[] SetDataBody(string? path, byte[]? data, int version) => new JuteWriter().String(path).Buffer(data).Int(version).ToArray();
    public static byte[] SetAclBody(string? path, Acl[]? acls, int version) => new JuteWriter().String(path).Acls(acls).Int(version).ToArray();
    public static byte[] JustPath(string? path) => new JuteWriter().String(path).ToArray();
    public static byte[] AuthBody(string scheme, string auth) => new JuteWriter().Int(0).String(scheme).Buffer(System.Text.Encoding.UTF8.GetBytes(auth)).ToArray();

    /// <summary>Sub-operations and the terminator (§1.5).</summary>
    public static byte[] MultiBody(params (int Op, byte[] Body)[] subs)
    {
        var w = new JuteWriter();
        foreach (var (op, body) in subs) w.Int(op).Bool(false).Int(-1).Raw(body);
        return w.Int(-1).Bool(true).Int(-1).ToArray();
    }
}
