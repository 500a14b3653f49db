using System.Text;
using Quorate.Primitives.Tree;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>sessions.md §7.4: a huge list of children goes out in slices of one zxid.</summary>
public sealed class LongListTests
{
    private const int Many = 200_000;

    /// <summary>A tree with /p and so many children, made without a client. In order of their names, or the other way round.</summary>
    private static FaceWorld WorldWith(int children, bool backwards = false)
    {
        var world = new FaceWorld();
        world.Connect().Create("/p");
        var request = new ByteWriter();
        var transaction = new ByteWriter();
        var result = new ByteWriter();
        for (int i = 0; i < children; i++)
        {
            request.Clear();
            transaction.Clear();
            TreeRequests.Begin(request, Identities.OfAddress("127.0.0.1"));
            TreeRequests.Create(request, TreeOp.Create, Encoding.UTF8.GetBytes("/p/" + NameOf(backwards ? children - 1 - i : i)), default, false);
            TreeRequests.Acls(request, 1);
            TreeRequests.Acl(request, 31, "world"u8, "anyone"u8);
            TreeRequests.CreateEnd(request, 0);
            world.Tree.Prepare(new PrepareContext(1_000_000 + i, 0, 1, Limits.MaxEntryBytes), request.Written, transaction);
            world.Tree.Apply(new ApplyContext(10_000 + i, ++world.Sessions.LastZxid, 1, 0, false), transaction.Written, world.Face, result);
            world.Tree.ReleasePending(1_000_000 + i);
        }
        return world;
    }

    private static string NameOf(int i) => "child-" + i.ToString("0000000");

    private static string[] Names(int from, int count) => [.. Enumerable.Range(from, count).Select(NameOf)];

    /// <summary>Turns until nothing is left to do; what came, in how many turns, and the most that one gave.</summary>
    private static (byte[] Bytes, int Turns, int Largest) Collect(RawClient client, Action? turn = null)
    {
        var bytes = new List<byte>();
        int turns = 0, largest = 0;
        for (; turns < 5000; turns++)
        {
            byte[] slice = client.TakeBytes();
            largest = Math.Max(largest, slice.Length);
            bytes.AddRange(slice);
            if (bytes.Count > 4 && !client.Connection.AskedAgain) break;
            if (turn is null) client.Turn();
            else turn();
        }
        return ([.. bytes], turns, largest);
    }

    private static List<Frame> Cut(byte[] bytes)
    {
        var frames = new List<Frame>();
        for (int at = 0; at < bytes.Length;)
        {
            var r = new JuteReader(bytes.AsSpan(at));
            int length = r.Int();
            var frame = new JuteReader(bytes.AsSpan(at + 4, length));
            frames.Add(new Frame(frame.Int(), frame.Long(), frame.Int(), frame.Rest.ToArray()));
            at += 4 + length;
        }
        return frames;
    }

    [Fact]
    public void Two_hundred_thousand_children_go_out_in_slices_and_others_are_answered_between_them()
    {
        var world = WorldWith(Many);
        var client = world.Connect();
        var other = world.Connect("127.0.0.1:40001");
        long zxid = world.Sessions.LastZxid;
        client.Post(OpCode.GetChildren2, RawClient.PathFlag("/p"));
        int answered = 0;
        client.Turn();
        var (bytes, turns, largest) = Collect(client, () =>
        {
            int xid = other.Post(OpCode.Exists, RawClient.PathFlag("/"));
            other.Turn(); // for both: the client gets its next slice
            Assert.Equal($"{xid}:0", other.Heard());
            answered++;
        });
        var list = Assert.Single(Cut(bytes));
        Assert.Equal(zxid, list.Zxid);
        Assert.Equal(Names(0, Many), list.Names);
        Assert.Equal(Many, list.Stat.NumChildren);
        Assert.InRange(largest, 1, Limits.TurnReplyBytes + 256);
        Assert.True(turns > 5 && answered == turns, $"{turns} turns, {answered} answers of the other");
    }

    [Fact]
    public void Children_that_were_not_made_in_order_are_sorted_in_slices_too()
    {
        var world = WorldWith(20_000, backwards: true);
        var client = world.Connect();
        client.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        client.Turn();
        var (bytes, turns, _) = Collect(client);
        Assert.Equal(Names(0, 20_000), Assert.Single(Cut(bytes)).Names);
        Assert.True(turns > 5);
    }

    /// <summary>The first slice is out, or not even gathered: what comes is the list of the zxid that it begins with, without the new child and with the deleted one.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 9)]
    [InlineData(true, 1)]
    [InlineData(true, 4)]
    public void A_change_to_the_parent_in_the_middle_is_not_seen_and_the_rest_comes_at_once(bool backwards, int after)
    {
        int children = backwards ? 20_000 : 100_000;
        var world = WorldWith(children, backwards);
        var client = world.Connect();
        var other = world.Connect("127.0.0.1:40001");
        long zxid = world.Sessions.LastZxid;
        client.Post(OpCode.GetChildren2, RawClient.PathFlag("/p"));
        for (int i = 0; i < after; i++) client.Turn();
        Assert.True(client.Connection.AskedAgain);
        other.PostCreate("/p/a-new-one");
        other.Post(OpCode.Delete, RawClient.PathInt("/p/" + NameOf(children - 1), -1));
        other.Turn();
        Assert.Equal("1:0 2:0", other.Heard());
        var list = Assert.Single(Cut(client.TakeBytes()));
        Assert.Equal(zxid, list.Zxid);
        Assert.Equal(Names(0, children), list.Names);
        Assert.Equal(children, list.Stat.NumChildren);
        client.Turn();
        Assert.Empty(client.TakeBytes());
        Assert.Equal(children, client.Exists("/p").Stat.NumChildren); // one came, one went
    }

    [Fact]
    public void A_change_elsewhere_lets_the_slices_go_on()
    {
        var world = WorldWith(60_000);
        var client = world.Connect();
        var other = world.Connect("127.0.0.1:40001");
        client.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        client.Turn();
        other.Create("/q");
        other.SetData("/p/" + NameOf(7), "x");
        Assert.True(client.Connection.AskedAgain);
        var (bytes, turns, _) = Collect(client);
        Assert.Equal(Names(0, 60_000), Assert.Single(Cut(bytes)).Names);
        Assert.True(turns > 2);
    }

    /// <summary>The event of a watch that this very list set, too: a client that heard it before the reply would not know the watch.</summary>
    [Fact]
    public void Events_of_the_same_connection_stay_behind_the_list()
    {
        var world = WorldWith(60_000);
        var client = world.Connect();
        var other = world.Connect("127.0.0.1:40001");
        client.Create("/v");
        client.GetData("/v", watch: true);
        int xid = client.Post(OpCode.GetChildren, RawClient.PathFlag("/p", watch: true));
        client.Turn();
        other.SetData("/v", "x");
        Assert.True(client.Connection.AskedAgain);
        client.Turn();
        other.Create("/p/another");
        Assert.Equal($"{xid}:0 3(/v) 4(/p)", string.Join(' ', Cut(client.TakeBytes())));
    }

    [Fact]
    public void Requests_of_the_same_connection_are_answered_behind_it_and_in_order()
    {
        var world = WorldWith(60_000);
        var client = world.Connect();
        int list = client.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        int read = client.Post(OpCode.Exists, RawClient.PathFlag("/p"));
        int write = client.PostCreate("/after");
        int again = client.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        client.Turn();
        var (bytes, _, _) = Collect(client);
        Assert.Equal($"{list}:0 {read}:0 {write}:0 {again}:0", string.Join(' ', Cut(bytes)));
    }

    /// <summary>A list behind a write that is applied late, with another write behind the list: it is of the state between the two (sessions.md §7.2).</summary>
    [Fact]
    public void A_list_between_two_writes_is_whole_before_the_second_is_applied()
    {
        var world = WorldWith(60_000);
        var client = world.Connect();
        world.Sessions.AtOnce = false;
        client.PostCreate("/p/y-first");
        client.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        client.PostCreate("/p/z-second");
        client.Turn();
        world.Sessions.ApplyOne();
        Assert.True(client.Connection.AskedAgain);
        world.Sessions.ApplyOne();
        var frames = Cut(client.TakeBytes());
        Assert.Equal("1:0 2:0 3:0", string.Join(' ', frames));
        Assert.Equal([.. Names(0, 60_000), "y-first"], frames[1].Names);
    }

    [Fact]
    public void A_connection_that_closes_in_the_middle_leaves_nothing_behind()
    {
        var world = WorldWith(60_000);
        var client = world.Connect();
        var other = world.Connect("127.0.0.1:40001");
        client.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        client.Turn();
        client.Turn();
        ((IConnectionOwner)client.Connection.Owner!).OnClosed(client.Connection, "gone");
        int length = client.Connection.Output.Length;
        other.Create("/p/x");
        Assert.Equal(length, client.Connection.Output.Length);
        Assert.Equal(0, world.Face.ListsUnderWay);
        other.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        other.Turn();
        var (bytes, _, _) = Collect(other);
        Assert.Equal(60_001, Assert.Single(Cut(bytes)).Names.Length);
    }

    [Fact]
    public void Many_lists_at_once_come_out_whole()
    {
        var world = WorldWith(20_000);
        var clients = Enumerable.Range(0, 20).Select(i => world.Connect($"127.0.0.1:{41_000 + i}")).ToList();
        foreach (var c in clients) c.Post(OpCode.GetChildren, RawClient.PathFlag("/p"));
        world.Turn();
        Assert.Equal(20, world.Face.ListsUnderWay);
        world.Connect().Create("/q");
        foreach (var c in clients)
        {
            var (bytes, _, _) = Collect(c);
            Assert.Equal(Names(0, 20_000), Assert.Single(Cut(bytes)).Names);
        }
        Assert.Equal(0, world.Face.ListsUnderWay);
    }
}
