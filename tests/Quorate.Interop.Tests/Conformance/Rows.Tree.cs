using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 25 to 46: paths and create modes.</summary>
internal static partial class Rows
{
    private static readonly string[] SpecialPaths = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];
    private static readonly string[] BadCharacters = ["\u0001", "\u001e", "\u007f", "\u0085", "\ue000", "\ufff0", "\U0001F600"];
    private static readonly string[] OddNames = ["...", ".x", "é", "a b", "雪", "a:b"];
    private static readonly int[] WrongFlags = [5, 6, 7, -1, 99];

    private static Row[] Paths =>
    [
        Shared("25", "creates that are refused by their path", s =>
        {
            var a = s.Session();
            a.Create(s.P("c1")).Err(0);
            a.Create("/").Err(-110);
            a.Create("").Err(-8);
            a.Create("c").Err(-8);
            a.Create(s.P("c1/")).Err(-8);
            a.Create("/..").Err(-8);
            a.Create(s.P("nope/x")).Err(-101);
        }),
        Shared("26", "odd parents", s =>
        {
            var a = s.Session();
            a.Create(s.P("a//b")).Err(-101);
            a.Create(s.P("c/")).Err(-101);
            a.Create(s.P("a/./b")).Err(-101);
        }),
        Shared("27", "characters that no path may have", s =>
        {
            var a = s.Session();
            foreach (var c in BadCharacters) a.Create(s.P("x" + c)).Err(-8);
            a.Create(s.P("x\0y")).Err(-8);
            a.Create(s.P(".")).Err(-8);
            a.SetData(s.P("..")).Err(-8);
            a.SetData(s.P("x\u0001")).Err(-8);
            a.SetAcl(s.P("x\u0001"), Acl.Open).Err(-8);
        }),
        Shared("28", "characters that a path may have", s =>
        {
            var a = s.Session();
            foreach (var n in OddNames)
            {
                a.Create(s.P(n)).Err(0).Path(s.P(n));
                a.Exists(s.P(n)).Err(0);
            }
        }),
        Shared("29", "bytes that are no UTF-8", s =>
        {
            var a = s.Session();
            var path = Joined(Bytes(s.P("x")), [0xff, 0xfe]);
            a.Call(Op.Create, new JuteWriter().Buffer(path).Buffer([]).Acls(Acl.Open).Int(0).ToArray()).Err(-8);
        }),
        // The root's Stat counts every row's namespace: only a new tree has the same at both.
        Fresh("30", "the empty string is the root", s =>
        {
            var a = s.Session();
            a.GetData("").Err(0);
            var empty = a.Body;
            a.GetData("/").Err(0);
            s.Is("same bytes", empty.SequenceEqual(a.Body), true);
        }),
        Shared("31", "exists with NUL", s => s.Session().Exists(s.P("a\0b")).Err(-8)),
        Shared("32", "reads of what is not there", s =>
        {
            var a = s.Session();
            foreach (var p in new[] { s.P("missing"), "odd", s.Root + "/", s.P("a//b") })
            {
                a.GetData(p).Err(-101);
                a.GetChildren(p).Err(-101);
                a.GetChildren2(p).Err(-101);
                a.Exists(p).Err(-101);
                a.GetAcl(p).Err(-101);
                a.AllChildren(p).Err(-101);
            }
        }),
        Shared("33", "delete of what may not go", s =>
        {
            var a = s.Session();
            foreach (var p in SpecialPaths) a.Delete(p).Err(-8);
        }),
        Shared("34", "delete with a slash behind", s =>
        {
            var a = s.Session();
            a.Create(s.P("c1")).Err(0);
            a.Delete(s.P("c1/")).Err(-101);
            a.Exists(s.P("c1")).Err(0);
        }),
        Shared("35", "children below /zookeeper", s =>
        {
            var a = s.Session();
            a.Create("/zookeeper/x").Err(0).Path("/zookeeper/x");
            a.Delete("/zookeeper/x").Err(0);
            a.Create("/zookeeper/config/x").Err(-102);
            a.Super();
            a.Create("/zookeeper/config/x").Err(0);
            a.Delete("/zookeeper/config/x").Err(0);
        }),
    ];

    private static Row[] CreateModes =>
    [
        Shared("36", "create twice", s =>
        {
            var a = s.Session();
            a.Create(s.P("c1"), 0, "x").Err(0).Path(s.P("c1"));
            a.Create(s.P("c1"), 0, "x").Err(-110);
        }),
        Shared("37", "create2 ephemeral, then its Stat by getData", s =>
        {
            var a = s.Session();
            a.Create2(s.P("e"), 1, "data").Err(0).Has("stat.ephemeralOwner", "session a").Has("stat.dataLength", 4);
            var first = a.Body[^68..];
            a.GetData(s.P("e")).Err(0).Has("data", "'data'");
            s.Is("same Stat byte for byte", first.AsSpan().SequenceEqual(a.Body.AsSpan(^68..)), true);
        }),
        Shared("38", "null and empty data are kept apart", s =>
        {
            var a = s.Session();
            a.Call(Op.Create, Op.CreateBody(s.P("null"), null, Acl.Open, 0)).Err(0);
            a.GetData(s.P("null")).Has("data", "null").Has("stat.dataLength", 0);
            a.Create(s.P("empty")).Err(0);
            a.GetData(s.P("empty")).Has("data", "''").Has("stat.dataLength", 0);
            a.Call(Op.SetData, Op.SetDataBody(s.P("empty"), null, -1)).Err(0);
            a.GetData(s.P("empty")).Has("data", "null");
        }),
        Shared("39", "sequence numbers and the wire's cversion", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            for (var i = 0; i < 3; i++) a.Create(s.P("p/s-"), 2).Err(0).Path(s.P("p/s-000000000" + i));
            a.Exists(s.P("p")).Has("stat.cversion", 3);
            a.Delete(s.P("p/s-0000000001")).Err(0);
            a.Exists(s.P("p")).Has("stat.cversion", 4).Has("stat.numChildren", 2);
            a.Create(s.P("p/s-"), 3).Err(0).Path(s.P("p/s-0000000003"));
        }),
        Shared("40", "a plain create uses up a number", s =>
        {
            var a = s.Session();
            a.Create(s.P("plain")).Err(0);
            a.Create(s.P("s-"), 2).Err(0).Path(s.P("s-0000000001"));
        }),
        Shared("41", "a sequential name that is the number alone", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            for (var i = 0; i < 3; i++) a.Create(s.P("p/c" + i)).Err(0);
            a.Create(s.P("p/"), 2).Err(0).Path(s.P("p/0000000003"));
        }),
        Shared("43", "flags that op 1 does not know", s =>
        {
            var a = s.Session();
            foreach (var f in WrongFlags) a.Create(s.P("n"), f).Err(-8);
            a.Exists(s.P("n")).Err(-101);
        }),
        Shared("44", "children of an ephemeral", s =>
        {
            var a = s.Session();
            a.Create(s.P("e"), 1).Err(0);
            a.Create(s.P("e/c")).Err(-108);
            a.Multi((Op.Create, Op.CreateBody(s.P("f"), [], Acl.Open, 1)), (Op.Create, Op.CreateBody(s.P("f/c"), [], Acl.Open, 0))).Err(0).Has("0.code", 0).Has("1.code", -108);
            a.Exists(s.P("f")).Err(-101);
        }),
        Shared("45", "createContainer, whatever its flags", s =>
        {
            var a = s.Session();
            foreach (var f in new[] { 0, 1, 4 }) a.CreateContainer(s.P("k" + f), f).Err(0).Path(s.P("k" + f)).Has("stat.ephemeralOwner", "0");
        }),
        Shared("46", "flags 4 by op 1: an ordinary node", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 4).Err(0).Path(s.P("n"));
            a.Exists(s.P("n")).Err(0).Has("stat.ephemeralOwner", "0");
        }),
    ];
}
