using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 81 to 101: watches of all kinds.</summary>
internal static partial class Rows
{
    private static Row[] OneShots =>
    [
        Shared("81", "a data watch and an own setData: the event comes first", s =>
        {
            var a = s.Session();
            a.Create(s.P("v")).Err(0);
            a.GetData(s.P("v"), true).Err(0);
            a.SetData(s.P("v")).Err(0).Events("3 " + s.P("v"));
        }),
        Shared("82", "the frame of an event", s =>
        {
            var a = s.Session();
            a.Create(s.P("v")).Err(0);
            a.GetData(s.P("v"), true).Err(0);
            a.Send(RawConnection.Request(77, Op.SetData, Op.SetDataBody(s.P("v"), [], -1)));
            var e = Reply.Parse(a.Frame()!);
            var r = Reply.Parse(a.Frame()!);
            s.Is("xid", e.Xid, -1);
            s.Is("err", e.Err, 0);
            s.Is("body", Convert.ToHexStringLower(e.Body), "00000003" + "00000003" + Convert.ToHexStringLower(new JuteWriter().String(s.P("v")).ToArray()));
            s.Is("zxid", e.Zxid == r.Zxid ? "the change's" : e.Zxid.ToString(), "the change's");
            s.Is("reply behind it", r.Xid, 77);
        }),
        Shared("83", "a create wakes exists on the node and getChildren on the parent", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            a.Exists(s.P("p/n"), true).Err(-101);
            a.GetChildren(s.P("p"), true).Err(0);
            a.Create(s.P("p/n")).Err(0).Events("1 " + s.P("p/n"), "4 " + s.P("p"));
        }),
        Shared("84", "a delete wakes each watcher once", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            a.Create(s.P("p/n")).Err(0);
            a.GetData(s.P("p/n"), true).Err(0);
            a.GetChildren(s.P("p/n"), true).Err(0);
            a.GetChildren2(s.P("p"), true).Err(0);
            a.Delete(s.P("p/n")).Err(0).Events("2 " + s.P("p/n"), "4 " + s.P("p"));
        }),
        Shared("85", "getData and getChildren leave no watch on a missing node", s =>
        {
            var a = s.Session();
            a.GetData(s.P("n"), true).Err(-101);
            a.GetChildren(s.P("n"), true).Err(-101);
            a.Create(s.P("n")).Err(0).Events();
            a.Quiet();
        }),
        Shared("86", "setACL wakes nobody", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.GetData(s.P("n"), true).Err(0);
            a.Exists(s.P("n"), true).Err(0);
            a.GetChildren(s.P("n"), true).Err(0);
            a.AddWatch(s.P("n"), 0).Err(0);
            a.SetAcl(s.P("n"), Acl.Open).Err(0).Events();
            a.Quiet();
        }),
        Shared("87", "exists and getData on one node: one event", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.Exists(s.P("n"), true).Err(0);
            a.GetData(s.P("n"), true).Err(0);
            a.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
        }),
        Shared("88", "a one-shot fires once", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.GetData(s.P("n"), true).Err(0);
            a.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
            a.SetData(s.P("n")).Err(0).Events();
        }),
        Shared("89", "a child's data is nothing to the parent's child watch", s =>
        {
            var a = s.Session();
            a.Create(s.P("p")).Err(0);
            a.Create(s.P("p/c")).Err(0);
            a.GetChildren(s.P("p"), true).Err(0);
            a.SetData(s.P("p/c")).Err(0).Events();
            a.SetData(s.P("p")).Err(0).Events();
        }),
        Shared("90", "an event that its watcher may not read is not told, and the watch is used up", s =>
        {
            var a = s.Session();
            var b = s.Session();
            a.Auth("digest", "u:p").Err(0);
            a.Create(s.P("n")).Err(0);
            b.GetData(s.P("n"), true).Err(0);
            a.SetAcl(s.P("n"), [new Acl(31, "digest", Digest("u", "p"))]).Err(0);
            a.SetData(s.P("n")).Err(0);
            b.Quiet();
            a.SetAcl(s.P("n"), Acl.Open).Err(0);
            a.SetData(s.P("n")).Err(0);
            b.Quiet();
        }),
        Shared("90b", "watches of another session, in the order of the changes, before a read that shows them", s =>
        {
            var a = s.Session();
            var b = s.Session();
            a.Create(s.P("x")).Err(0);
            a.Create(s.P("y")).Err(0);
            b.GetData(s.P("x"), true).Err(0);
            b.GetData(s.P("y"), true).Err(0);
            b.GetChildren(s.Root, true).Err(0);
            a.Multi(W(s.P("y"), "1"), C(s.P("z")), W(s.P("x"), "1"), W(s.P("y"), "2")).Err(0);
            b.GetData(s.P("x")).Err(0).Has("data", "'1'").Events("3 " + s.P("y"), "4 " + s.Root, "3 " + s.P("x"));
            a.Quiet();
        }),
    ];

    private static Row[] Persistent =>
    [
        Shared("91", "persistent, from before the node to after it", s =>
        {
            var a = s.Session();
            var n = s.P("n");
            a.AddWatch(n, 0).Err(0).Has("number", 0);
            a.Create(n).Err(0).Events("1 " + n);
            a.Create(n + "/c").Err(0).Events("4 " + n);
            a.SetData(n).Err(0).Events("3 " + n);
            a.SetData(n + "/c").Err(0).Events();
            a.Delete(n + "/c").Err(0).Events("4 " + n);
            a.Delete(n).Err(0).Events("2 " + n);
            a.Create(n).Err(0).Events("1 " + n);
        }),
        Shared("92", "recursive: every descendant, and never 4", s =>
        {
            var a = s.Session();
            var n = s.P("n");
            a.AddWatch(n, 1).Err(0).Has("number", 0);
            a.Create(n).Err(0).Events("1 " + n);
            a.Create(n + "/c").Err(0).Events("1 " + n + "/c");
            a.Create(n + "/c/g").Err(0).Events("1 " + n + "/c/g");
            a.SetData(n + "/c").Err(0).Events("3 " + n + "/c");
            a.Delete(n + "/c/g").Err(0).Events("2 " + n + "/c/g");
            a.Delete(n + "/c").Err(0).Events("2 " + n + "/c");
            a.Delete(n).Err(0).Events("2 " + n);
            a.Create(s.P("nn")).Err(0).Events();
        }),
        Shared("93", "persistent and one-shot on one path, two changes", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.AddWatch(s.P("n"), 0).Err(0);
            a.GetData(s.P("n"), true).Err(0);
            a.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
            a.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
        }),
        Shared("94", "addWatch with a mode that is none; with paths that are none", s =>
        {
            var a = s.Session();
            a.AddWatch(s.Root, 9).Err(-5);
            a.AddWatch("xx", 0).Err(0).Has("number", 0);
            a.AddWatch("", 0).Err(0).Has("number", 0);
        }),
    ];

    private static Row[] SetWatchesRows =>
    [
        Shared("95", "setWatches tells what was missed, in its order, and arms the rest", s =>
        {
            var a = s.Session();
            foreach (var n in new[] { "d1", "d2", "d3", "c1", "c2", "c3" }) a.Create(s.P(n)).Err(0);
            var z = a.Seen;
            a.SetData(s.P("d1")).Err(0);
            a.Delete(s.P("d2")).Err(0);
            a.Create(s.P("e1")).Err(0);
            a.Create(s.P("c1/x")).Err(0);
            a.Delete(s.P("c2")).Err(0);
            var b = s.Session();
            b.SetWatches(z, [s.P("d1"), s.P("d2"), s.P("d3")], [s.P("e1"), s.P("e2")], [s.P("c1"), s.P("c2"), s.P("c3")]).Err(0).Has("xid", -8)
                .Events("3 " + s.P("d1"), "2 " + s.P("d2"), "1 " + s.P("e1"), "4 " + s.P("c1"), "2 " + s.P("c2"));
            b.SetData(s.P("d3")).Err(0).Events("3 " + s.P("d3"));
            b.Create(s.P("e2")).Err(0).Events("1 " + s.P("e2"));
            b.Create(s.P("c3/x")).Err(0).Events("4 " + s.P("c3"));
            b.SetData(s.P("d1")).Err(0).Events();
        }),
        Shared("96", "setWatches of nothing", s =>
        {
            var a = s.Session();
            a.SetWatches(0, [], [], []).Err(0).Has("xid", -8);
            a.SetWatches(0, [], [], [], 77).Err(0).Has("xid", 77);
            a.SetWatches2(0, [], [], [], [], []).Err(0).Has("xid", -8);
            a.SetWatches2(0, [], [], [], [], [], 78).Err(0).Has("xid", 78);
        }),
        Shared("97", "setWatches with a null vector", s =>
        {
            var a = s.Session();
            a.SetWatches(0, null, [], []).Err(-5);
            a.Ping().Err(0);
        }),
        Shared("98", "setWatches2: persistent ones are armed without telling what was missed", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.Create(s.P("r")).Err(0);
            var z = a.Seen;
            a.SetData(s.P("n")).Err(0);
            a.Create(s.P("r/c")).Err(0);
            var b = s.Session();
            b.SetWatches2(z, [], [], [], [s.P("n")], [s.P("r")]).Err(0).Events();
            b.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
            b.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
            b.Create(s.P("r/d")).Err(0).Events("1 " + s.P("r/d"));
            b.SetData(s.P("r/d")).Err(0).Events("3 " + s.P("r/d"));
        }),
        Shared("99", "checkWatches", s =>
        {
            var a = s.Session();
            a.GetData(s.Root, true).Err(0);
            a.CheckWatches(s.Root, 2).Err(0);
            a.CheckWatches(s.Root, 3).Err(0);
            a.CheckWatches(s.Root, 1).Err(-121);
            a.CheckWatches(s.Root, 9).Err(-5);
        }),
        Shared("100", "removeWatches of any kind, twice", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.GetData(s.P("n"), true).Err(0);
            a.RemoveWatches(s.P("n"), 3).Err(0).Events();
            a.RemoveWatches(s.P("n"), 3).Err(-121);
            a.SetData(s.P("n")).Err(0).Events();
            a.GetChildren(s.P("n"), true).Err(0);
            a.GetData(s.P("n"), true).Err(0);
            a.RemoveWatches(s.P("n"), 1).Err(0);
            a.SetData(s.P("n")).Err(0).Events("3 " + s.P("n"));
            a.Create(s.P("n/c")).Err(0).Events();
        }),
        Shared("101", "removeWatches of the persistent kinds", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.Create(s.P("r")).Err(0);
            a.AddWatch(s.P("n"), 0).Err(0);
            a.AddWatch(s.P("r"), 1).Err(0);
            a.RemoveWatches(s.P("n"), 4).Err(0);
            a.RemoveWatches(s.P("r"), 5).Err(0);
            a.SetData(s.P("n")).Err(0).Events();
            a.SetData(s.P("r")).Err(0).Events();
        }),
    ];
}
