using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 69 to 80: multi and multiRead.</summary>
internal static partial class Rows
{
    private const string Terminator = "ffffffff01ffffffff";

    private static (int, byte[]) C(string path, int flags = 0) => (Op.Create, Op.CreateBody(path, [], Acl.Open, flags));
    private static (int, byte[]) C2(string path) => (Op.Create2, Op.CreateBody(path, [], Acl.Open, 0));
    private static (int, byte[]) D(string path, int version = -1) => (Op.Delete, Op.PathVersion(path, version));
    private static (int, byte[]) W(string path, string data, int version = -1) => (Op.SetData, Op.SetDataBody(path, Bytes(data), version));
    private static (int, byte[]) Check(string path, int version) => (Op.Check, Op.PathVersion(path, version));

    private static Row[] Multis =>
    [
        // A create2 in a multi is answered as a create, path alone (MultiOperationRecord decodes both into Op.Create): live 3.8.0, and the same code in 3.9.
        Shared("69", "six kinds of sub-operation", s =>
        {
            var a = s.Session();
            a.Multi(C(s.P("n")), W(s.P("n"), "x", 0), Check(s.P("n"), 1), C2(s.P("m")), D(s.P("m")), C(s.P("s-"), 2)).Err(0)
                .Has("0.type", 1).Has("1.type", 5).Has("2.type", 13).Has("3.type", 1).Has("3.path", s.P("m")).Has("4.type", 2).Has("5.type", 1).Has("end", "-1 -1").Has("count", 6).Has("1.stat.version", 1).Has("5.path", s.P("s-0000000002"));
            s.Is("terminator", Convert.ToHexStringLower(a.Body[^9..]), Terminator);
            a.Multi((Op.CreateContainer, Op.CreateBody(s.P("k"), [], Acl.Open, 4)), (Op.CreateTtl, Op.CreateTtlBody(s.P("t"), [], Acl.Open, 5, 1000000))).Err(0).Has("0.type", 15).Has("1.type", 15).Has("1.stat.ephemeralOwner", "0");
        }),
        Shared("70", "a check that fails in the middle", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.Multi(C(s.P("x")), Check(s.P("n"), 9), C(s.P("y"))).Err(0).Has("0.code", 0).Has("1.code", -103).Has("2.code", -2).Has("0.type", -1).Has("1.err", -103);
            a.Exists(s.P("x")).Err(-101);
            a.Exists(s.P("y")).Err(-101);
        }),
        Shared("71", "the bytes of a single failing operation", s =>
        {
            var a = s.Session();
            a.Multi(D(s.P("missing"))).Err(0);
            s.Is("delete", Convert.ToHexStringLower(a.Body), "ffffffff00ffffff9bffffff9b" + Terminator);
            a.Multi(C(s.Root)).Err(0);
            s.Is("create", Convert.ToHexStringLower(a.Body), "ffffffff00ffffff92ffffff92" + Terminator);
        }),
        Shared("72", "two sets of one node", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.Multi(W(s.P("n"), "1"), W(s.P("n"), "22")).Err(0).Has("0.stat.version", 1).Has("1.stat.version", 2).Has("0.stat.dataLength", 1).Has("1.stat.dataLength", 2);
        }),
        Shared("73", "an empty multi", s =>
        {
            var a = s.Session();
            a.Ping();
            var before = a.Seen;
            a.Multi().Err(0).Has("count", 0);
            s.Is("bytes", Convert.ToHexStringLower(a.Body), Terminator);
            s.Is("zxids taken", a.Seen - before, 1);
        }),
        Shared("74", "what may not stand in a multi", s =>
        {
            var a = s.Session();
            a.Multi(C(s.P("n")), (Op.SetAcl, Op.SetAclBody(s.P("n"), Acl.Open, -1))).Err(-5);
            a.Multi(C(s.P("n")), (Op.GetData, Op.PathWatch(s.Root, false))).Err(-5);
            a.Multi(C(s.P("n")), (Op.Exists, Op.PathWatch(s.Root, false))).Err(-5);
            a.Call(Op.Multi, Op.MultiBody(C(s.P("n")))[..^12]).Err(-5);
            a.Exists(s.P("n")).Err(-101);
        }),
        Shared("75", "bad create flags inside", s =>
        {
            var a = s.Session();
            a.Multi(C(s.P("n")), C(s.P("m"), 99)).Err(-5);
            a.Exists(s.P("n")).Err(-101);
        }),
        Shared("76", "one zxid and one time for all", s =>
        {
            var a = s.Session();
            var step = a.Multi(C2(s.P("n")), (Op.CreateContainer, Op.CreateBody(s.P("m"), [], Acl.Open, 4)), W(s.P("n"), "x")).Err(0);
            step.Has("1.stat.czxid", step["zxid"]).Has("1.stat.pzxid", step["zxid"]).Has("2.stat.mzxid", step["zxid"]).Has("2.stat.czxid", step["zxid"]);
            var n = new JuteReader(a.Body, a.Body.Length - 9 - 68).Stat();
            a.Exists(s.P("m")).Err(0);
            var m = new JuteReader(a.Body).Stat();
            s.Is("one time", n.Mtime == m.Ctime && n.Ctime == m.Mtime, true);
        }),
        Shared("76b", "later sub-operations see the earlier ones; a failing multi takes one zxid and changes nothing", s =>
        {
            var a = s.Session();
            a.Multi(C(s.P("p")), C(s.P("p/c")), D(s.P("p/c")), D(s.P("p"))).Err(0).Has("count", 4);
            a.Exists(s.P("p")).Err(-101);
            var before = a.Seen;
            a.Multi(C(s.P("p")), C(s.P("p/s-"), 2), C(s.P("p/s-"), 2), D(s.P("p"))).Err(0).Has("3.code", -111).Has("0.code", 0);
            s.Is("zxids taken", a.Seen - before, 1);
            a.Exists(s.P("p")).Err(-101);
            a.Create(s.P("p")).Err(0);
            a.Create(s.P("p/s-"), 2).Err(0).Path(s.P("p/s-0000000000"));
        }),
    ];

    private static (int, byte[]) Get(string path, bool watch = false) => (Op.GetData, Op.PathWatch(path, watch));
    private static (int, byte[]) List(string path, bool watch = false) => (Op.GetChildren, Op.PathWatch(path, watch));

    private static Row[] MultiReads =>
    [
        Shared("77", "two that are there and one that is not", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "x").Err(0);
            a.MultiRead(Get(s.P("n")), List(s.Root), Get(s.P("missing"))).Err(0).Has("0.type", 4).Has("0.data", "'x'").Has("1.type", 8).Has("1.names", "n").Has("2.type", -1).Has("2.code", -101);
        }),
        Shared("78", "the watch flag does nothing", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.MultiRead(Get(s.P("n"), true), List(s.P("n"), true)).Err(0);
            a.SetData(s.P("n")).Err(0).Events();
            a.Create(s.P("n/c")).Err(0).Events();
        }),
        Shared("79", "an empty multiRead", s =>
        {
            var a = s.Session();
            a.MultiRead().Err(0).Has("count", 0);
            s.Is("bytes", Convert.ToHexStringLower(a.Body), Terminator);
        }),
        Shared("80", "what may not stand in a multiRead; a node without READ", s =>
        {
            var a = s.Session();
            a.MultiRead(Get(s.Root), (Op.Exists, Op.PathWatch(s.Root, false))).Err(-5);
            a.MultiRead(W(s.Root, "x")).Err(-5);
            a.Create(s.P("n"), 0, "", [new Acl(2, "world", "anyone")]).Err(0);
            a.MultiRead(Get(s.P("n")), Get(s.Root)).Err(0).Has("0.type", -1).Has("0.code", -102).Has("1.type", 4);
        }),
    ];
}
