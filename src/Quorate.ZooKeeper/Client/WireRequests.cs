namespace Quorate.ZooKeeper.Client;

/// <summary>An entry of an access list as the wire has it.</summary>
public sealed record WireAcl(int Perms, string Scheme, string Id);

/// <summary>Bodies of requests that have more than two fields, and the parts of a multi.</summary>
public static class WireRequests
{
    public static void Create(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, IReadOnlyList<WireAcl> acls, int flags, long? ttl = null)
    {
        w.JuteBuffer(path);
        w.JuteBuffer(data);
        Acls(w, acls);
        w.JuteInt(flags);
        if (ttl is { } millis) w.JuteLong(millis);
    }

    public static void Acls(ByteWriter w, IReadOnlyList<WireAcl> acls)
    {
        w.JuteInt(acls.Count);
        foreach (var acl in acls)
        {
            w.JuteInt(acl.Perms);
            w.JuteString(acl.Scheme);
            w.JuteString(acl.Id);
        }
    }

    public static void MultiCreate(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, int flags = 0, IReadOnlyList<WireAcl>? acls = null)
    {
        w.MultiHeader(OpCode.Create, false, -1);
        Create(w, path, data, acls ?? ZooKeeperClient.OpenAcl, flags);
    }

    public static void MultiDelete(ByteWriter w, ReadOnlySpan<byte> path, int version = -1)
    {
        w.MultiHeader(OpCode.Delete, false, -1);
        w.JuteBuffer(path);
        w.JuteInt(version);
    }

    public static void MultiSetData(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, int version = -1)
    {
        w.MultiHeader(OpCode.SetData, false, -1);
        w.JuteBuffer(path);
        w.JuteBuffer(data);
        w.JuteInt(version);
    }

    public static void MultiCheck(ByteWriter w, ReadOnlySpan<byte> path, int version)
    {
        w.MultiHeader(OpCode.Check, false, -1);
        w.JuteBuffer(path);
        w.JuteInt(version);
    }

    public static void MultiEnd(ByteWriter w) => w.MultiHeader(-1, true, -1);
}
