using Quorate.ZooKeeper.Client;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>zookeeper.md §7, rows 81 to 101 and 125: watches, their order, setWatches.</summary>
public sealed class WatchTests
{
    private static string Hex(byte[] bytes) => Convert.ToHexString(bytes).ToLowerInvariant();

    [Fact]
    public void Rows81_and_82_the_event_comes_before_the_own_reply()
    {
        var client = new FaceWorld().Connect();
        client.Create("/v");
        client.GetData("/v", watch: true);
        client.Send(RawClient.RequestFrame(9, OpCode.SetData, RawClient.Body(RawClient.Set("/v", "x"))));
        byte[] bytes = client.TakeBytes();
        // Length, xid -1, the transaction's zxid (3.9), err 0, type 3, state 3, "/v".
        Assert.Equal("0000001e" + "ffffffff" + "0000000000000003" + "00000000" + "00000003" + "00000003" + "00000002" + "2f76", Hex(bytes[..34]));
        Assert.Equal("00000054" + "00000009" + "0000000000000003" + "00000000", Hex(bytes[34..54]));
    }

    [Fact]
    public void Row83_exists_on_a_missing_node_and_a_child_watch_on_its_parent()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.NoNode, client.Exists("/n", watch: true).Error);
        client.GetChildren("/", watch: true);
        client.PostCreate("/n");
        client.Turn();
        Assert.Equal("1(/n) 4(/) 3:0", client.Heard());
    }

    [Fact]
    public void Row84_delete_with_all_watches()
    {
        var client = new FaceWorld().Connect();
        client.Create("/p");
        client.Create("/p/n");
        client.GetData("/p/n", watch: true);
        client.GetChildren("/p/n", watch: true);
        client.GetChildren("/p", watch: true);
        client.Post(OpCode.Delete, RawClient.PathInt("/p/n", -1));
        client.Turn();
        Assert.Equal("2(/p/n) 4(/p) 6:0", client.Heard());
    }

    [Fact]
    public void Rows85_to_89_what_fires_nothing()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var writer = world.Connect();
        client.GetData("/n", watch: true);
        client.GetChildren("/n", watch: true);
        writer.Create("/n");
        Assert.Empty(client.Heard()); // 85: no watch on a missing node
        client.GetData("/n", watch: true);
        client.Exists("/n", watch: true);
        client.GetChildren("/n", watch: true);
        client.GetChildren("/", watch: true);
        writer.Ask(OpCode.SetAcl, TreeRowTests.SetAcl("/n", -1, new WireAcl(31, "world", "anyone")));
        writer.SetData("/n", "x", 99);
        Assert.Empty(client.Heard()); // 86: setACL and failed writes
        writer.SetData("/n", "x");
        Assert.Equal("3(/n)", client.Heard()); // 87: one event for two ways, 89: none for the parent
        writer.SetData("/n", "y");
        Assert.Empty(client.Heard()); // 88
    }

    [Fact]
    public void Row90_who_may_not_read_hears_nothing_and_the_watch_is_used_up()
    {
        var world = new FaceWorld();
        var owner = world.Connect();
        TreeRowTests.Authenticate(owner, "digest", "u:p");
        owner.Create("/n");
        var client = world.Connect();
        client.GetData("/n", watch: true);
        owner.Ask(OpCode.SetAcl, TreeRowTests.SetAcl("/n", -1, new WireAcl(31, "auth", "")));
        owner.SetData("/n", "secret");
        Assert.Empty(client.Heard());
        Assert.Equal(0, world.Face.WatchCount);
    }

    [Fact]
    public void Row91_persistent()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var writer = world.Connect();
        Assert.Equal("00000000", Hex(client.Ask(OpCode.AddWatch, RawClient.PathInt("/n", 0)).Body));
        writer.Create("/n");
        writer.Create("/n/c");
        writer.SetData("/n", "x");
        writer.SetData("/n/c", "x");
        writer.Delete("/n/c");
        writer.Delete("/n");
        Assert.Equal("1(/n) 4(/n) 3(/n) 4(/n) 2(/n)", client.Heard());
    }

    [Fact]
    public void Row92_recursive()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var writer = world.Connect();
        client.Ask(OpCode.AddWatch, RawClient.PathInt("/n", 1));
        foreach (string path in new[] { "/n", "/n/c", "/n/c/g", "/nn" }) writer.Create(path);
        writer.SetData("/n/c", "x");
        foreach (string path in new[] { "/n/c/g", "/n/c", "/n" }) writer.Delete(path);
        Assert.Equal("1(/n) 1(/n/c) 1(/n/c/g) 3(/n/c) 2(/n/c/g) 2(/n/c) 2(/n)", client.Heard());
        client.Ask(OpCode.AddWatch, RawClient.PathInt("/", 1));
        writer.Create("/q");
        Assert.Equal("1(/q)", client.Heard());
    }

    [Fact]
    public void Row93_a_one_shot_beside_a_persistent_watch()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var writer = world.Connect();
        writer.Create("/n");
        client.Ask(OpCode.AddWatch, RawClient.PathInt("/n", 0));
        client.GetData("/n", watch: true);
        writer.SetData("/n", "1");
        writer.SetData("/n", "2");
        Assert.Equal("3(/n) 3(/n)", client.Heard());
    }

    [Fact]
    public void Row94_modes_and_odd_paths()
    {
        var client = new FaceWorld().Connect();
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.AddWatch, RawClient.PathInt("/a", 9)).Error);
        foreach (string path in new[] { "xx", "" }) Assert.Equal("00000000", Hex(client.Ask(OpCode.AddWatch, RawClient.PathInt(path, 0)).Body));
    }

    private static Action<ByteWriter> Lists(long seen, params string[]?[] lists) => w =>
    {
        w.JuteLong(seen);
        foreach (string[]? list in lists)
        {
            w.JuteInt(list?.Length ?? -1);
            foreach (string path in list ?? []) w.JuteString(path);
        }
    };

    [Fact]
    public void Row95_setWatches_tells_what_was_missed_before_its_reply_and_registers_the_rest()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/changed");
        client.Create("/parent");
        long seen = client.Create("/same").Zxid;
        client.SetData("/changed", "x");
        client.Create("/parent/c");
        client.Create("/new");
        client.Connection.Arrive(RawClient.RequestFrame(-8, OpCode.SetWatches, RawClient.Body(Lists(seen, ["/changed", "/gone", "/same"], ["/new", "/never"], ["/parent", "/gone", "/same"]))));
        client.Turn();
        var frames = client.TakeFrames();
        Assert.Equal("3(/changed) 2(/gone) 1(/new) 4(/parent) 2(/gone) -8:0", string.Join(' ', frames));
        Assert.All(frames.SkipLast(1), f => Assert.Equal(-1, f.Zxid));
        Assert.Empty(frames[^1].Body);
        Assert.Equal(2, world.Face.WatchCount); // /same data and child in one row, /never
        var writer = world.Connect();
        writer.Create("/never");
        writer.Create("/same/c");
        writer.SetData("/same", "x");
        Assert.Equal("1(/never) 4(/same) 3(/same)", client.Heard());
    }

    [Fact]
    public void Rows96_to_98_empty_null_and_persistent_lists()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Send(RawClient.RequestFrame(77, OpCode.SetWatches, RawClient.Body(Lists(0, [], [], []))));
        Assert.Equal(20, client.TakeBytes().Length);
        Assert.Equal(ErrorCode.MarshallingError, client.Ask(OpCode.SetWatches, Lists(0, ["/zookeeper"], null, [])).Error);
        Assert.Equal(0, world.Face.WatchCount); // nothing of it was done
        client.Create("/p");
        Assert.Equal(0, client.Ask(OpCode.SetWatches2, Lists(0, [], [], [], ["/p"], ["/r"])).Error);
        var writer = world.Connect();
        writer.SetData("/p", "x");
        writer.Create("/r");
        Assert.Equal("3(/p) 1(/r)", client.Heard());
    }

    [Fact]
    public void Rows99_to_101_check_and_remove()
    {
        var client = new FaceWorld().Connect();
        client.GetData("/", watch: true);
        int Check(int type) => client.Ask(OpCode.CheckWatches, RawClient.PathInt("/", type)).Error;
        int Remove(int type) => client.Ask(OpCode.RemoveWatches, RawClient.PathInt("/", type)).Error;
        Assert.Equal((0, -121, -5, -121, -121, 0), (Check(2), Check(1), Check(9), Check(4), Check(5), Check(3)));
        Assert.Equal((0, -121), (Remove(3), Remove(3)));
        client.Ask(OpCode.AddWatch, RawClient.PathInt("/", 0));
        client.Ask(OpCode.AddWatch, RawClient.PathInt("/", 1));
        Assert.Equal((-121, -121, 0, 0, -121), (Remove(1), Remove(2), Remove(4), Remove(5), Remove(3)));
        client.Create("/x");
    }

    [Fact]
    public void Row125_a_closed_session_takes_its_ephemerals_along_before_its_reply()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var other = world.Connect();
        client.Create("/e", flags: 1);
        other.Exists("/e", watch: true);
        other.GetChildren("/", watch: true);
        Assert.Equal(0, client.Ask(OpCode.CloseSession, _ => { }).Error);
        Assert.True(client.Connection.Closed);
        Assert.Equal("2(/e) 4(/)", other.Heard());
        Assert.Equal(ErrorCode.NoNode, other.Exists("/e").Error);
    }

    [Fact]
    public void An_expired_session_closes_without_a_byte_and_its_watches_are_gone()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/e", flags: 1);
        client.GetData("/", watch: true);
        var other = world.Connect();
        other.Exists("/e", watch: true);
        world.Sessions.Expire(client.Session);
        Assert.True(client.Connection.Aborted);
        Assert.Empty(client.TakeBytes());
        Assert.Equal("2(/e)", other.Heard());
        Assert.Equal(0, world.Face.WatchCount);
    }

    [Fact]
    public void Events_come_before_a_parked_read_that_shows_the_change()
    {
        var world = new FaceWorld();
        var reader = world.Connect();
        var writer = world.Connect();
        writer.Create("/v", "0");
        reader.GetData("/v", watch: true);
        world.Sessions.AtOnce = false;
        writer.Post(OpCode.SetData, RawClient.Set("/v", "1"));
        writer.Turn();
        reader.PostCreate("/w");
        reader.Post(OpCode.GetData, RawClient.PathFlag("/v"));
        reader.Turn();
        world.Sessions.ApplyAll();
        Assert.Equal("3(/v) 2:0 3:0", reader.Heard());
    }

    [Fact]
    public void A_multi_fires_in_the_order_of_its_parts_and_a_one_shot_once()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/v");
        client.GetData("/v", watch: true);
        client.GetChildren("/", watch: true);
        client.Exists("/n", watch: true);
        client.Post(OpCode.Multi, w =>
        {
            WireRequests.MultiSetData(w, "/v"u8, "1"u8);
            WireRequests.MultiCreate(w, "/n"u8, default);
            WireRequests.MultiSetData(w, "/v"u8, "2"u8);
            WireRequests.MultiEnd(w);
        });
        client.Turn();
        Assert.Equal("3(/v) 1(/n) 4(/) 5:0", client.Heard());
    }

    [Fact]
    public void A_thousand_watchers_hear_once_each_and_leave_nothing_behind()
    {
        var world = new FaceWorld();
        var writer = world.Connect();
        writer.Create("/herd");
        var clients = Enumerable.Range(0, 1000).Select(i => world.Connect()).ToList();
        for (int round = 0; round < 3; round++)
        {
            foreach (var c in clients)
            {
                c.Connection.Arrive(RawClient.RequestFrame(1, OpCode.GetData, RawClient.Body(RawClient.PathFlag("/herd", true))));
                c.Connection.Arrive(RawClient.RequestFrame(2, OpCode.Exists, RawClient.Body(RawClient.PathFlag("/herd/" + round, true))));
            }
            world.Turn();
            Assert.Equal(2000, world.Face.WatchCount);
            Assert.All(clients, c => Assert.Equal("1:0 2:-101", c.Heard()));
            writer.SetData("/herd", round.ToString());
            Assert.All(clients, c => Assert.Equal("3(/herd)", c.Heard()));
            writer.Create("/herd/" + round);
            Assert.All(clients, c => Assert.Equal($"1(/herd/{round})", c.Heard()));
            Assert.Equal((0, 0, 0), (world.Face.WatchCount, world.Face.WatchedPaths, world.Face.WatchingConnections));
        }
    }
}
