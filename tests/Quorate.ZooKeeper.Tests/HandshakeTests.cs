using System.Text;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>zookeeper.md §7, rows 1 to 12.</summary>
public sealed class HandshakeTests
{
    private static string Hex(byte[] bytes) => Convert.ToHexString(bytes).ToLowerInvariant();

    [Theory]
    [InlineData(true, 37)]
    [InlineData(false, 36)]
    public void Row1And2_the_answer_has_the_read_only_byte_if_the_request_had_it(bool asked, int bytes)
    {
        var client = new FaceWorld().Accept();
        client.Send(RawClient.ConnectFrame(readOnlyByte: asked));
        byte[] answer = client.TakeHandshake();
        Assert.Equal(bytes, answer.Length);
        Assert.Equal(16, client.Password.Length);
        if (asked) Assert.Equal(0, answer[^1]);
        Assert.Equal(1, client.Session >> 56);
    }

    [Theory]
    [InlineData(1, 4000)]
    [InlineData(-5, 4000)]
    [InlineData(100_000, 40_000)]
    [InlineData(10_000, 10_000)]
    public void Row3_timeouts_are_negotiated(int asked, int given)
    {
        var client = new FaceWorld().Accept();
        client.Send(RawClient.ConnectFrame(asked));
        client.TakeHandshake();
        Assert.Equal(given, client.Timeout);
    }

    [Fact]
    public void Row4_the_version_is_not_looked_at()
    {
        var client = new FaceWorld().Accept();
        client.Send(RawClient.ConnectFrame(version: 99));
        Assert.Equal("00000000", Hex(client.TakeHandshake())[..8]);
    }

    [Fact]
    public void Row5_a_new_session_needs_no_password()
    {
        foreach (byte[]? password in new[] { [], new byte[5], null })
        {
            var client = new FaceWorld().Accept();
            client.Send(RawClient.ConnectFrame(password: password, nullPassword: password is null));
            client.TakeHandshake();
            Assert.NotEqual(0, client.Session);
            Assert.Equal(16, client.Password.Length);
        }
    }

    [Fact]
    public void Row6_who_saw_more_than_we_have_is_closed_without_a_byte()
    {
        var world = new FaceWorld();
        var client = world.Accept();
        client.Send(RawClient.ConnectFrame(seen: 100));
        Assert.True(client.Over);
        Assert.Empty(client.TakeBytes());
        Assert.Equal(0, world.Face.ConnectionCount);
    }

    [Fact]
    public void Row6_an_attach_is_judged_when_its_answer_comes()
    {
        var world = new FaceWorld();
        var first = world.Connect();
        var second = world.Accept();
        world.Sessions.AtOnce = false;
        second.Send(RawClient.ConnectFrame(session: first.Session, password: first.Password, seen: 5));
        Assert.False(second.Over);
        world.Sessions.LastZxid = 5;
        world.Sessions.ApplyAll();
        Assert.False(second.Over);
        Assert.Equal(41, second.TakeBytes().Length);
        var third = world.Accept();
        third.Send(RawClient.ConnectFrame(session: first.Session, password: first.Password, seen: 6));
        world.Sessions.ApplyAll();
        Assert.True(third.Over);
        Assert.Empty(third.TakeBytes());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Row7_an_unknown_session_or_a_wrong_password_is_refused_with_zeros(bool readOnlyByte)
    {
        var world = new FaceWorld();
        var holder = world.Connect();
        foreach (var (session, password) in new[] { (77L, holder.Password), (holder.Session, new byte[16]) })
        {
            var client = world.Accept();
            client.Send(RawClient.ConnectFrame(session: session, password: password, readOnlyByte: readOnlyByte));
            Assert.Equal("00000000" + "00000000" + "0000000000000000" + "00000010" + new string('0', 32) + (readOnlyByte ? "00" : ""), Hex(client.TakeHandshake()));
            Assert.True(client.Connection.Closed);
        }
        Assert.False(holder.Over); // the password is judged before the kick
    }

    [Fact]
    public void Row8_a_session_moves_to_its_newest_connection()
    {
        var world = new FaceWorld();
        var first = world.Connect();
        var second = world.Accept();
        second.Send(RawClient.ConnectFrame(20_000, first.Session, first.Password));
        second.TakeHandshake();
        Assert.True(first.Over);
        Assert.Equal(first.Session, second.Session);
        Assert.Equal(first.Password, second.Password);
        Assert.Equal(20_000, second.Timeout);
    }

    [Fact]
    public void Row9_a_closed_session_is_unknown()
    {
        var world = new FaceWorld();
        var client = world.Connect();
        client.Ask(OpCode.CloseSession, _ => { });
        Assert.True(client.Connection.Closed);
        var again = world.Accept();
        again.Send(RawClient.ConnectFrame(session: client.Session, password: client.Password));
        again.TakeHandshake();
        Assert.Equal(0, again.Timeout);
    }

    [Fact]
    public void Row10_what_is_no_handshake_closes_without_a_byte()
    {
        byte[] whole = RawClient.ConnectFrame();
        byte[] noPassword = [0, 0, 0, 24, .. whole[4..28]];
        byte[] longPassword = [0, 0, 0, 28, .. whole[4..28], 0, 0, 0, 99];
        foreach (byte[] bytes in new[] { [0, 0, 0, 3, 1, 2, 3], noPassword, longPassword, Encoding.ASCII.GetBytes("xxxx"), Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n"), Convert.FromHexString("7fffffff00"), Convert.FromHexString("ffffffff") })
        {
            var client = new FaceWorld().Accept();
            client.Send(bytes);
            Assert.True(client.Over);
            Assert.Empty(client.TakeBytes());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(20)]
    public void Row11_who_never_finishes_a_handshake_is_closed_after_ten_to_twenty_seconds(int bytes)
    {
        var world = new FaceWorld();
        var client = world.Accept();
        client.Send(RawClient.ConnectFrame().AsSpan(0, bytes));
        world.Pass(10_000);
        world.Turn();
        Assert.False(client.Over);
        Assert.InRange(world.Face.NextWake, world.Sessions.Now.Micros, world.Sessions.Now.Micros + 10_000_000);
        world.Pass(10_000);
        world.Turn();
        Assert.True(client.Over);
        Assert.Empty(client.TakeBytes());
        Assert.Equal(Instant.Never, world.Face.NextWake);
    }

    [Fact]
    public void Row12_what_is_pipelined_behind_the_handshake_waits_and_is_answered_in_order()
    {
        var world = new FaceWorld(atOnce: false);
        var client = world.Accept();
        byte[] exists = RawClient.RequestFrame(1, OpCode.Exists, RawClient.Body(RawClient.PathFlag("/")));
        byte[] ping = RawClient.RequestFrame(-2, OpCode.Ping, []);
        client.Send([.. RawClient.ConnectFrame(), .. exists, .. ping]);
        client.Turn();
        Assert.Empty(client.TakeBytes());
        Assert.Empty(world.Sessions.Touched); // behind an unanswered handshake nothing touches
        world.Sessions.ApplyAll();
        client.Turn();
        byte[] bytes = client.TakeBytes();
        Assert.Equal(4 + 37 + 4 + 16 + 68 + 4 + 16, bytes.Length);
        Assert.Equal("0000001000000000fffffffe"[..8], Hex(bytes[^20..^16]));
        Assert.Equal(2, world.Sessions.Touched.Count);
        Assert.True(client.Connection.Reading);
    }

    [Fact]
    public void A_member_that_does_not_serve_or_has_no_room_closes_the_handshake()
    {
        var world = new FaceWorld();
        var holder = world.Connect();
        world.Sessions.HasRoom = false;
        var opener = world.Accept();
        opener.Send(RawClient.ConnectFrame());
        Assert.True(opener.Over);
        Assert.Empty(opener.TakeBytes());
        var attacher = world.Accept();
        attacher.Send(RawClient.ConnectFrame(session: holder.Session, password: holder.Password));
        Assert.Equal(37, attacher.TakeHandshake().Length);
        world.Sessions.Serving = false;
        var late = world.Accept();
        late.Send(RawClient.ConnectFrame());
        Assert.True(late.Over);
        Assert.Empty(late.TakeBytes());
    }

    [Fact]
    public void A_client_that_leaves_while_its_handshake_is_in_the_log_is_told_to_the_sessions()
    {
        var world = new FaceWorld(atOnce: false);
        var client = world.Accept();
        client.Send(RawClient.ConnectFrame());
        client.Connection.Owner!.OnClosed(client.Connection, "reset");
        Assert.Single(world.Sessions.Left);
        world.Sessions.ApplyAll();
        Assert.Empty(client.TakeBytes());
        Assert.Equal(0, world.Face.ConnectionCount);
    }

    [Fact]
    public void Row144_one_connection_too_many_of_an_address_is_closed_before_any_byte()
    {
        var world = new FaceWorld(new FaceOptions { MaxClientCnxns = 2 });
        var a = world.Accept("10.0.0.1:1");
        world.Accept("10.0.0.1:2");
        Assert.True(world.Accept("10.0.0.1:3").Over);
        Assert.False(world.Accept("10.0.0.2:1").Over);
        a.Connection.Owner!.OnClosed(a.Connection, "gone");
        Assert.False(world.Accept("10.0.0.1:4").Over);
    }

    [Fact]
    public void No_password_stands_in_any_note()
    {
        var world = new FaceWorld(new FaceOptions { MaxClientCnxns = 1 });
        var client = world.Connect();
        world.Accept();
        Assert.DoesNotContain(world.Lines, l => l.Contains(Convert.ToHexString(client.Password), StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>1 The window is full and there is no leader: the member does not serve. 2 Clients come and go: none of them may stay in the list of those who wait for the window.</summary>
    [Fact]
    public void Who_comes_while_nobody_serves_is_closed_and_does_not_wait_for_the_window()
    {
        var world = new FaceWorld(atOnce: false);
        world.Sessions.WindowSize = 0;
        world.Sessions.Serving = false;
        for (int i = 0; i < 100; i++)
        {
            var client = world.Accept();
            client.Send(RawClient.ConnectFrame());
            Assert.True(client.Connection.Closed);
        }
        Assert.Equal(0, world.Face.AwaitingWindow);
    }

    [Fact]
    public void A_connection_that_closes_while_it_waits_for_the_window_leaves_the_list()
    {
        var world = new FaceWorld(atOnce: false);
        world.Sessions.WindowSize = 0;
        var clients = Enumerable.Range(0, 10).Select(_ => world.Accept()).ToList();
        foreach (var client in clients) client.Send(RawClient.ConnectFrame());
        Assert.Equal(10, world.Face.AwaitingWindow);
        foreach (int i in new[] { 9, 0, 4 }) ((IConnectionOwner)clients[i].Connection.Owner!).OnClosed(clients[i].Connection, "gone");
        clients[5].Connection.Owner!.OnClosed(clients[5].Connection, "gone");
        Assert.Equal(6, world.Face.AwaitingWindow);
        world.Sessions.WindowSize = 100;
        world.Face.WindowOpened();
        Assert.Equal(0, world.Face.AwaitingWindow);
        world.Turn();
        Assert.Equal(6, world.Sessions.InLog);
    }
}
