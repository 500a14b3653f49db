using System.Text;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>The requests by name, so that rows read as sentences.</summary>
internal sealed partial class Actor
{
    private static byte[] Bytes(string s) => Encoding.UTF8.GetBytes(s);

    public Step Create(string? path, int flags = 0, string data = "", Acl[]? acls = null) => Call(Op.Create, Op.CreateBody(path, Bytes(data), acls ?? Acl.Open, flags));
    public Step Create2(string path, int flags = 0, string data = "", Acl[]? acls = null) => Call(Op.Create2, Op.CreateBody(path, Bytes(data), acls ?? Acl.Open, flags));
    public Step CreateContainer(string path, int flags = 4) => Call(Op.CreateContainer, Op.CreateBody(path, [], Acl.Open, flags));
    public Step CreateTtl(string path, int flags, long ttl) => Call(Op.CreateTtl, Op.CreateTtlBody(path, [], Acl.Open, flags, ttl));
    public Step Delete(string path, int version = -1) => Call(Op.Delete, Op.PathVersion(path, version));
    public Step Exists(string? path, bool watch = false) => Call(Op.Exists, Op.PathWatch(path, watch));
    public Step GetData(string? path, bool watch = false) => Call(Op.GetData, Op.PathWatch(path, watch));
    public Step SetData(string path, string data = "", int version = -1) => Call(Op.SetData, Op.SetDataBody(path, Bytes(data), version));
    public Step GetAcl(string path) => Call(Op.GetAcl, Op.JustPath(path));
    public Step SetAcl(string path, Acl[]? acls, int version = -1) => Call(Op.SetAcl, Op.SetAclBody(path, acls, version));
    public Step GetChildren(string path, bool watch = false) => Call(Op.GetChildren, Op.PathWatch(path, watch));
    public Step GetChildren2(string path, bool watch = false) => Call(Op.GetChildren2, Op.PathWatch(path, watch));
    public Step Sync(string? path) => Call(Op.Sync, Op.JustPath(path));
    public Step Ping() => Call(Op.Ping, []);
    public Step Multi(params (int, byte[])[] subs) => Call(Op.Multi, Op.MultiBody(subs));
    public Step MultiRead(params (int, byte[])[] subs) => Call(Op.MultiRead, Op.MultiBody(subs));
    public Step CheckWatches(string path, int type) => Call(Op.CheckWatches, Op.PathVersion(path, type));
    public Step RemoveWatches(string path, int type) => Call(Op.RemoveWatches, Op.PathVersion(path, type));
    public Step AddWatch(string path, int mode) => Call(Op.AddWatch, Op.PathVersion(path, mode));
    public Step Auth(string scheme, string auth) => Call(Op.Auth, Op.AuthBody(scheme, auth), -4);
    public Step Super() => Auth("digest", "super:" + Interop.Tests.Ground.Setting.SuperPassword).Err(0);
    public Step WhoAmI() => Call(Op.WhoAmI, []);
    public Step GetEphemerals(string? prefix) => Call(Op.GetEphemerals, Op.JustPath(prefix));
    public Step AllChildren(string path) => Call(Op.AllChildren, Op.JustPath(path));
    public Step Close() => Call(Op.CloseSession, []);
    public Step SetWatches(long relative, string[]? data, string[]? exist, string[]? child, int xid = -8) => Call(Op.SetWatches, new JuteWriter().Long(relative).Strings(data).Strings(exist).Strings(child).ToArray(), xid);

    public Step SetWatches2(long relative, string[] data, string[] exist, string[] child, string[] persistent, string[] recursive, int xid = -8) =>
        Call(Op.SetWatches2, new JuteWriter().Long(relative).Strings(data).Strings(exist).Strings(child).Strings(persistent).Strings(recursive).ToArray(), xid);
}
