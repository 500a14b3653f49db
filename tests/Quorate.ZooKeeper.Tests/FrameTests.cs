using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>zookeeper.md §7, rows 14 to 35: frames, headers, paths.</summary>
public sealed class FrameTests
{
    [Theory]
    [InlineData("00000000")]
    [InlineData("0000000400000001")]
    [InlineData("fffffffb")]
    [InlineData("00100000")]
    [InlineData("72756f6b")]
    public void Row14_and_138_a_bad_length_closes_without_a_byte(string hex)
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Send(Convert.FromHexString(hex));
        Assert.True(client.Over);
        Assert.Empty(client.TakeBytes());
        Assert.Single(world.Sessions.Left);
    }

    [Fact]
    public void Row15_the_largest_frame_is_taken()
    {
        var client = new FaceWorld().Connect();
        byte[] Frame(int bytes) => RawClient.RequestFrame(1, OpCode.Create, RawClient.Body(RawClient.CreateBody("/big", new string('x', bytes))));
        byte[] frame = Frame(1048579 - Frame(0).Length);
        Assert.Equal(1048579, frame.Length);
        client.Send(frame.AsSpan(0, 500_000));
        Assert.Empty(client.TakeBytes());
        client.Send(frame.AsSpan(500_000));
        Assert.Equal("1:0", client.Heard());
    }

    [Fact]
    public void Row16_junk_behind_is_ignored_and_a_cut_body_is_a_marshalling_error()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(0, client.Ask(OpCode.Create, w =>
        {
            RawClient.CreateBody("/junk")(w);
            w.JuteInt(99);
        }).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.Create, w => w.JuteString("/cut")).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.GetData, w => w.JuteString("/cut")).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.SetData, w => w.JuteInt(1 << 30)).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.GetChildren, w => w.JuteInt(-7)).Error);
        Assert.Equal(0, client.Exists("/junk").Error);
    }

    [Fact]
    public void Row17_and_18_a_ping_is_sixteen_bytes_with_xid_minus_two()
    {
        var client = new FaceWorld().Connect();
        client.Send(RawClient.RequestFrame(-2, OpCode.Ping, []));
        Assert.Equal("00000010fffffffe000000000000000100000000", Convert.ToHexString(client.TakeBytes()).ToLowerInvariant());
        client.Send(RawClient.RequestFrame(5, OpCode.Ping, [1, 2, 3]));
        Assert.Equal("-2:0", client.Heard());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-9)]
    public void Row19_any_xid_comes_back(int xid)
    {
        var client = new FaceWorld().Connect();
        client.Send(RawClient.RequestFrame(xid, OpCode.Sync, RawClient.Body(RawClient.Path("nonsense"))));
        var reply = Assert.Single(client.TakeFrames());
        Assert.Equal((xid, "nonsense"), (reply.Xid, reply.Text));
    }

    [Fact]
    public void A_sync_echoes_even_a_null_path()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal("ffffffff", Convert.ToHexString(client.Ask(OpCode.Sync, RawClient.Path(null)).Body).ToLowerInvariant());
    }

    [Fact]
    public void Row20_pipelined_requests_are_answered_in_order()
    {
        var client = new FaceWorld().Connect();
        client.PostCreate("/a");
        client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        client.Post(OpCode.SetData, RawClient.Set("/a", "1"));
        client.Post(OpCode.Sync, RawClient.Path("/"));
        client.Post(OpCode.GetChildren, RawClient.PathFlag("/"));
        client.Post(OpCode.Delete, RawClient.PathInt("/a", -1));
        client.Post(OpCode.Exists, RawClient.PathFlag("/a"));
        client.Connection.Arrive(RawClient.RequestFrame(-2, OpCode.Ping, []));
        client.Turn();
        Assert.Equal("1:0 2:0 3:0 4:0 5:0 6:0 7:-101 -2:0", client.Heard());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(13)]
    [InlineData(23)]
    [InlineData(99)]
    [InlineData(108)]
    [InlineData(1000)]
    [InlineData(-1)]
    [InlineData(-10)]
    public void Row21_and_22_an_unknown_operation_is_unimplemented_and_ends_the_connection(int op)
    {
        var client = new FaceWorld().Connect();
        client.Send([.. RawClient.RequestFrame(7, op, [1, 2]), .. RawClient.RequestFrame(8, OpCode.Ping, [])]);
        var reply = Assert.Single(client.TakeFrames());
        Assert.Equal((7, -1L, ErrorCode.Unimplemented), (reply.Xid, reply.Zxid, reply.Error));
        Assert.True(client.Connection.Closed);
    }

    [Fact]
    public void Row23_a_null_path_is_a_marshalling_error()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.MarshallingError, client.GetData(null).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Exists(null).Error);
        Assert.Equal(ErrorCode.MarshallingError, client.Create(null!).Error);
        Assert.False(client.Over);
    }

    [Fact]
    public void Row24_a_failed_write_takes_a_zxid_and_a_read_does_not()
    {
        var client = new FaceWorld().Connect();
        long first = client.Create("/a").Zxid;
        var second = client.Create("/a");
        Assert.Equal((first + 1, ErrorCode.NodeExists), (second.Zxid, second.Error));
        Assert.Equal(first + 1, client.Exists("/a").Zxid);
        Assert.Empty(second.Body);
    }

    [Fact]
    public void Rows25_to_28_paths_of_creates()
    {
        var client = new FaceWorld().Connect();
        client.Create("/c1");
        foreach (var (path, error) in new[] { ("/", -110), ("", -8), ("c", -8), ("/c1/", -8), ("/..", -8), ("/nope/x", -101), ("/a//b", -101), ("/c/", -101), ("/a/./b", -101), ("/\u0001", -8), ("/\u007f", -8), ("/\ue000", -8), ("/\ufff0", -8), ("/\U0001F600", -8), ("/...", 0), ("/.x", 0), ("/\u00e9", 0), ("/a b", 0) })
            Assert.Equal((path, error), (path, client.Create(path).Error));
    }

    [Fact]
    public void Row29_malformed_utf8_becomes_U_FFFD()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.BadArguments, client.Ask(OpCode.Create, w =>
        {
            w.JuteBuffer([(byte)'/', 0xc3, 0x28]);
            w.JuteString("");
            WireAclOpen(w);
            w.JuteInt(0);
        }).Error);
        Assert.Equal(ErrorCode.NoNode, client.Ask(OpCode.Exists, w =>
        {
            w.JuteBuffer([(byte)'/', 0xff, 0xfe]);
            w.JuteBool(true);
        }).Error);
    }

    private static void WireAclOpen(ByteWriter w)
    {
        w.JuteInt(1);
        w.JuteInt(31);
        w.JuteString("world");
        w.JuteString("anyone");
    }

    [Fact]
    public void Rows30_to_32_reads_of_odd_strings()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(client.GetData("/").Body, client.GetData("").Body);
        Assert.Equal(ErrorCode.BadArguments, client.Exists("/a\0b").Error);
        foreach (string odd in new[] { "/none", "none", "//", "/a/", "/../x" })
        {
            Assert.Equal(ErrorCode.NoNode, client.GetData(odd).Error);
            Assert.Equal(ErrorCode.NoNode, client.GetChildren(odd).Error);
            Assert.Equal(ErrorCode.NoNode, client.Ask(OpCode.GetAllChildrenNumber, RawClient.Path(odd)).Error);
        }
    }

    [Fact]
    public void Rows33_to_35_what_may_not_be_deleted()
    {
        var client = new FaceWorld().Connect();
        client.Create("/c1");
        foreach (string path in new[] { "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config" }) Assert.Equal(ErrorCode.BadArguments, client.Delete(path).Error);
        Assert.Equal(ErrorCode.NoNode, client.Delete("/c1/").Error);
        Assert.Equal(0, client.Create("/zookeeper/x").Error);
    }

    [Fact]
    public void Byte_by_byte_is_no_different()
    {
        var world = new FaceWorld();
        var client = world.Accept();
        byte[] all = [.. RawClient.ConnectFrame(), .. RawClient.RequestFrame(1, OpCode.Create, RawClient.Body(RawClient.CreateBody("/a", "x"))), .. RawClient.RequestFrame(2, OpCode.GetData, RawClient.Body(RawClient.PathFlag("/a")))];
        foreach (byte b in all) client.Send([b]);
        client.Turn();
        byte[] bytes = client.TakeBytes();
        Assert.Equal(41 + 4 + 16 + 6 + 4 + 16 + 5 + 68, bytes.Length);
    }
}
