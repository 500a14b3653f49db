using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quorate.Cli.Bench;
using Quorate.Cli.Dev;

namespace Quorate.Cli.Tests;

/// <summary>Three real processes under one command.</summary>
public partial class DevTests
{
    [GeneratedRegex(@"^n(\d) +\| started, pid (\d+)", RegexOptions.Multiline)]
    private static partial Regex Started();

    private static int CountReady(string said) => Regex.Count(said, @"^n\d +\| ready: ", RegexOptions.Multiline);

    [Fact]
    public async Task Three_members_serve_a_killed_one_comes_back_and_Ctrl_C_ends_them_all()
    {
        using var directory = new TemporaryDirectory();
        var (zookeeper, peer, http) = LocalCluster.FreePorts(3);
        using var dev = Command.Start("dev", "--nodes", "3", "--data", directory.Path, "--zookeeper-port", Text(zookeeper), "--peer-port", Text(peer), "--http-port", Text(http), "--set", "segmentBytes=33554432");
        dev.WaitFor(said => CountReady(said) == 3);
        var servers = Enumerable.Range(0, 3).Select(i => new Address("127.0.0.1", zookeeper + i)).ToArray();
        using (var client = BenchConnection.Open(servers[0])) Assert.Equal(0, client.Create("/kept", "x"u8).Error);

        int victim = int.Parse(Started().Matches(dev.Out).First(m => m.Groups[1].Value == "2").Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.True(Signals.Send(victim, Signals.Kill));
        dev.WaitFor(said => CountReady(said) == 4);
        using (var client = BenchConnection.Open(servers[1]))
        {
            client.Sync("/kept");
            Assert.Equal(Wire.NodeExists, client.Create("/kept", []).Error);
        }
        await TransferAsync(http);

        dev.Signal(2);
        Assert.Equal(0, dev.WaitForEnd(12));
        foreach (Match match in Started().Matches(dev.Out)) Assert.False(Signals.Send(int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), 0), match.Value + " still runs");
    }

    /// <summary>Nine windows do not fit into a segment of the default size (sessions.md §4.3): the command sees to it.</summary>
    [Fact]
    public void Nine_members_serve()
    {
        using var directory = new TemporaryDirectory();
        var (zookeeper, peer, http) = LocalCluster.FreePorts(9);
        using var dev = Command.Start("dev", "--nodes", "9", "--data", directory.Path, "--zookeeper-port", Text(zookeeper), "--peer-port", Text(peer), "--http-port", Text(http));
        dev.WaitFor(said => CountReady(said) == 9);
        dev.Signal(2);
        Assert.Equal(0, dev.WaitForEnd(30));
    }

    /// <summary>Leadership goes where it is sent, asked of a member that does not lead: it names the leader's HTTP side (DESIGN §8).</summary>
    private static async Task TransferAsync(int http)
    {
        int leader = await LeaderAsync(http), target = (leader % 3) + 1;
        Assert.Equal((0, "done\n", ""), Command.Run("transfer-leadership", "--to", Text(target), "--http", "127.0.0.1:" + Text(http + target - 1)));
        for (int tries = 0; await LeaderAsync(http) != target; tries++)
        {
            Assert.True(tries < 100, "leadership did not move");
            await Task.Delay(50);
        }
    }

    private static async Task<int> LeaderAsync(int http)
    {
        using var client = new HttpClient();
        for (int tries = 0; tries < 200; tries++)
        {
            int leader = JsonDocument.Parse(await client.GetStringAsync($"http://127.0.0.1:{Text(http)}/api/status")).RootElement.GetProperty("leader").GetInt32();
            if (leader > 0) return leader;
            await Task.Delay(50);
        }
        throw new InvalidOperationException("nobody leads");
    }

    [Fact]
    public void A_failover_is_measured()
    {
        using var failover = Command.Start("bench", "failover", "--dev", "--rounds", "1", "--json");
        Assert.Equal(0, failover.WaitForEnd(60));
        double median = JsonDocument.Parse(failover.Out).RootElement.GetProperty("median_ms").GetDouble();
        Assert.InRange(median, 1, 10_000);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
