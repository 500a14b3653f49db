using System.Text;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;

namespace Quorate.Simulation.Tests.Network;

public class FabricTests
{
    private sealed class Talker : IConnectionOwner
    {
        public StringBuilder Heard { get; } = new();
        public List<string> News { get; } = [];
        public Connection? Connection { get; set; }
        public int Take { get; set; } = int.MaxValue;

        public void OnConnected(Connection connection) => News.Add("connected");

        public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
        {
            int n = Math.Min(Take, bytes.Length);
            Heard.Append(Encoding.ASCII.GetString(bytes[..n]));
            if (n < bytes.Length) connection.Again();
            return n;
        }

        public void OnClosed(Connection connection, string reason) => News.Add(reason);

        public void Say(string text)
        {
            Connection!.Output.Bytes(Encoding.ASCII.GetBytes(text));
            Connection.Flush();
        }
    }

    private sealed class Room
    {
        public Schedule Schedule { get; } = new();
        public SimFabric Fabric { get; }
        public SimNetwork A { get; }
        public SimNetwork B { get; }
        public Talker Client { get; } = new();
        public Talker Server { get; } = new();

        public Room(ulong seed)
        {
            Fabric = new SimFabric(Schedule, seed, new Trace(null)) { Chop = 0.5 };
            SimNetwork? a = null, b = null;
            bool askedA = false, askedB = false;
            a = Fabric.AddMachine(() =>
            {
                if (askedA) return;
                askedA = true;
                Schedule.After(1, () =>
                {
                    askedA = false;
                    a!.Dispatch();
                    a.Collect();
                });
            });
            b = Fabric.AddMachine(() =>
            {
                if (askedB) return;
                askedB = true;
                Schedule.After(1, () =>
                {
                    askedB = false;
                    b!.Dispatch();
                    b.Collect();
                });
            });
            (A, B) = (a, b);
        }

        public void Open()
        {
            B.Listen("10.0.0.2:7101", c =>
            {
                Server.Connection = c;
                return Server;
            });
            Client.Connection = A.Connect("10.0.0.2:7101", Client);
        }

        public void Run(long micros)
        {
            long until = Schedule.NowMicros + micros;
            while (Schedule.Step(until))
            {
            }
        }
    }

    [Fact]
    public void A_stream_arrives_in_order_and_whole_in_whatever_pieces()
    {
        for (ulong seed = 1; seed < 50; seed++)
        {
            var room = new Room(seed);
            room.Open();
            room.Server.Take = 7;
            var said = new StringBuilder();
            for (int i = 0; i < 100; i++)
            {
                string word = $"word {i}, ";
                said.Append(word);
                room.Client.Say(word);
                room.Run((long)seed);
            }
            room.Run(1_000_000);
            Assert.Equal(["connected"], room.Client.News);
            Assert.Equal(said.ToString(), room.Server.Heard.ToString());
        }
    }

    [Fact]
    public void A_connect_to_nobody_is_refused()
    {
        var room = new Room(1);
        room.A.Connect("10.0.0.2:1", room.Client);
        room.Run(1_000_000);
        Assert.Equal(["connection refused"], room.Client.News);
    }

    [Fact]
    public void A_blocked_direction_holds_bytes_until_it_heals()
    {
        var room = new Room(2);
        room.Open();
        room.Run(10_000);
        room.Fabric.Block(0, 1);
        room.Client.Say("late");
        room.Server.Say("early");
        room.Run(5_000_000);
        Assert.Equal("", room.Server.Heard.ToString());
        Assert.Equal("early", room.Client.Heard.ToString());
        room.Fabric.Heal();
        room.Run(10_000);
        Assert.Equal("late", room.Server.Heard.ToString());
    }

    [Fact]
    public void A_cut_loses_what_is_in_flight_and_both_hear_of_it()
    {
        var room = new Room(3);
        room.Open();
        room.Run(10_000);
        room.Client.Say("lost");
        room.Run(2);
        room.Fabric.Cut(0, 1);
        room.Run(10_000);
        Assert.Equal("", room.Server.Heard.ToString());
        Assert.Equal(["connected", "connection reset"], room.Client.News);
        Assert.Equal(["connection reset"], room.Server.News);
    }

    [Fact]
    public void Killed_process_is_heard_of_behind_what_it_said()
    {
        var room = new Room(4);
        room.Open();
        room.Run(10_000);
        room.Server.Say("last words");
        room.Run(1);
        room.B.Kill();
        room.Run(10_000);
        Assert.Equal("last words", room.Client.Heard.ToString());
        Assert.Equal(["connected", "connection reset by peer"], room.Client.News);
    }

    [Fact]
    public void A_power_cut_is_silent_until_the_machine_is_back_and_resets_what_it_does_not_know()
    {
        var room = new Room(5);
        room.Open();
        room.Run(10_000);
        room.B.PowerCut();
        room.Client.Say("hello?");
        room.Run(5_000_000);
        Assert.Equal(["connected"], room.Client.News);
        room.B.PowerOn();
        room.Run(10_000);
        Assert.Equal(["connected", "connection reset by peer"], room.Client.News);
    }

    [Fact]
    public void A_reader_that_does_not_read_holds_its_sender_back()
    {
        var room = new Room(6);
        room.Fabric.WindowBytes = 1000;
        room.Open();
        room.Run(10_000);
        room.Server.Connection!.Reading = false;
        room.Client.Say(new string('x', 5000));
        room.Run(1_000_000);
        Assert.Equal(4000, room.Client.Connection!.Output.Length);
        room.Server.Connection.Reading = true;
        room.Run(1_000_000);
        Assert.Equal(5000, room.Server.Heard.Length);
    }

    [Fact]
    public void Closing_comes_behind_what_was_said()
    {
        var room = new Room(7);
        room.Open();
        room.Run(10_000);
        room.Client.Say("bye");
        room.Client.Connection!.Close();
        room.Run(10_000);
        Assert.Equal("bye", room.Server.Heard.ToString());
        Assert.Equal(["closed by peer"], room.Server.News);
        Assert.Equal(["connected"], room.Client.News);
    }
}
