using System.Diagnostics;
using System.Net.Sockets;
using Quorate.Transport.Doors;

namespace Quorate.Transport.Tests.Doors;

/// <summary>The same for both networks.</summary>
[Collection("doors")]
public sealed class StrandTests
{
    private static Stage Start(string kind)
    {
        var stage = new Stage(kind);
        stage.Strand.Start();
        return stage;
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Bytes_come_back_large_ones_in_pieces(string kind)
    {
        using var stage = Start(kind);
        string address = stage.Listen(_ => Owner.Echo());
        using var client = Stage.Client(address);
        var sent = new byte[20_000_000];
        new Random(1).NextBytes(sent);
        int accepted = 0;
        var sending = new Thread(() => accepted = client.Send(sent));
        sending.Start();
        Thread.Sleep(200);                                  // its socket fills up: partial sends, and more when there is room
        Assert.Equal(sent, Stage.ReadAll(client, sent.Length));
        sending.Join();
        Assert.Equal(sent.Length, accepted);
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void What_is_not_consumed_comes_again_contiguous(string kind)
    {
        using var stage = Start(kind);
        int calls = 0;
        byte[]? whole = null;
        string address = stage.Listen(_ => new Owner
        {
            Bytes = (_, bytes) =>
            {
                calls++;
                if (bytes.Length < 1_000_000) return 0;
                whole = bytes;
                return bytes.Length;
            },
        });
        using var client = Stage.Client(address);
        var sent = new byte[1_000_000];
        new Random(2).NextBytes(sent);
        client.Send(sent, 0, 3, SocketFlags.None);
        Thread.Sleep(30);
        client.Send(sent, 3, sent.Length - 3, SocketFlags.None);
        Stage.Until(() => whole != null, "the whole frame");
        Assert.Equal(sent, whole);
        Assert.True(calls > 1);
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Again_serves_what_was_left_without_new_bytes(string kind)
    {
        using var stage = Start(kind);
        var turns = new List<long>();
        string address = stage.Listen(_ => new Owner
        {
            Bytes = (connection, bytes) =>
            {
                turns.Add(stage.Strand.Turns);
                if (bytes.Length > 10) connection.Again();
                return Math.Min(10, bytes.Length);
            },
        });
        using var client = Stage.Client(address);
        client.Send(new byte[95]);
        Stage.Until(() => stage.Ask(() => turns.Count) == 10, "ten servings");
        Assert.Equal(10, stage.Ask(() => turns.Distinct().Count()));
        long quiet = stage.Strand.Turns;
        Thread.Sleep(100);
        Assert.InRange(stage.Strand.Turns - quiet, 0, 2);
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Nothing_is_read_while_Reading_is_false(string kind)
    {
        using var stage = Start(kind);
        Connection? accepted = null;
        int received = 0;
        string address = stage.Listen(connection =>
        {
            accepted = connection;
            connection.Reading = false;
            return new Owner { Bytes = (_, bytes) => { received += bytes.Length; return bytes.Length; } };
        });
        using var client = Stage.Client(address);
        client.Send(new byte[100]);
        Thread.Sleep(100);
        long turns = stage.Strand.Turns;
        Assert.Equal(0, stage.Ask(() => received));
        Thread.Sleep(100);
        Assert.InRange(stage.Strand.Turns - turns, 0, 3);
        stage.Ask(() => accepted!.Reading = true);
        Stage.Until(() => stage.Ask(() => received) == 100, "the bytes");
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void A_client_that_never_reads_is_seen_in_Unsent_and_aborted_without_a_spin(string kind)
    {
        using var stage = Start(kind);
        Connection? accepted = null;
        string address = stage.Listen(connection => { accepted = connection; return new Owner(); });
        using var client = Stage.Client(address);
        Stage.Until(() => stage.Ask(() => accepted != null), "accepted");
        stage.Ask(() => { accepted!.Output.Take(30_000_000); accepted.Flush(); return 0; });
        Thread.Sleep(100);
        Assert.InRange(stage.Ask(() => accepted!.Unsent), 10_000_000, 30_000_000);
        long turns = stage.Strand.Turns;
        Thread.Sleep(200);
        Assert.InRange(stage.Strand.Turns - turns, 0, 4);
        stage.Ask(() => { accepted!.Abort(); return 0; });
        Stage.Until(() => stage.Ask(() => stage.Network.Count) == 0, "gone");
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Close_sends_what_is_left_first(string kind)
    {
        using var stage = Start(kind);
        string address = stage.Listen(_ => new Owner
        {
            Bytes = (connection, bytes) =>
            {
                connection.Output.Take(5_000_000).Fill(7);
                connection.Close();
                return 1;
            },
        });
        using var client = Stage.Client(address);
        client.Send("ruok"u8);
        Thread.Sleep(100);
        var read = Stage.ReadAll(client, 5_000_001);
        Assert.Equal(5_000_000, read.Length);
        Stage.Until(() => stage.Ask(() => stage.Network.Count) == 0, "gone");
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Both_ways_of_ending_reach_the_owner(string kind)
    {
        using var stage = Start(kind);
        var reasons = new List<string>();
        string address = stage.Listen(_ => new Owner { Closed = (_, reason) => reasons.Add(reason) });
        using (var client = Stage.Client(address)) client.Send("x"u8);
        Stage.Until(() => stage.Ask(() => reasons.Count) == 1, "closed");
        var rude = Stage.Client(address);
        rude.Send("x"u8);
        Thread.Sleep(50);
        rude.LingerState = new LingerOption(true, 0);
        rude.Dispose();
        Stage.Until(() => stage.Ask(() => reasons.Count) == 2, "reset");
        Assert.Equal("the other end closed", reasons[0]);
        Assert.Contains("reset", reasons[1], StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, stage.Ask(() => stage.Network.Count));
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void A_reset_while_nothing_is_read_does_not_spin(string kind)
    {
        using var stage = Start(kind);
        Connection? accepted = null;
        string address = stage.Listen(connection => { accepted = connection; connection.Reading = false; return new Owner(); });
        var rude = Stage.Client(address);
        rude.Send("x"u8);
        Stage.Until(() => stage.Ask(() => accepted != null), "accepted");
        rude.LingerState = new LingerOption(true, 0);
        rude.Dispose();
        Thread.Sleep(50);
        long turns = stage.Strand.Turns;
        Thread.Sleep(200);
        Assert.InRange(stage.Strand.Turns - turns, 0, 3);
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Dialling_stands_is_refused_or_resolved(string kind)
    {
        using var stage = Start(kind);
        string address = stage.Listen(_ => Owner.Echo());
        var events = new List<string>();
        Owner Dialler(string name) => new()
        {
            Connected = connection => { events.Add(name + " connected"); connection.Output.Bytes("hi"u8); connection.Flush(); },
            Bytes = (_, bytes) => { events.Add(name + " " + System.Text.Encoding.UTF8.GetString(bytes)); return bytes.Length; },
            Closed = (_, reason) => events.Add(name + " closed: " + reason),
        };
        stage.Ask(() => stage.Network.Connect(address, Dialler("number")));
        stage.Ask(() => stage.Network.Connect(address.Replace("127.0.0.1", "localhost"), Dialler("name")));
        stage.Ask(() => stage.Network.Connect("127.0.0.1:1", Dialler("dead")));
        stage.Ask(() => stage.Network.Connect("no-such-host.invalid:5", Dialler("unknown")));
        Stage.Until(() => stage.Ask(() => events.Count) == 6, "six events, not " + string.Join(", ", stage.Ask(() => events.ToArray())));
        Assert.Contains("number hi", events);
        Assert.Contains("name hi", events);
        Assert.Contains(events, word => word.StartsWith("dead closed: ", StringComparison.Ordinal) && word.Contains("refused"));
        Assert.Contains(events, word => word.StartsWith("unknown closed: the name 'no-such-host.invalid' has no address", StringComparison.Ordinal));
        Assert.Throws<NetworkException>(() => stage.Ask(() => stage.Network.Connect("nonsense", new Owner())));
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void A_port_in_use_and_a_wrong_address_are_one_clear_line(string kind)
    {
        using var stage = Start(kind);
        string address = stage.Listen(_ => null);
        var used = Assert.Throws<NetworkException>(() => stage.Ask(() => stage.Network.Listen(address, _ => null)));
        Assert.StartsWith($"cannot listen on {address}: Address already in use", used.Message);
        foreach (string wrong in new[] { "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "" })
            Assert.Contains("is not HOST:PORT", Assert.Throws<NetworkException>(() => stage.Ask(() => stage.Network.Listen(wrong, _ => null))).Message);
        Assert.StartsWith("cannot listen on 198.51.100.1:80", Assert.Throws<NetworkException>(() => stage.Ask(() => stage.Network.Listen("198.51.100.1:80", _ => null))).Message);
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void A_port_is_free_again_at_once(string kind)
    {
        string address;
        using (var stage = Start(kind))
        {
            address = stage.Listen(_ => Owner.Echo());
            using var client = Stage.Client(address);
            client.Send("x"u8);
            Stage.ReadAll(client, 1);
        }
        using var next = Start(kind);
        Assert.Equal(address, next.Ask(() => next.Network.Listen(address, _ => null)));
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void It_sleeps_until_its_wake_and_not_less(string kind)
    {
        using var stage = new Stage(kind);
        var wakes = new List<long>();
        long due = 0;
        stage.Pumped.OnPump = now =>
        {
            if (now.Micros >= due)
            {
                wakes.Add(now.Micros);
                due = now.Micros + 20_000;
            }
            return due;
        };
        stage.Strand.Start();
        Stage.Until(() => stage.Strand.Turns >= 40, "it wakes again and again");
        stage.Strand.Stop();
        Assert.True(stage.Strand.Join(TimeSpan.FromSeconds(30)));
        // A turn for each wake, and a few: one that is woken too early, or spins, has many turns for one wake.
        Assert.InRange(wakes.Count, stage.Strand.Turns - 10, stage.Strand.Turns);
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void Posts_from_many_threads_all_run_and_none_is_slept_through(string kind)
    {
        using var stage = Start(kind);
        int ran = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                stage.Strand.Post(() => ran++);
                if (i % 100 == 0) Thread.Yield();
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Stage.Until(() => Volatile.Read(ref ran) == 80_000, $"all posts ran");
        for (int i = 0; i < 500; i++) stage.Ask(() => 0);   // each finds it asleep, or falling asleep
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void A_broken_invariant_ends_the_strand_and_is_told(string kind)
    {
        var stage = new Stage(kind);
        Exception? told = null;
        stage.Strand.Ended = failure => told = failure;
        stage.Pumped.OnPump = _ => throw new InvariantException("Test", "broken");
        stage.Strand.Start();
        Assert.True(stage.Strand.Join(TimeSpan.FromSeconds(5)));
        Assert.IsType<InvariantException>(told);
        Assert.Contains(stage.Notes.Texts, text => text.Contains("Test: broken"));
    }

    [Theory, MemberData(nameof(Stage.Kinds), MemberType = typeof(Stage))]
    public void FlushPeers_sends_urgent_connections_before_the_turn_ends(string kind)
    {
        using var stage = new Stage(kind);
        Connection? peer = null, client = null;
        stage.Strand.Start();
        string peers = stage.Listen(connection => { peer = connection; connection.Urgent = true; return new Owner(); });
        string clients = stage.Listen(connection => { client = connection; return new Owner(); });
        using var a = Stage.Client(peers);
        using var b = Stage.Client(clients);
        Stage.Until(() => stage.Ask(() => peer != null && client != null), "accepted");
        bool inTime = stage.Ask(() =>
        {
            foreach (var connection in new[] { peer!, client! })
            {
                connection.Output.Bytes("x"u8);
                connection.Flush();
            }
            stage.Network.FlushPeers();
            return a.Poll(500_000, SelectMode.SelectRead) && !b.Poll(50_000, SelectMode.SelectRead);
        });
        Assert.True(inTime);
        Assert.Equal("x"u8.ToArray(), Stage.ReadAll(b, 1));
    }
}
