using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>Rows of zookeeper.md §7 that concern the tree, by their numbers.</summary>
public sealed class StatTests
{
    private static readonly NaiveAcl[] s_open = [new(31, "world", "anyone")];

    [Fact]
    public void Paths()
    {
        var t = new Driven();
        t.Create("/c1");
        Assert.Equal("Create -110", t.Create("/"));   // 25
        Assert.Equal("Create -8", t.Create(""));
        Assert.Equal("Create -8", t.Create("c"));
        Assert.Equal("Create -8", t.Create("/c1/"));
        Assert.Equal("Create -8", t.Create("/.."));
        Assert.Equal("Create -101", t.Create("/nope/x"));
        foreach (var path in new[] { "/a//b", "/c/", "/a/./b" }) Assert.Equal("Create -101", t.Create(path));   // 26
        foreach (var path in new[] { "/\u0001", "/\u007f", "/\ue000", "/\ufff0", "/\U0001F600", "/x\0y" }) Assert.Equal("Create -8", t.Create(path));   // 27
        foreach (var path in new[] { "/...", "/.x", "/\u00e9", "/a b", "/\u4e2d\u6587" }) Assert.Equal($"Create 0 {path}", t.Create(path));   // 28

        var w = new ByteWriter();   // 29
        TreeRequests.Begin(w, Identities.OfAddress("127.0.0.1"));
        TreeRequests.Create(w, TreeOp.Create, [(byte)'/', 0xff, 0xfe], default, false);
        TreeRequests.Acls(w, 1);
        TreeRequests.Acl(w, 31, "world"u8, "anyone"u8);
        TreeRequests.CreateEnd(w, 0);
        Assert.Equal("Create -8", t.Do(w.Written.ToArray()));

        Assert.Equal(t.Node("/"), t.Node(""));   // 30
        foreach (var odd in new[] { "c1", "/c1/", "//c1", "/c1//", "/nope", "x" }) Assert.Equal(0, t.Node(odd));   // 32
        foreach (var special in new[] { "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config" }) Assert.Equal("Delete -8", t.Delete(special));   // 33
        Assert.Equal("Delete -101", t.Delete("/c1/"));   // 34
        Assert.Equal("Create 0 /zookeeper/x", t.Create("/zookeeper/x"));   // 35
        Assert.Equal("Create -102", t.Create("/zookeeper/config/x"));
        t.Ids = [("ip", "127.0.0.1"), ("super", "")];
        Assert.Equal("Create 0 /zookeeper/config/x", t.Create("/zookeeper/config/x"));
    }

    [Fact]
    public void CreateModes()
    {
        var t = new Driven();
        Assert.Equal("Create 0 /c1", t.Create("/c1"));   // 36
        Assert.Equal("Create -110", t.Create("/c1"));
        t.Create("/e", flags: 1, op: TreeOp.Create2);   // 37
        Assert.Equal(Driven.Session, t.Stat("/e").EphemeralOwner);
        t.Create("/n", data: null);   // 38
        Assert.True(t.Tree.DataIsNull(t.Node("/n")));
        Assert.Equal(0, t.Stat("/n").DataLength);
        t.Create("/p");   // 39
        for (int i = 0; i < 3; i++) Assert.Equal($"Create 0 /p/s{i:D10}", t.Create("/p/s", flags: 2));
        Assert.Equal(3, t.Stat("/p").Cversion);
        t.Delete("/p/s0000000002");
        Assert.Equal(4, t.Stat("/p").Cversion);
        Assert.Equal("Create 0 /p/s0000000003", t.Create("/p/s", flags: 2));
        t.Create("/p/plain");   // 40
        Assert.Equal("Create 0 /p/s0000000005", t.Create("/p/s", flags: 2));
        Assert.Equal("Create 0 /p/0000000006", t.Create("/p/", flags: 2));   // 41
        foreach (int flags in new[] { 5, 6, 7, -1, 99 }) Assert.Equal("Create -8", t.Create("/f", flags));   // 43
        Assert.Equal("Create -108", t.Create("/e/x"));   // 44
        Assert.Equal("Failed[Create 0; Create -108]", t.Multi(new NaiveOp(TreeOp.Create, "/e2") { Flags = 1 }, new NaiveOp(TreeOp.Create, "/e2/x")));
        foreach (int flags in new[] { 0, 1, 4 })   // 45
        {
            t.Create($"/k{flags}", flags, TreeOp.CreateContainer);
            Assert.Equal(0, t.Stat($"/k{flags}").EphemeralOwner);
        }
        t.Create("/k4/x");
        t.Delete("/k4/x");
        t.Create("/plain4", flags: 4);   // 46
        t.Create("/plain4/x");
        t.Delete("/plain4/x");
        var due = new List<byte[]>();
        t.Tree.CollectSweep(long.MaxValue / 2, 10, due);
        Assert.Single(due);   // /k4 alone: a used container; /plain4 is an ordinary node, the others never had a child
        t.Do(due[0], session: 0);
        Assert.Equal("2(/k4) 4(/)", t.Events());
    }

    [Fact]
    public void TheSequenceCounterSticksAtItsEnd()
    {
        var t = new Driven();   // 42, without the overlap that shows -2147483648
        t.Create("/p");
        var w = new ByteWriter();
        w.Byte((byte)TreeOp.Create);
        w.Sized("/p/x"u8);
        w.Int32(0);
        var acl = new ByteWriter();
        TreeRequests.Acls(acl, 1);
        TreeRequests.Acl(acl, 31, "world"u8, "anyone"u8);
        w.Sized(acl.Written);
        w.Int64(0);
        w.Int32(int.MaxValue - 1);
        t.Tree.Apply(new ApplyContext(50, 50, 1000, 0, false), w.Written, t.Log, new ByteWriter());
        Assert.Equal("Create 0 /p/s2147483646", t.Create("/p/s", flags: 2));
        Assert.Equal("Create 0 /p/s2147483647", t.Create("/p/s", flags: 2));
        Assert.Equal("Create -110", t.Create("/p/s", flags: 2));
        Assert.Equal("Create 0 /p/q2147483647", t.Create("/p/q", flags: 2));
        Assert.Equal("Create 0 /p/plain", t.Create("/p/plain"));
    }

    [Fact]
    public void TtlNodes()
    {
        var t = new Driven();
        foreach (long ttl in new[] { 0L, -1, 1L << 40 }) Assert.Equal("CreateTtl -8", t.Create("/t", 5, TreeOp.CreateTtl, ttl));   // 47
        Assert.StartsWith("CreateTtl 0 /t ", t.Create("/t", 5, TreeOp.CreateTtl, (1L << 40) - 1));
        foreach (long ttl in new[] { -1L, 5 }) Assert.Equal("CreateTtl -8", t.Create("/poison", 0, TreeOp.CreateTtl, ttl));   // 48
        Assert.StartsWith("CreateTtl 0 /s0000000001 ", t.Create("/s", 6, TreeOp.CreateTtl, 5));   // 49
        Assert.Equal(0, t.Stat("/s0000000001").EphemeralOwner);
        Assert.Equal("CreateTtl -6", new Driven(new TreeOptions { ExtendedTypes = false }).Create("/t", 5, TreeOp.CreateTtl, 5));   // 50
        Assert.Equal("Create 0 /t/x", t.Create("/t/x"));   // 51
        t.Create("/k", 4, TreeOp.CreateContainer);
        Assert.Equal("Create 0 /k/e", t.Create("/k/e", flags: 1));

        t.Delete("/s0000000001");
        t.Create("/due", 5, TreeOp.CreateTtl, 500);   // 52, 53: /t has a child, /k too
        t.Time += 400;
        t.Set("/due");
        var due = new List<byte[]>();
        t.Tree.CollectSweep(t.Time + 500, 10, due);
        Assert.Empty(due);
        t.Tree.CollectSweep(t.Time + 501, 10, due);
        Assert.Single(due);
        t.Time += 501;
        Assert.Equal("DeleteContainer -8", t.Do(due[0]));
        Assert.Equal("DeleteContainer 0", t.Do(due[0], session: 0));
        Assert.Equal("2(/due) 4(/)", t.Events());
    }

    [Fact]
    public void ASweepThatComesLateDeletesNothingNew()
    {
        var t = new Driven();
        t.Create("/k", 4, TreeOp.CreateContainer);
        t.Create("/k/x");
        t.Delete("/k/x");
        var due = new List<byte[]>();
        t.Tree.CollectSweep(t.Time, 10, due);
        t.Delete("/k");
        t.Create("/k");
        Assert.Equal("DeleteContainer -103", t.Do(due[0], session: 0));   // 55, and better: a plain node stays
        t.Create("/k/y");
        Assert.Equal("DeleteContainer -111", t.Do(due[0], session: 0));
        t.Delete("/k/y");
        t.Delete("/k");
        Assert.Equal("DeleteContainer -101", t.Do(due[0], session: 0));
        var never = new Driven(new TreeOptions { ContainerMaxNeverUsedMillis = 10 });
        never.Create("/k", 4, TreeOp.CreateContainer);
        never.Tree.CollectSweep(never.Time + 10, 10, due = []);
        Assert.Empty(due);
        never.Tree.CollectSweep(never.Time + 11, 10, due);
        Assert.Single(due);
    }

    [Fact]
    public void VersionsAndStats()
    {
        var t = new Driven();
        Assert.Equal((-1, 1), (t.Stat("/").Cversion, t.Stat("/").NumChildren));   // 62
        Assert.Equal((-2, 2), (t.Stat("/zookeeper").Cversion, t.Stat("/zookeeper").NumChildren));
        Assert.Equal(new TreeStat(0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0), t.Stat("/zookeeper/config"));   // 63
        Assert.False(t.Tree.DataIsNull(t.Node("/zookeeper/config")));
        Assert.Equal(44, t.Tree.DataBytes);

        t.Create("/v");
        Assert.StartsWith("SetData 0", t.Set("/v", 0));   // 56
        Assert.Equal(1, t.Stat("/v").Version);
        Assert.Equal("SetData -103", t.Set("/v", 0));
        t.Set("/v");
        Assert.Equal(2, t.Stat("/v").Version);
        Assert.Equal("SetData -103", t.Set("/v", -2));   // 57
        Assert.Equal("SetData -103", t.Set("/v", 7));
        Assert.Equal("SetData -101", t.Set("/missing"));   // 58
        Assert.Equal("Delete -101", t.Delete("/missing"));
        Assert.Equal("Delete -101", t.Delete("/missing/x"));
        var before = t.Stat("/v");
        t.Create("/v/x");   // 61
        var after = t.Stat("/v");
        Assert.Equal((before.Cversion + 1, t.Zxid, before.Mzxid, before.Version, before.Mtime), (after.Cversion, after.Pzxid, after.Mzxid, after.Version, after.Mtime));
        Assert.Equal("Delete -111", t.Delete("/v"));   // 59
        Assert.Equal("Delete -103", t.Delete("/v", 9));
        t.Delete("/v/x");
        Assert.Equal((before.Cversion + 2, t.Zxid), (t.Stat("/v").Cversion, t.Stat("/v").Pzxid));

        before = t.Stat("/v");   // 60
        Assert.StartsWith("SetAcl 0", t.SetAcl("/v", s_open, 0));
        Assert.Equal(before with { Aversion = 1 }, t.Stat("/v"));
        Assert.Equal("", t.Events());
        Assert.Equal("SetAcl -103", t.SetAcl("/v", s_open, 0));
        t.SetAcl("/v", [new(0, "world", "anyone")]);
        Assert.Equal("SetData -102", t.Set("/v", 99));   // 64
    }

    [Fact]
    public void Children()
    {
        var t = new Driven();
        Assert.Equal(1, t.Tree.SortedChildren(t.Node("/")).Length);   // 65
        t.Create("/p");
        Assert.Equal(0, t.Tree.ChildCount(t.Node("/p")));   // 66
        t.Create("/p/x");
        Assert.Equal(1, t.Tree.Descendants(t.Node("/p")));   // 67
        t.Create("/p/x/y");
        t.Create("/p/a");
        Assert.Equal(3, t.Tree.Descendants(t.Node("/p")));
        Assert.Equal(t.Tree.NodeCount - 1, t.Tree.Descendants(t.Node("/")));
    }

    [Fact]
    public void Multi()
    {
        var t = new Driven();
        t.Create("/v");
        string all = t.Multi(
            new NaiveOp(TreeOp.Create, "/m"), new NaiveOp(TreeOp.SetData, "/m") { Version = 0 }, new NaiveOp(TreeOp.Check, "/m") { Version = 1 },
            new NaiveOp(TreeOp.Create2, "/m/x"), new NaiveOp(TreeOp.Delete, "/m/x"), new NaiveOp(TreeOp.Create, "/m/s") { Flags = 2 });
        Assert.StartsWith("Multi[Create 0 /m; SetData 0 ", all);   // 69
        Assert.EndsWith("Delete 0; Create 0 /m/s0000000001]", all);
        Assert.Equal("1(/m) 4(/) 3(/m) 1(/m/x) 4(/m) 2(/m/x) 4(/m) 1(/m/s0000000001) 4(/m)", t.Events());
        Assert.Equal((t.Stat("/m").Czxid, t.Stat("/m").Ctime), (t.Stat("/m/s0000000001").Czxid, t.Stat("/m/s0000000001").Ctime));   // 76
        Assert.Equal("Failed[Create 0; Check -103; Create -2]", t.Multi(new NaiveOp(TreeOp.Create, "/q"), new NaiveOp(TreeOp.Check, "/v") { Version = 5 }, new NaiveOp(TreeOp.Create, "/r")));   // 70
        Assert.Equal((0, 0, ""), (t.Node("/q"), t.Node("/r"), t.Events()));
        Assert.Equal("Failed[Delete -101]", t.Multi(new NaiveOp(TreeOp.Delete, "/nope")));   // 71
        Assert.Equal("Failed[Create -110]", t.Multi(new NaiveOp(TreeOp.Create, "/v")));
        string twice = t.Multi(new NaiveOp(TreeOp.SetData, "/v"), new NaiveOp(TreeOp.SetData, "/v"));   // 72
        Assert.Contains(",1,0,0,0,0,0,", twice, StringComparison.Ordinal);
        Assert.Contains(",2,0,0,0,0,0,", twice, StringComparison.Ordinal);
        Assert.Equal("Multi[]", t.Multi());   // 73
        Assert.Equal("Multi -5", t.Multi(new NaiveOp(TreeOp.Create, "/z"), new NaiveOp(TreeOp.SetAcl, "/v")));   // 74
        Assert.Equal("Multi -5", t.Multi(new NaiveOp(TreeOp.Create, "/z"), new NaiveOp(TreeOp.Create, "/y") { Flags = 7 }));   // 75
        Assert.Equal("Failed[Create 0; Create -8]", t.Multi(new NaiveOp(TreeOp.Create, "/z"), new NaiveOp(TreeOp.Create, "/y") { Flags = 5 }));
        Assert.Equal("Check -5", t.Do(new NaiveOp(TreeOp.Check, "/v")));   // 22
    }

    [Fact]
    public void EventsComeInZooKeepersOrder()
    {
        var t = new Driven();
        t.Create("/a");
        Assert.Equal("1(/a) 4(/)", t.Events());   // 83
        t.Set("/a");
        Assert.Equal("3(/a)", t.Events());   // 81
        t.Create("/a/b", flags: 1);
        Assert.Equal("1(/a/b) 4(/a)", t.Events());
        t.Create("/e", flags: 1);
        t.End();
        Assert.Equal("2(/a/b) 4(/a) 2(/e) 4(/)", t.Events());   // 125
        t.Delete("/a");
        Assert.Equal("2(/a) 4(/)", t.Events());   // 84
        t.Delete("/a");
        Assert.Equal("", t.Events());
    }

    [Fact]
    public void EphemeralsBelongToTheirSession()
    {
        var t = new Driven();
        t.Create("/a", flags: 1);
        t.Do(new NaiveOp(TreeOp.Create, "/b") { Flags = 1 }, session: 77);
        Assert.Equal((2L, 2), (t.Tree.EphemeralCount, t.Tree.EphemeralSessions));
        int first = t.Tree.FirstEphemeral(Driven.Session);
        Assert.Equal((t.Node("/a"), 0), (first, t.Tree.NextEphemeral(first)));
        Assert.Equal(0, t.Tree.FirstEphemeral(5));
        t.End();
        Assert.Equal((0, 1L, 1), (t.Node("/a"), t.Tree.EphemeralCount, t.Tree.EphemeralSessions));
        Assert.Equal("Create -8", t.Do(new NaiveOp(TreeOp.Create, "/nobody") { Flags = 1 }, session: 0));
    }

    [Fact]
    public void VersionsSkipMinusOneWhenTheyWrap()
    {
        var t = new Driven();
        t.Create("/v");
        var w = new ByteWriter();
        w.Byte((byte)TreeOp.SetData);
        w.Sized("/v"u8);
        w.Int32(0);
        w.Int32(-2);
        t.Tree.Apply(new ApplyContext(50, 50, 1000, 0, false), w.Written, t.Log, new ByteWriter());
        t.Set("/v");
        Assert.Equal(0, t.Stat("/v").Version);
    }
}
