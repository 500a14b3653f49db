using System.Text;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>sessions.md §7, with applies that come when the test says so.</summary>
public sealed class QueueTests
{
    private static string DataOf(Frame frame) => frame.Text;

    [Fact]
    public void Reads_behind_a_write_wait_for_it_and_see_it()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/a", "0");
        world.Sessions.AtOnce = false;
        client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        client.Post(OpCode.SetData, RawClient.Set("/a", "1"));
        client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        client.Connection.Arrive(RawClient.RequestFrame(-2, OpCode.Ping, []));
        client.Turn();
        var first = Assert.Single(client.TakeFrames());
        Assert.Equal("0", DataOf(first));
        world.Sessions.ApplyAll();
        var rest = client.TakeFrames();
        Assert.Equal("3:0 4:0 -2:0", string.Join(' ', rest));
        Assert.Equal("1", DataOf(rest[1]));
        Assert.Equal(rest[0].Zxid, rest[1].Zxid);
    }

    [Fact]
    public void Set_and_get_sixty_times_over_returns_to_each_get_its_own_value()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/a", "start");
        world.Sessions.AtOnce = false;
        for (int i = 0; i < 60; i++)
        {
            client.Post(OpCode.SetData, RawClient.Set("/a", i.ToString()));
            client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        }
        var gets = new List<string>();
        for (int turn = 0; turn < 10; turn++)
        {
            client.Turn();
            world.Sessions.ApplyAll(); // many at once: each get before the next set is applied
            gets.AddRange(client.TakeFrames().Where(f => f.Body.Length != 68).Select(DataOf));
        }
        Assert.Equal(Enumerable.Range(0, 60).Select(i => i.ToString()), gets);
    }

    [Fact]
    public void Writes_are_forwarded_in_the_turn_that_reads_them_whatever_stands_before()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/a", "0");
        world.Sessions.AtOnce = false;
        client.Post(OpCode.Sync, RawClient.Path("/"));
        client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        client.Post(OpCode.SetData, RawClient.Set("/a", "1"));
        client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        client.Post(OpCode.SetData, RawClient.Set("/a", "2"));
        client.Turn();
        Assert.Equal(2, world.Sessions.InLog);
        Assert.Empty(client.TakeFrames());
        // Applying the write answers the sync and the read in front of it, of the state before.
        world.Sessions.ApplyOne();
        var frames = client.TakeFrames();
        Assert.Equal("2:0 3:0 4:0 5:0", string.Join(' ', frames));
        Assert.Equal(("0", "1"), (DataOf(frames[1]), DataOf(frames[3])));
        world.Sessions.AnswerSyncs(); // late: its request is answered long since
        Assert.Empty(client.TakeFrames());
        world.Sessions.ApplyOne();
        Assert.Equal("6:0", client.Heard());
    }

    [Fact]
    public void A_sync_holds_reads_back_until_its_position_is_applied()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.Post(OpCode.Exists, RawClient.PathFlag("/"));
        client.Post(OpCode.Sync, RawClient.Path("/x"));
        client.Post(OpCode.Exists, RawClient.PathFlag("/"));
        client.Post(OpCode.Sync, RawClient.Path("/y"));
        client.Turn();
        Assert.Equal("1:0", client.Heard());
        long[] tokens = [.. world.Sessions.Tokens];
        Assert.Equal(2, tokens.Length);
        ((ZooKeeperConnection)client.Connection.Owner!).OnSynced(tokens[1]); // out of order: keeps its place
        Assert.Empty(client.TakeFrames());
        ((ZooKeeperConnection)client.Connection.Owner!).OnSynced(tokens[0]);
        Assert.Equal("2:0 3:0 4:0", client.Heard());
    }

    [Fact]
    public void An_error_keeps_its_place_behind_a_write()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/a");
        client.Post(OpCode.Create, w => w.JuteString("/cut"));
        client.Post(OpCode.DeleteContainer, RawClient.Path("/a"));
        client.Post(OpCode.Reconfig, _ => { });
        client.Turn();
        Assert.Empty(client.TakeFrames());
        Assert.Equal(1, world.Sessions.InLog);
        world.Sessions.ApplyAll();
        Assert.Equal("1:0 2:-5 3:-8 4:-123", client.Heard());
    }

    [Fact]
    public void An_auth_jumps_ahead_and_counts_only_for_what_is_read_behind_it()
    {
        var world = new FaceWorld();
        var owner = world.Connect();
        owner.Ask(OpCode.Auth, Auth("digest", "u:p"));
        owner.Create("/secret", "s", acls: [new(31, "auth", "")]);
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/w");
        client.Post(OpCode.GetData, RawClient.PathFlag("/secret"));
        client.Connection.Arrive(RawClient.RequestFrame(-4, OpCode.Auth, RawClient.Body(Auth("digest", "u:p"))));
        client.Post(OpCode.GetData, RawClient.PathFlag("/secret"));
        client.Turn();
        var auth = Assert.Single(client.TakeFrames());
        Assert.Equal((-4, 0L, 0), (auth.Xid, auth.Zxid, auth.Error));
        world.Sessions.ApplyAll();
        Assert.Equal("1:0 2:-102 3:0", client.Heard());
    }

    internal static Action<ByteWriter> Auth(string scheme, string proof) => w =>
    {
        w.JuteInt(0);
        w.JuteString(scheme);
        w.JuteString(proof);
    };

    [Fact]
    public void Sixty_four_requests_are_parked_and_then_the_socket_is_not_read()
    {
        var world = new FaceWorld(new FaceOptions { TurnRequests = 1000 });
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/a");
        for (int i = 0; i < 100; i++) client.Post(OpCode.Exists, RawClient.PathFlag("/a"));
        client.Turn();
        Assert.False(client.Connection.Reading);
        int left = client.Connection.Unconsumed;
        Assert.True(left > 0);
        client.Turn();
        client.Turn();
        Assert.Equal(left, client.Connection.Unconsumed); // and no turn is spent on it
        Assert.False(client.Connection.AskedAgain);
        world.Sessions.ApplyAll();
        for (int i = 0; i < 5; i++) client.Turn();
        Assert.Equal(Enumerable.Range(1, 101), client.TakeFrames().Select(f => f.Xid));
        Assert.True(client.Connection.Reading);
        Assert.Equal(0, client.Connection.Unconsumed);
    }

    [Fact]
    public void One_mebibyte_or_one_request_is_parked()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/a");
        string nonsense = new('n', 700_000);
        client.Post(OpCode.Exists, RawClient.PathFlag(nonsense));
        client.Post(OpCode.Exists, RawClient.PathFlag(nonsense));
        client.Turn();
        Assert.False(client.Connection.Reading);
        world.Sessions.ApplyAll();
        client.Turn();
        Assert.Equal("1:0 2:-101 3:-101", client.Heard());
    }

    [Fact]
    public void While_the_window_is_full_a_write_stays_unread()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var other = world.Connect();
        world.Sessions.AtOnce = false;
        world.Sessions.WindowSize = 2;
        client.PostCreate("/a");
        client.PostCreate("/b");
        client.PostCreate("/c");
        client.Post(OpCode.Exists, RawClient.PathFlag("/c"));
        client.Turn();
        Assert.Equal(2, world.Sessions.InLog);
        Assert.False(client.Connection.Reading);
        Assert.Equal(0, other.Exists("/").Error); // others read on
        world.Sessions.ApplyOne();
        client.Turn();
        Assert.Equal(2, world.Sessions.InLog);
        world.Sessions.ApplyAll();
        client.Turn();
        Assert.Equal("1:0 2:0 3:0 4:0", client.Heard());
        Assert.True(client.Connection.Reading);
    }

    [Fact]
    public void A_turn_gives_one_connection_at_most_its_requests()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        for (int i = 0; i < 200; i++) client.Post(OpCode.Exists, RawClient.PathFlag("/"));
        var counts = new List<int>();
        for (int turn = 0; turn < 5; turn++)
        {
            client.Turn();
            counts.Add(client.TakeFrames().Count);
        }
        Assert.Equal([64, 64, 64, 8, 0], counts);
        Assert.False(client.Connection.AskedAgain);
    }

    [Fact]
    public void A_turn_gives_one_connection_at_most_its_reply_bytes()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/big", new string('x', 200_000));
        for (int i = 0; i < 6; i++) client.Post(OpCode.GetData, RawClient.PathFlag("/big"));
        var counts = new List<int>();
        for (int turn = 0; turn < 4; turn++)
        {
            client.Turn();
            counts.Add(client.TakeFrames().Count);
        }
        Assert.Equal([2, 2, 2, 0], counts);
    }

    [Fact]
    public void Parked_reads_behind_a_write_keep_to_the_budget_too_but_not_in_front_of_the_next_write()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/big", new string('x', 200_000));
        world.Sessions.AtOnce = false;
        client.PostCreate("/a");
        for (int i = 0; i < 6; i++) client.Post(OpCode.GetData, RawClient.PathFlag("/big"));
        client.Turn();
        world.Sessions.ApplyAll();
        Assert.Equal("2:0 3:0 4:0", client.Heard());
        client.Turn();
        Assert.Equal("5:0 6:0", client.Heard());
        client.PostCreate("/b");
        client.Turn(); // two more reads use the turn up: the write is still unread
        Assert.Equal("7:0 8:0", client.Heard());
        for (int i = 0; i < 6; i++) client.Post(OpCode.GetData, RawClient.PathFlag("/big"));
        client.PostCreate("/c");
        client.Turn();
        Assert.Equal(2, world.Sessions.InLog);
        world.Sessions.ApplyOne();
        world.Sessions.ApplyOne(); // /c: what stands in front of it is answered whatever it costs
        Assert.Equal("9:0 10:0 11:0 12:0 13:0 14:0 15:0 16:0", client.Heard());
    }

    [Fact]
    public void Who_never_reads_is_closed_when_too_much_is_unsent()
    {
        var world = new FaceWorld(new FaceOptions { MaxUnsentBytes = 1_000_000 });
        var client = world.Connect();
        client.Create("/big", new string('x', 200_000));
        for (int i = 0; i < 20 && !client.Over; i++)
        {
            client.Post(OpCode.GetData, RawClient.PathFlag("/big"));
            client.Turn();
        }
        Assert.True(client.Connection.Aborted);
        Assert.InRange(client.Connection.Output.Length, 1_000_000, 1_500_000);
    }

    [Fact]
    public void The_fullest_connection_goes_when_the_member_holds_too_much()
    {
        var world = new FaceWorld(new FaceOptions { MaxUnsentMemberBytes = 1_000_000 });
        var small = world.Connect();
        small.Create("/big", new string('x', 200_000));
        var large = world.Connect();
        small.Post(OpCode.GetData, RawClient.PathFlag("/big"));
        for (int i = 0; i < 4; i++)
        {
            large.Post(OpCode.GetData, RawClient.PathFlag("/big"));
            world.Turn();
        }
        world.Turn(); // the door could not send it
        world.Turn();
        Assert.True(large.Over);
        Assert.False(small.Over);
    }

    [Fact]
    public void Without_room_writes_are_refused_in_their_place_and_get_no_number()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/a");
        world.Sessions.AtOnce = false;
        client.Post(OpCode.Delete, RawClient.PathInt("/a", -1));
        world.Sessions.HasRoom = false;
        client.PostCreate("/b");
        client.Post(OpCode.SetData, RawClient.Set("/a", "x"));
        client.Post(OpCode.Multi, w => w.MultiHeader(-1, true, -1));
        client.Post(OpCode.Delete, RawClient.PathInt("/a", -1));
        client.Turn();
        Assert.Equal(2, world.Sessions.InLog);
        world.Sessions.ApplyAll();
        Assert.Equal("2:0 3:-1 4:-1 5:-1 6:-101", client.Heard());
        client.Post(OpCode.CloseSession, _ => { });
        client.Turn();
        world.Sessions.ApplyAll();
        Assert.Equal("7:0", client.Heard());
    }

    [Fact]
    public void A_request_beyond_the_largest_number_is_refused()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.MaxRequestBytes = 1000;
        Assert.Equal(ErrorCode.MarshallingError, client.Create("/a", new string('x', 2000)).Error);
        Assert.Equal(0, client.Create("/a", new string('x', 500)).Error);
    }

    [Fact]
    public void Behind_a_close_nothing_is_executed_and_everything_before_it_is_answered()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/e", flags: 1);
        client.Post(OpCode.GetData, RawClient.PathFlag("/e"));
        client.Post(OpCode.CloseSession, _ => { });
        client.PostCreate("/late");
        client.Post(OpCode.GetData, RawClient.PathFlag("/e"));
        client.Turn();
        Assert.Equal(2, world.Sessions.InLog);
        world.Sessions.ApplyAll();
        Assert.Equal("1:0 2:0 3:0", client.Heard());
        Assert.True(client.Connection.Closed);
        Assert.Equal(0, client.Connection.Unconsumed);
        Assert.Equal(0, world.Tree.Find("/late"u8));
        Assert.Equal(0, world.Tree.Find("/e"u8));
    }

    [Fact]
    public void A_connection_that_is_gone_hears_no_answers()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/a");
        client.Post(OpCode.GetData, RawClient.PathFlag("/a"));
        client.Turn();
        client.Connection.Owner!.OnClosed(client.Connection, "reset");
        world.Sessions.ApplyAll();
        Assert.Empty(client.TakeBytes());
        Assert.NotEqual(0, world.Tree.Find("/a"u8)); // the number counts all the same
        Assert.Single(world.Sessions.Left);
    }

    [Fact]
    public void A_hang_up_drops_everything_at_once()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        var fresh = world.Accept();
        client.GetData("/", watch: true);
        world.Face.HangUpAll("this member does not serve");
        Assert.True(client.Connection.Aborted && fresh.Connection.Aborted);
        Assert.Equal((0, 0), (world.Face.ConnectionCount, world.Face.WatchCount));
    }

    [Fact]
    public void Every_request_touches_the_session_when_it_is_read()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        world.Sessions.Touched.Clear();
        client.PostCreate("/a");
        client.Post(OpCode.GetData, RawClient.PathFlag("/a")); // parked
        client.Connection.Arrive(RawClient.RequestFrame(-2, OpCode.Ping, []));
        client.Turn();
        Assert.Equal(3, world.Sessions.Touched.Count);
    }

    [Fact]
    public void A_long_queue_that_never_empties_keeps_its_bytes_straight()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Create("/n", "0");
        world.Sessions.AtOnce = false;
        var expected = new StringBuilder();
        var heard = new StringBuilder();
        for (int i = 0; i < 2000; i++)
        {
            client.Post(OpCode.SetData, RawClient.Set("/n", i.ToString()));
            client.Post(OpCode.GetData, RawClient.PathFlag("/n"));
            expected.Append(i).Append(' ');
            client.Turn();
            if (i >= 5) world.Sessions.ApplyOne();
            foreach (var f in client.TakeFrames().Where(f => f.Body.Length != 68)) heard.Append(DataOf(f)).Append(' ');
        }
        world.Sessions.ApplyAll();
        foreach (var f in client.TakeFrames().Where(f => f.Body.Length != 68)) heard.Append(DataOf(f)).Append(' ');
        Assert.Equal(expected.ToString(), heard.ToString());
    }
}
