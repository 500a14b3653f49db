using System.Text;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>zookeeper.md §3.4 and §7, rows 137 to 142.</summary>
public sealed class FourLetterTests
{
    private static string Ask(FaceWorld world, params string[] packets)
    {
        var client = world.Accept();
        foreach (string packet in packets) client.Send(Encoding.ASCII.GetBytes(packet));
        Assert.True(client.Connection.Closed);
        return Encoding.UTF8.GetString(client.TakeBytes());
    }

    [Fact]
    public void Row137_ruok_in_any_wrapping()
    {
        var world = new FaceWorld();
        foreach (string[] packets in new[] { ["ruok"], ["ru", "ok"], ["ruok\n"], new[] { "ruok\r\n" } }) Assert.Equal("imok", Ask(world, packets));
        Assert.Equal("", Ask(world, "RUOK"));
        Assert.Equal(0, world.Face.ConnectionCount);
    }

    [Fact]
    public void Row139_words_that_are_not_listed()
    {
        var world = new FaceWorld(new FaceOptions { FourLetterWords = "srvr, mntr" });
        Assert.Equal("ruok is not executed because it is not in the whitelist.\n", Ask(world, "ruok"));
        Assert.StartsWith("Zookeeper version: 3.9.5", Ask(world, "srvr"), StringComparison.Ordinal);
    }

    [Fact]
    public void Row140_a_member_that_does_not_serve()
    {
        var world = new FaceWorld();
        world.Sessions.Serving = false;
        foreach (string word in new[] { "srvr", "conf", "cons", "mntr", "wchs", "crst", "srst", "stat" })
            Assert.Equal("This ZooKeeper instance is not currently serving requests\n", Ask(world, word));
        Assert.Equal("imok", Ask(world, "ruok"));
        Assert.Equal("null", Ask(world, "isro"));
        Assert.Contains("zookeeper.version=3.9.5", Ask(world, "envi"), StringComparison.Ordinal);
    }

    [Fact]
    public void Srvr_and_stat()
    {
        var world = new FaceWorld();
        var client = world.Connect("10.0.0.9:1234");
        client.Create("/a", "x");
        string srvr = Ask(world, "srvr");
        Assert.Matches(@"^Zookeeper version: 3\.9\.5[^\n]*\nLatency min/avg/max: \d+/[\d.]+/\d+\nReceived: 2\nSent: 2\nConnections: 2\nOutstanding: 0\nZxid: 0x2\nMode: standalone\nNode count: 6\n$", srvr);
        string stat = Ask(world, "stat");
        Assert.Matches(@"\nClients:\n /10\.0\.0\.9:1234\[1\]\(queued=0,recved=2,sent=2\)\n", stat);
        Assert.Matches(@"\n\nLatency min", stat);
        Assert.Equal("rw", Ask(world, "isro"));
    }

    [Fact]
    public void Cons_crst_srst_wchs()
    {
        var world = new FaceWorld();
        var client = world.Connect("10.0.0.9:1234");
        client.Exists("/", watch: true);
        Assert.Matches($@"^ /10\.0\.0\.9:1234\[1\]\(queued=0,recved=2,sent=2,sid=0x{client.Session:x},lop=EXIS,est=\d+,to=10000,lcxid=0x1,lzxid=0x1,lresp=\d+,llat=0,minlat=0,avglat=0,maxlat=0\)\n", Ask(world, "cons"));
        Assert.Equal("Connection stats reset.\n", Ask(world, "crst"));
        Assert.Contains("recved=0,sent=0", Ask(world, "cons"), StringComparison.Ordinal);
        Assert.Equal("Server stats reset.\n", Ask(world, "srst"));
        Assert.Contains("Received: 0\n", Ask(world, "srvr"), StringComparison.Ordinal);
        Assert.Equal("1 connections watching 1 paths\nTotal watches:1\n", Ask(world, "wchs"));
        Assert.Equal($"0x{client.Session:x}\n\t/\n\n", Ask(world, "wchc"));
        Assert.Equal($"/\n\t0x{client.Session:x}\n\n", Ask(world, "wchp"));
    }

    [Fact]
    public void Mntr_and_conf()
    {
        var world = new FaceWorld(new FaceOptions { ClientAddress = "127.0.0.1:2999", DataDirectory = "/data" });
        world.Connect().Create("/e", flags: 1);
        string mntr = Ask(world, "mntr");
        foreach (string line in new[] { "zk_server_state\tstandalone\n", "zk_znode_count\t6\n", "zk_ephemerals_count\t1\n", "zk_num_alive_connections\t2\n", "zk_global_sessions\t1\n", "zk_watch_count\t0\n" }) Assert.Contains(line, mntr, StringComparison.Ordinal);
        string conf = Ask(world, "conf");
        foreach (string line in new[] { "clientPort=2999\n", "dataDir=/data\n", "tickTime=2000\n", "maxClientCnxns=0\n", "minSessionTimeout=4000\n", "maxSessionTimeout=40000\n", "serverId=1\n" }) Assert.Contains(line, conf, StringComparison.Ordinal);
    }
}
