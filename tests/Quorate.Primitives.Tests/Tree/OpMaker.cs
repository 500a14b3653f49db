using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>Seeded requests over few names, so that they meet; some of them odd.</summary>
public sealed class OpMaker(ulong seed)
{
    private static readonly string[] s_odd =
        ["", "/", "c", "/a/", "/a//b", "//x", "/..", "/a/.", "/a/b/..", "/x\u0001", "/e\u00e9", "/\U0001F600", "/\ue000", "/zookeeper", "/zookeeper/config", "/zookeeper/x", "/a\0b", "/zookeeper/quota", "/..."];

    private static readonly NaiveAcl[]?[] s_acls =
    [
        [new(31, "world", "anyone")], [new(31, "world", "anyone")], [new(31, "world", "anyone")], [new(31, "world", "anyone")], [new(31, "world", "anyone")],
        [new(1, "world", "anyone")], [new(15, "digest", "u:hash"), new(1, "world", "anyone")], [new(31, "auth", "")], [new(31, "ip", "10.0.0.1")], [new(0, "world", "anyone")],
        [new(31, "world", "anyone"), new(1, "digest", "v:hash"), new(31, "world", "anyone")], null, [], [new(31, "foo", "x")], [new(31, "digest", "x")],
    ];

    private static readonly (string, string)[][] s_ids =
    [
        [("ip", "10.0.0.1")], [("ip", "10.0.0.2")], [("ip", "10.0.0.2"), ("digest", "u:hash")], [("ip", "10.0.0.3"), ("digest", "u:hash"), ("digest", "v:hash")], [("ip", "10.0.0.3"), ("super", "")],
    ];

    private Prng _prng = new(seed);

    public ref Prng Prng => ref _prng;

    public (string, string)[] Ids() => s_ids[_prng.Below(s_ids.Length)];

    public NaiveOp Next(long session)
    {
        if (_prng.Below(5) != 0) return Single(session, sub: false);
        var subs = new NaiveOp[_prng.Below(6)];
        for (int i = 0; i < subs.Length; i++) subs[i] = Single(session, sub: true);
        return new NaiveOp(TreeOp.Multi, "") { Subs = subs };
    }

    private NaiveOp Single(long session, bool sub)
    {
        int kind = (int)_prng.Below(sub ? 80 : 100);
        return kind switch
        {
            < 15 => Create(TreeOp.Create),
            < 25 => Create(TreeOp.Create2),
            < 30 => Create(TreeOp.CreateContainer),
            < 35 => Create(TreeOp.CreateTtl),
            < 55 => new NaiveOp(TreeOp.Delete, Path()) { Version = Version() },
            < 72 => new NaiveOp(TreeOp.SetData, Path()) { Version = Version(), Data = Data() },
            < 80 => new NaiveOp(sub || _prng.Below(5) == 0 ? TreeOp.Check : TreeOp.SetData, Path()) { Version = Version(), Data = Data() },
            < 96 => new NaiveOp(TreeOp.SetAcl, Path()) { Version = Version(), Acl = s_acls[_prng.Below(s_acls.Length)] },
            _ => new NaiveOp(TreeOp.DeleteContainer, Path()),
        };
    }

    private NaiveOp Create(TreeOp op)
    {
        long ttl = -1;
        int flags = (int)_prng.Below(4);
        if (op == TreeOp.CreateContainer) flags = 4;
        if (op == TreeOp.CreateTtl)
        {
            flags = 5 + (int)_prng.Below(2);
            ttl = 1 + _prng.Below(2000);
        }
        if (_prng.Below(30) == 0) flags = (int)_prng.Between(-1, 8);
        if (_prng.Below(30) == 0) ttl = _prng.Between(-1, 3) * (1L << 39);
        return new NaiveOp(op, Path()) { Flags = flags, Ttl = ttl, Data = Data(), Acl = s_acls[_prng.Below(s_acls.Length)] };
    }

    private string Path()
    {
        if (_prng.Below(25) == 0) return s_odd[_prng.Below(s_odd.Length)];
        int depth = 1 + (int)_prng.Below(3);
        string path = "";
        for (int i = 0; i < depth; i++) path += "/" + (char)('a' + _prng.Below(4));
        return path;
    }

    private int Version() => _prng.Below(3) == 0 ? (int)_prng.Between(-2, 3) : -1;

    private byte[]? Data()
    {
        long kind = _prng.Below(12);
        if (kind == 0) return null;
        int length = kind == 1 ? 0 : kind == 2 ? (int)_prng.Below(3000) : kind == 3 && _prng.Below(10) == 0 ? 60_000 + (int)_prng.Below(20_000) : (int)_prng.Below(40);
        var data = new byte[length];
        for (int i = 0; i < length; i++) data[i] = (byte)('0' + _prng.Below(10));
        return data;
    }
}
