using Quorate.Primitives.Tree;
using Quorate.ZooKeeper.Client;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>zookeeper.md §7, rows 36 to 80 and 102 to 110: kinds of node, Stat, children, multi, access, as far as the wire shows them.</summary>
public sealed class TreeRowTests
{
    private static string Hex(byte[] bytes) => Convert.ToHexString(bytes).ToLowerInvariant();

    [Fact]
    public void Row36_create_twice()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal("000000032f6331", Hex(client.Create("/c1").Body));
        Assert.Equal(ErrorCode.NodeExists, client.Create("/c1").Error);
    }

    [Fact]
    public void Row37_create2_of_an_ephemeral_shows_the_Stat_that_a_later_read_shows()
    {
        var client = new FaceWorld().Connect();
        var created = client.Create("/e", "abc", 1, OpCode.Create2);
        var read = client.GetData("/e");
        Assert.Equal(created.Body[^68..], read.Body[^68..]);
        Assert.Equal(client.Session, read.Stat.EphemeralOwner);
        Assert.Equal(3, read.Stat.DataLength);
        Assert.Equal(created.Zxid, read.Stat.Czxid);
    }

    [Fact]
    public void Row38_null_data_stays_null_and_empty_stays_empty()
    {
        var client = new FaceWorld().Connect();
        client.Create("/null", null);
        client.Create("/empty", "");
        Assert.Equal("ffffffff", Hex(client.GetData("/null").Body[..4]));
        Assert.Equal("00000000", Hex(client.GetData("/empty").Body[..4]));
        client.SetData("/empty", null);
        Assert.Equal(4 + 68, client.GetData("/empty").Body.Length);
        Assert.Equal("ffffffff", Hex(client.GetData("/empty").Body[..4]));
    }

    [Fact]
    public void Rows39_to_41_sequence_numbers_count_every_creation()
    {
        var client = new FaceWorld().Connect();
        client.Create("/p");
        for (int i = 0; i < 3; i++) Assert.Equal($"/p/s-000000000{i}", client.Create("/p/s-", flags: 2).Text);
        Assert.Equal(3, client.Exists("/p").Stat.Cversion);
        client.Delete("/p/s-0000000001");
        Assert.Equal(4, client.Exists("/p").Stat.Cversion);
        Assert.Equal("/p/s-0000000003", client.Create("/p/s-", flags: 3).Text);
        client.Create("/p/plain");
        Assert.Equal("/p/s-0000000005", client.Create("/p/s-", flags: 2).Text);
        Assert.Equal("/p/0000000006", client.Create("/p/", flags: 2).Text);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(-1)]
    [InlineData(99)]
    public void Row43_flags_that_a_create_has_not(int flags) => Assert.Equal(ErrorCode.BadArguments, new FaceWorld().Connect().Create("/x", flags: flags).Error);

    [Fact]
    public void Rows44_and_45_children_of_ephemerals_and_containers()
    {
        var client = new FaceWorld().Connect();
        client.Create("/e", flags: 1);
        Assert.Equal(ErrorCode.NoChildrenForEphemerals, client.Create("/e/x").Error);
        foreach (int flags in new[] { 0, 1, 4 })
        {
            var made = client.Create("/k" + flags, flags: flags, op: OpCode.CreateContainer);
            Assert.Equal((0, 0L), (made.Error, made.Stat.EphemeralOwner));
            Assert.Equal("/k" + flags, made.Text);
        }
        Assert.Equal(0, client.Create("/k4/e", flags: 1).Error);
    }

    [Fact]
    public void Rows47_to_51_ttl_nodes()
    {
        var client = new FaceWorld().Connect();
        foreach (var (flags, ttl, error) in new[] { (5, 0L, -8), (5, -1L, -8), (5, 1L << 40, -8), (0, -1L, -8), (0, 5L, -8), (5, (1L << 40) - 1, 0) })
            Assert.Equal((flags, ttl, error), (flags, ttl, client.Create("/t", flags: flags, op: OpCode.CreateTtl, ttl: ttl).Error));
        var sequential = client.Create("/s", flags: 6, op: OpCode.CreateTtl, ttl: 1000);
        Assert.Equal("/s0000000001", sequential.Text); // /t before it; /zookeeper was never created
        Assert.Equal(0, sequential.Stat.EphemeralOwner);
        Assert.Equal(0, client.Create("/t/child").Error);
        var plain = new FaceWorld(tree: new TreeOptions { ExtendedTypes = false }).Connect();
        Assert.Equal(ErrorCode.Unimplemented, plain.Create("/t", flags: 5, op: OpCode.CreateTtl, ttl: 1000).Error);
        Assert.False(plain.Over);
    }

    [Fact]
    public void Row55_a_client_may_not_send_deleteContainer()
    {
        var client = new FaceWorld().Connect();
        client.Create("/a");
        foreach (string path in new[] { "/a", "/none" }) Assert.Equal(ErrorCode.BadArguments, client.Ask(OpCode.DeleteContainer, RawClient.Path(path)).Error);
        Assert.Equal(0, client.Exists("/a").Error);
    }

    [Fact]
    public void Rows56_to_61_versions()
    {
        var client = new FaceWorld().Connect();
        client.Create("/v");
        Assert.Equal(ErrorCode.BadVersion, client.SetData("/v", "x", 7).Error);
        Assert.Equal(ErrorCode.BadVersion, client.SetData("/v", "x", -2).Error);
        Assert.Equal(1, client.SetData("/v", "x", 0).Stat.Version);
        Assert.Equal(ErrorCode.BadVersion, client.SetData("/v", "x", 0).Error);
        Assert.Equal(2, client.SetData("/v", "x").Stat.Version);
        Assert.Equal(ErrorCode.NoNode, client.SetData("/none", "x").Error);
        Assert.Equal(ErrorCode.NoNode, client.Delete("/none").Error);
        Assert.Equal(ErrorCode.NoNode, client.Delete("/none/x").Error);
        client.Create("/v/c");
        Assert.Equal(ErrorCode.BadVersion, client.Delete("/v", 0).Error);
        Assert.Equal(ErrorCode.NotEmpty, client.Delete("/v").Error);
        var acl = client.Ask(OpCode.SetAcl, SetAcl("/v", 0, new WireAcl(31, "world", "anyone")));
        Assert.Equal((1, 2), (acl.Stat.Aversion, acl.Stat.Version));
        Assert.Equal(ErrorCode.BadVersion, client.Ask(OpCode.SetAcl, SetAcl("/v", 0, new WireAcl(31, "world", "anyone"))).Error);
        long zxid = client.Delete("/v/c").Zxid;
        var stat = client.Exists("/v").Stat;
        Assert.Equal((2, zxid, 0), (stat.Cversion, stat.Pzxid, stat.NumChildren));
    }

    internal static Action<ByteWriter> SetAcl(string path, int version, params WireAcl[] acls) => w =>
    {
        w.JuteString(path);
        WireRequests.Acls(w, acls);
        w.JuteInt(version);
    };

    [Fact]
    public void Rows62_to_67_a_fresh_tree_and_children()
    {
        var client = new FaceWorld().Connect();
        var root = client.Exists("/").Stat;
        Assert.Equal((-1, 1), (root.Cversion, root.NumChildren));
        var zookeeper = client.Exists("/zookeeper").Stat;
        Assert.Equal((-2, 2), (zookeeper.Cversion, zookeeper.NumChildren));
        var config = client.GetData("/zookeeper/config");
        Assert.Equal((-1, 0), (config.Stat.Aversion, config.Stat.DataLength));
        Assert.Equal(["zookeeper"], client.GetChildren("/").Names);
        client.Create("/leaf");
        var leaf = client.Ask(OpCode.GetChildren2, RawClient.PathFlag("/leaf"));
        Assert.Equal("00000000", Hex(leaf.Body[..4]));
        Assert.Equal(0, leaf.Stat.NumChildren);
        client.Create("/leaf/x");
        Assert.Equal("00000001", Hex(client.Ask(OpCode.GetAllChildrenNumber, RawClient.Path("/leaf")).Body));
        Assert.Equal(ErrorCode.NoNode, client.Ask(OpCode.GetAllChildrenNumber, RawClient.Path("/none")).Error);
    }

    [Fact]
    public void Row64_and_106_permission_comes_before_the_version()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/shut", "x", acls: [new(0, "world", "anyone")]);
        Assert.Equal(ErrorCode.NoAuth, client.SetData("/shut", "y", 99).Error);
        Assert.Equal(ErrorCode.NoAuth, client.GetData("/shut").Error);
        Assert.Equal(ErrorCode.NoAuth, client.Exists("/shut", watch: true).Error);
        Assert.Equal(ErrorCode.NoAuth, client.GetChildren("/shut", watch: true).Error);
        Assert.Equal(ErrorCode.NoAuth, client.Ask(OpCode.GetAcl, RawClient.Path("/shut")).Error);
        Assert.Equal(ErrorCode.NoAuth, client.Create("/shut/x").Error);
        Assert.Equal(0, world.Face.WatchCount);
        Assert.Equal(0, client.Delete("/shut").Error); // decided by the parent (row 107)
    }

    [Fact]
    public void Row69_a_multi_of_every_kind()
    {
        var client = new FaceWorld().Connect();
        var reply = client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiCreate(w, "/m"u8, "0"u8);
            WireRequests.MultiSetData(w, "/m"u8, "1"u8, 0);
            WireRequests.MultiCheck(w, "/m"u8, 1);
            w.MultiHeader(OpCode.Create2, false, -1);
            RawClient.CreateBody("/m/c")(w);
            WireRequests.MultiDelete(w, "/m/c"u8);
            WireRequests.MultiCreate(w, "/m/s"u8, default, 2);
            w.MultiHeader(OpCode.CreateContainer, false, -1);
            RawClient.CreateBody("/m/k", flags: 4)(w);
            WireRequests.MultiEnd(w);
        });
        Assert.Equal(0, reply.Error);
        var r = new JuteReader(reply.Body);
        var types = new List<int>();
        while (true)
        {
            int type = r.Int();
            bool done = r.Bool();
            int error = r.Int();
            if (done)
            {
                Assert.Equal((-1, -1), (type, error));
                break;
            }
            Assert.Equal(0, error);
            types.Add(type);
            if (type is 1 or 15) r.Buffer(out _);
            if (type is 5 or 15) r.Bytes(68);
        }
        Assert.True(r.Ok && r.Remaining == 0);
        Assert.Equal([1, 5, 13, 1, 2, 1, 15], types); // create2 in a multi answers as a plain create does (live, ZOOKEEPER-4026); container and TTL with 15
        var stat = client.Exists("/m").Stat;
        Assert.Equal(stat.Czxid, stat.Mzxid);
        Assert.Equal(stat.Czxid, stat.Pzxid);
        Assert.Equal(stat.Czxid, reply.Zxid);
    }

    [Fact]
    public void Rows70_to_73_multis_that_fail_and_the_empty_one()
    {
        var client = new FaceWorld().Connect();
        client.Create("/v");
        var failed = client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiCreate(w, "/x"u8, default);
            WireRequests.MultiCheck(w, "/v"u8, 9);
            WireRequests.MultiCreate(w, "/y"u8, default);
            WireRequests.MultiEnd(w);
        });
        Assert.Equal(0, failed.Error);
        Assert.Equal("ffffffff" + "00" + "00000000" + "00000000" + "ffffffff" + "00" + "ffffff99" + "ffffff99" + "ffffffff" + "00" + "fffffffe" + "fffffffe" + "ffffffff" + "01" + "ffffffff", Hex(failed.Body));
        Assert.Equal(ErrorCode.NoNode, client.Exists("/x").Error);
        var single = client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiDelete(w, "/none"u8);
            WireRequests.MultiEnd(w);
        });
        Assert.Equal("ffffffff00ffffff9bffffff9bffffffff01ffffffff", Hex(single.Body));
        var exists = client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiCreate(w, "/v"u8, default);
            WireRequests.MultiEnd(w);
        });
        Assert.Equal("ffffffff00ffffff92ffffff92ffffffff01ffffffff", Hex(exists.Body));
        var empty = client.Ask(OpCode.Multi, WireRequests.MultiEnd);
        Assert.Equal("ffffffff01ffffffff", Hex(empty.Body));
        Assert.Equal(exists.Zxid + 1, empty.Zxid);
    }

    [Fact]
    public void Row72_two_sets_in_one_multi_show_two_versions()
    {
        var client = new FaceWorld().Connect();
        client.Create("/v");
        var reply = client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiSetData(w, "/v"u8, "a"u8);
            WireRequests.MultiSetData(w, "/v"u8, "bb"u8);
            WireRequests.MultiEnd(w);
        });
        Assert.Equal((1, 1), (WireStat.Read(reply.Body.AsSpan(9)).Version, WireStat.Read(reply.Body.AsSpan(9)).DataLength));
        Assert.Equal((2, 2), (WireStat.Read(reply.Body.AsSpan(9 + 68 + 9)).Version, WireStat.Read(reply.Body.AsSpan(9 + 68 + 9)).DataLength));
    }

    [Fact]
    public void Rows74_and_75_multis_that_cannot_be_decoded()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiCreate(w, "/x"u8, default);
            w.MultiHeader(OpCode.GetData, false, -1);
            RawClient.PathFlag("/x")(w);
            WireRequests.MultiEnd(w);
        }).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.Multi, w =>
        {
            w.MultiHeader(OpCode.SetAcl, false, -1);
            SetAcl("/", -1, new WireAcl(31, "world", "anyone"))(w);
            WireRequests.MultiEnd(w);
        }).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.Multi, w => WireRequests.MultiCreate(w, "/x"u8, default)).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.Multi, w =>
        {
            WireRequests.MultiCreate(w, "/x"u8, default, 9);
            WireRequests.MultiEnd(w);
        }).Error);
        Assert.Equal(ErrorCode.NoNode, client.Exists("/x").Error);
    }

    [Fact]
    public void Rows77_to_80_multiRead()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/r", "data");
        client.Create("/r/child");
        client.Create("/shut", acls: [new(0, "world", "anyone")]);
        var reply = client.Ask(OpCode.MultiRead, w =>
        {
            Part(w, 4, "/r");
            Part(w, 8, "/r");
            Part(w, 4, "/none");
            Part(w, 8, "/shut");
            WireRequests.MultiEnd(w);
        });
        Assert.Equal(0, reply.Error);
        var r = new JuteReader(reply.Body);
        Assert.Equal((4, false, 0), (r.Int(), r.Bool(), r.Int()));
        Assert.Equal("data"u8.ToArray(), r.Buffer(out _).ToArray());
        r.Bytes(68);
        Assert.Equal((8, false, 0), (r.Int(), r.Bool(), r.Int()));
        Assert.Equal(1, r.Int());
        r.Buffer(out _);
        Assert.Equal((-1, false, -101, -101), (r.Int(), r.Bool(), r.Int(), r.Int()));
        Assert.Equal((-1, false, -102, -102), (r.Int(), r.Bool(), r.Int(), r.Int()));
        Assert.Equal("ffffffff01ffffffff", Hex(r.Rest.ToArray()));
        Assert.Equal(0, world.Face.WatchCount);
        Assert.Equal("ffffffff01ffffffff", Hex(client.Ask(OpCode.MultiRead, WireRequests.MultiEnd).Body));
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.MultiRead, w =>
        {
            Part(w, 4, "/r");
            Part(w, 3, "/r");
            WireRequests.MultiEnd(w);
        }).Error);
    }

    private static void Part(ByteWriter w, int op, string path)
    {
        w.MultiHeader(op, false, -1);
        w.JuteString(path);
        w.JuteBool(true);
    }

    [Fact]
    public void Row102_access_lists_that_are_none()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.InvalidAcl, client.Create("/a", acls: []).Error);
        foreach (var (scheme, id) in new[] { ("auth", ""), ("foo", "x"), ("digest", "x"), ("ip", "1.2.3"), ("ip", "1.2.3.4/33"), ("world", "x") })
            Assert.Equal((scheme, id, ErrorCode.InvalidAcl), (scheme, id, client.Create("/a", acls: [new(31, scheme, id)]).Error));
        foreach (int count in new[] { -1, -5 })
        {
            Assert.Equal(ErrorCode.InvalidAcl, client.Ask(OpCode.Create, w =>
            {
                w.JuteString("/a");
                w.JuteString("");
                w.JuteInt(count);
                w.JuteInt(0);
            }).Error);
        }
    }

    [Fact]
    public void Rows104_and_105_getACL_masks_and_collapses()
    {
        var world = new FaceWorld();
        var owner = world.Connect();
        Assert.Equal(0, Authenticate(owner, "digest", "u:p").Error);
        var digest = new WireAcl(31, "digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=");
        owner.Create("/d", acls: [digest, digest, new(1, "world", "anyone")]);
        Assert.Equal(Acls(digest, new WireAcl(1, "world", "anyone")), Hex(owner.Ask(OpCode.GetAcl, RawClient.Path("/d")).Body[..^68]));
        var other = world.Connect();
        Assert.Equal(Acls(new WireAcl(31, "digest", "u:x"), new WireAcl(1, "world", "anyone")), Hex(other.Ask(OpCode.GetAcl, RawClient.Path("/d")).Body[..^68]));
    }

    private static string Acls(params WireAcl[] acls) => Hex(RawClient.Body(w => WireRequests.Acls(w, acls)));

    internal static Frame Authenticate(RawClient client, string scheme, string proof)
    {
        client.Send(RawClient.RequestFrame(-4, OpCode.Auth, RawClient.Body(QueueTests.Auth(scheme, proof))));
        return Assert.Single(client.TakeFrames());
    }

    [Theory]
    [InlineData("nosuch")]
    [InlineData("world")]
    [InlineData("sasl")]
    [InlineData("x509")]
    [InlineData("auth")]
    public void Row109_schemes_that_nobody_can_show(string scheme)
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.AuthFailed, Authenticate(client, scheme, "x").Error);
        Assert.True(client.Connection.Closed);
    }

    [Fact]
    public void Row108_and_110_digest_and_super()
    {
        var world = new FaceWorld(new FaceOptions { SuperDigest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=" });
        var client = world.Connect("10.1.2.3:999");
        client.Create("/shut", "x", acls: [new(0, "world", "anyone")]);
        client.Send(RawClient.RequestFrame(-4, OpCode.Auth, RawClient.Body(QueueTests.Auth("digest", "super:test"))));
        Assert.Equal("00000010fffffffc000000000000000000000000", Hex(client.TakeBytes()));
        Assert.Equal(0, client.GetData("/shut").Error);
        var who = client.Ask(OpCode.WhoAmI, _ => { });
        var r = new JuteReader(who.Body);
        var ids = new List<string>();
        for (int n = r.Int(); n > 0; n--) ids.Add(System.Text.Encoding.UTF8.GetString(r.Buffer(out _)) + ":" + System.Text.Encoding.UTF8.GetString(r.Buffer(out _)));
        ids.Sort(StringComparer.Ordinal);
        Assert.Equal(["digest:super", "ip:10.1.2.3", "super:"], ids);
        Assert.Equal(0, Authenticate(client, "ip", "whatever").Error);
        Assert.Equal(0, Authenticate(client, "digest", "nocolon").Error);
        var wrong = world.Connect();
        Assert.Equal(0, Authenticate(wrong, "digest", "super:wrong").Error);
        Assert.Equal(ErrorCode.NoAuth, wrong.GetData("/shut").Error);
    }

    [Fact]
    public void Row119_and_118_sasl_without_a_login_module()
    {
        var client = new FaceWorld().Connect();
        client.Send(RawClient.RequestFrame(5, OpCode.Sasl, RawClient.Body(w => w.JuteString(""))));
        Assert.Equal("000000140000000500000000000000000000000" + "0ffffffff", Hex(client.TakeBytes()));
        client.Send(RawClient.RequestFrame(6, OpCode.Sasl, RawClient.Body(w => w.JuteNull())));
        Assert.True(client.Over);
    }

    [Fact]
    public void Row127_own_ephemerals_by_the_beginning_of_their_path()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/a");
        client.Create("/a/e", flags: 1);
        client.Create("/a/e2", flags: 1);
        client.Create("/b", flags: 1);
        world.Connect().Create("/other", flags: 1);
        string[] Ask(string? prefix) => [.. client.Ask(OpCode.GetEphemerals, RawClient.Path(prefix)).Names.Order(StringComparer.Ordinal)];
        Assert.Equal(["/a/e", "/a/e2"], Ask("/a/e"));
        foreach (string? all in new[] { "/", "", null }) Assert.Equal(["/a/e", "/a/e2", "/b"], Ask(all));
        Assert.Empty(Ask("/none"));
    }

    [Fact]
    public void Row133_reconfig_is_disabled() => Assert.Equal(ErrorCode.ReconfigDisabled, new FaceWorld().Connect().Ask(OpCode.Reconfig, _ => { }).Error);

    [Fact]
    public void Row107_ip_access_is_by_the_clients_address()
    {
        var world = new FaceWorld();
        world.Connect().Create("/ip", "x", acls: [new(31, "ip", "10.0.0.0/8")]);
        Assert.Equal(ErrorCode.NoAuth, world.Connect("192.168.0.1:5").GetData("/ip").Error);
        Assert.Equal(0, world.Connect("10.9.9.9:5").GetData("/ip").Error);
        Assert.Equal(0, world.Connect("[::ffff:10.9.9.9]:5").GetData("/ip").Error);
    }
}
