using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 102 to 110: ACLs and who one is.</summary>
internal static partial class Rows
{
    private static readonly Acl[]?[] WrongAcls =
    [
        null, [], [new(31, "auth", "")], [new(31, "foo", "bar")], [new(31, "digest", "x")], [new(31, "ip", "1.2.3")], [new(31, "ip", "1.2.3.4/33")], [new(31, "world", "x")], [new(31, "sasl", "a@b@c")], [new(31, "x509", "nonsense")],
    ];

    private static readonly string[] WrongSchemes = ["nosuch", "world", "sasl", "x509"];

    private static Row[] AccessLists =>
    [
        Shared("102", "lists that are no ACL", s =>
        {
            var a = s.Session();
            foreach (var acls in WrongAcls)
            {
                a.Call(Op.Create, Op.CreateBody(s.P("n"), [], acls, 0)).Err(-114);
                a.SetAcl(s.Root, acls).Err(-114);
            }
            a.Exists(s.P("n")).Err(-101);
        }),
        Shared("103", "auth becomes one entry for each id (without sasl)", s =>
        {
            var a = s.Session();
            a.Auth("digest", "u:p").Err(0);
            a.Create(s.P("n"), 0, "", [new Acl(31, "auth", "")]).Err(0);
            a.GetAcl(s.P("n")).Err(0).Has("acl", "digest:" + Digest("u", "p") + ":31");
            var b = s.Session();
            b.GetData(s.P("n")).Err(-102);
            b.Auth("digest", "u:wrong").Err(0);
            b.GetData(s.P("n")).Err(-102);
            b.Auth("digest", "u:p").Err(0);
            b.GetData(s.P("n")).Err(0);
        }),
        Shared("104", "getACL hides hashes from those without ADMIN", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "", [new Acl(31, "digest", Digest("u", "p")), new Acl(1, "world", "anyone")]).Err(0);
            a.GetAcl(s.P("n")).Err(0).Has("acl", "digest:u:x:31 world:anyone:1");
            var b = s.Session();
            b.Auth("digest", "u:p").Err(0);
            b.GetAcl(s.P("n")).Err(0).Has("acl", "digest:" + Digest("u", "p") + ":31 world:anyone:1");
            a.Create(s.P("m"), 0, "", [new Acl(14, "world", "anyone")]).Err(0);
            a.GetAcl(s.P("m")).Err(-102);
        }),
        Shared("105", "entries twice in a list", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "", [new Acl(31, "world", "anyone"), new Acl(31, "world", "anyone"), new Acl(1, "ip", "127.0.0.1"), new Acl(31, "world", "anyone")]).Err(0);
            a.GetAcl(s.P("n")).Err(0).Has("acl", "world:anyone:31 ip:127.0.0.1:1");
        }),
        Shared("106", "a node that nobody may read", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "", [new Acl(0, "world", "anyone")]).Err(0);
            a.GetData(s.P("n")).Err(-102);
            a.GetChildren(s.P("n")).Err(-102);
            a.GetChildren2(s.P("n")).Err(-102);
            a.AllChildren(s.P("n")).Err(-102);
            a.Create(s.P("n/c")).Err(-102);
            a.Multi(Check(s.P("n"), 0)).Err(0).Has("0.code", -102);
            a.Exists(s.P("n")).Err(-102);
        }),
        Shared("107", "delete is decided by the parent", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "", [new Acl(0, "world", "anyone")]).Err(0);
            a.Delete(s.P("n")).Err(0);
            a.Create(s.P("p"), 0, "", [new Acl(31 - 8, "world", "anyone")]).Err(0);
            a.Create(s.P("p/c")).Err(0);
            a.Delete(s.P("p/c")).Err(-102);
            a.Delete(s.P("p/missing")).Err(-102);
        }),
        Shared("107b", "ip entries, whole and masked", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "x", [new Acl(1, "ip", "127.0.0.0/8")]).Err(0);
            a.GetData(s.P("n")).Err(0);
            a.SetData(s.P("n")).Err(-102);
            a.Create(s.P("m"), 0, "x", [new Acl(31, "ip", "10.0.0.0/8")]).Err(0);
            a.GetData(s.P("m")).Err(-102);
            a.Create(s.P("o"), 0, "x", [new Acl(31, "ip", "127.0.0.1")]).Err(0);
            a.SetData(s.P("o")).Err(0);
        }),
    ];

    private static Row[] Auths =>
    [
        Shared("108", "auth digest", s =>
        {
            var a = s.Session();
            a.Auth("digest", "u:p").Has("xid", -4).Has("zxid", 0).Err(0);
            s.Is("body", a.Body.Length, 0);
            a.Auth("digest", "nocolon").Err(0);
            a.Auth("ip", "1.2.3.4").Err(0);
            a.WhoAmI().Err(0);
            a.Call(Op.Auth, Op.AuthBody("digest", "v:w"), 41).Has("xid", 41).Err(0);
        }),
        Shared("109", "schemes that nobody knows", s =>
        {
            foreach (var scheme in WrongSchemes)
            {
                var a = s.Session();
                a.Auth(scheme, "x").Err(-115).Has("xid", -4).Has("zxid", 0);
                a.Hangup().Closed().Has("bytes", "");
            }
        }),
        Shared("110", "super", s =>
        {
            var a = s.Session();
            a.Create(s.P("n"), 0, "secret", [new Acl(0, "world", "anyone")]).Err(0);
            a.GetData(s.P("n")).Err(-102);
            a.WhoAmI().Err(0).Has("ids", "ip:127.0.0.1");
            a.Super();
            a.GetData(s.P("n")).Err(0).Has("data", "'secret'");
            a.WhoAmI().Err(0).Has("ids", "digest:super ip:127.0.0.1 super:");
        }),
    ];
}
