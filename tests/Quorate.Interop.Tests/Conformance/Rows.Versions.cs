using System.Text;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 56 to 68: versions, Stat, children.</summary>
internal static partial class Rows
{
    private static readonly Acl[] ReadOnlyAcl = [new(1, "world", "anyone")];

    private static Row[] Versions =>
    [
        Shared("56", "setData by version", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.SetData(s.P("n"), "x", 0).Err(0).Version(1);
            a.SetData(s.P("n"), "x", 0).Err(-103);
            a.SetData(s.P("n"), "xy", -1).Err(0).Version(2).Has("stat.dataLength", 2);
        }),
        Shared("57", "versions that never match", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.SetData(s.P("n"), "x", -2).Err(-103);
            a.SetData(s.P("n"), "x", 7).Err(-103);
            a.Delete(s.P("n"), 7).Err(-103);
        }),
        Shared("58", "writes to what is not there", s =>
        {
            var a = s.Session();
            a.SetData(s.P("n")).Err(-101);
            a.SetAcl(s.P("n"), Acl.Open).Err(-101);
            a.Delete(s.P("n")).Err(-101);
            a.Delete(s.P("p/n")).Err(-101);
        }),
        Shared("59", "delete of a node with children", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            a.Create(s.P("p/c")).Err(0);
            a.Delete(s.P("p")).Err(-111);
            a.Delete(s.P("p"), 5).Err(-103);
        }),
        Shared("60", "setACL by aversion", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.SetAcl(s.P("n"), Acl.Open, 0).Err(0).Has("stat.aversion", 1).Version(0);
            a.SetAcl(s.P("n"), Acl.Open, 0).Err(-103);
            var stat = a.Exists(s.P("n"));
            stat.Has("stat.mzxid", stat["stat.czxid"]);
        }),
        Shared("61", "what a child's coming and going does to the parent", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            var created = a.Create(s.P("p/c"));
            var before = a.Exists(s.P("p")).Version(0).Has("stat.cversion", 1).Has("stat.pzxid", created["zxid"]);
            before.Has("stat.mzxid", before["stat.czxid"]);
            var set = a.SetData(s.P("p/c"));
            set.Has("stat.mzxid", set["zxid"]);
            a.Exists(s.P("p")).Version(0).Has("stat.cversion", 1).Has("stat.pzxid", created["zxid"]);
            var deleted = a.Delete(s.P("p/c"));
            a.Exists(s.P("p")).Version(0).Has("stat.cversion", 2).Has("stat.pzxid", deleted["zxid"]).Has("stat.numChildren", 0);
        }),
        Fresh("62", "the Stats of a new tree", s =>
        {
            var a = s.Session();
            a.Exists("/").Err(0).Has("stat.cversion", -1).Has("stat.numChildren", 1).Has("stat.czxid", "0").Has("stat.ctime", "0");
            a.Exists("/zookeeper").Err(0).Has("stat.cversion", -2).Has("stat.numChildren", 2);
            a.Exists("/zookeeper/quota").Err(0);
            a.GetAcl("/").Err(0).Has("acl", "world:anyone:31");
            a.GetAcl("/zookeeper/config").Err(0).Has("acl", "world:anyone:1");
        }),
        Fresh("63", "/zookeeper/config of a server alone", s => s.Session().GetData("/zookeeper/config").Err(0).Has("stat.dataLength", 0).Has("stat.aversion", -1).Version(0)),
        Shared("64", "wrong version and no permission", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "", ReadOnlyAcl).Err(0);
            a.SetData(s.P("n"), "x", 7).Err(-102);
            a.SetAcl(s.P("n"), Acl.Open, 7).Err(-102);
        }),
    ];

    private static Row[] Children =>
    [
        Fresh("65", "the children of a new root", s =>
        {
            var a = s.Session();
            a.GetChildren("/").Err(0).Has("names", "zookeeper");
            a.GetChildren("/zookeeper").Err(0).Has("names", "config quota");
        }),
        Shared("66", "the children of a leaf", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.GetChildren2(s.P("n")).Err(0).Has("names", "").Has("stat.numChildren", 0);
            a.GetChildren(s.P("n")).Err(0).Has("names", "");
        }),
        Shared("67", "getAllChildrenNumber", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            a.Create(s.P("p/c")).Err(0);
            a.AllChildren(s.P("p")).Err(0).Has("number", 1);
            a.Create(s.P("p/c/d")).Err(0);
            a.Create(s.P("p2")).Err(0);
            a.AllChildren(s.P("p")).Err(0).Has("number", 2);
            a.AllChildren(s.P("p/c/d")).Err(0).Has("number", 0);
            a.AllChildren(s.P("missing")).Err(-101);
        }),
        Shared("68", "200 kB of names", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            var name = new StringBuilder().Append('n', 95).ToString();
            for (var i = 0; i < 4; i++)
                a.Multi([.. Enumerable.Range(500 * i, 500).Select(k => (Op.Create, Op.CreateBody(s.P("p/" + name + k.ToString("00000")), [], Acl.Open, 0)))]).Err(0).Has("count", 500);
            a.GetChildren(s.P("p")).Err(0).Has("names", "2000 names");
            s.Is("all of them", new JuteReader(a.Body).Strings().ToHashSet().Count, 2000);
            a.GetChildren2(s.P("p")).Err(0).Has("stat.numChildren", 2000);
            for (var i = 0; i < 4; i++)
                a.Multi([.. Enumerable.Range(500 * i, 500).Select(k => (Op.Delete, Op.PathVersion(s.P("p/" + name + k.ToString("00000")), -1)))]).Err(0);
            a.Exists(s.P("p")).Has("stat.numChildren", 0).Has("stat.cversion", 4000);
        }),
    ];
}
