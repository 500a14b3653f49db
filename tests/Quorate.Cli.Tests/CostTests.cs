using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Quorate.Cli.Bench;
using Quorate.Cli.Dev;
using Xunit.Abstractions;

namespace Quorate.Cli.Tests;

/// <summary>What a warm request allocates on the strands of three real members, over real sockets and disks: counted by the members themselves, at /metrics.</summary>
public sealed class CostTests(ITestOutputHelper output)
{
    private const int Requests = 100_000;

    private sealed record Count(double Seconds, double Allocated, double Requests, double Applied, double Payload, bool Leads);

    [Fact]
    public async Task A_read_allocates_nothing_and_a_write_its_payload_and_at_most_64_bytes()
    {
        using var directory = new TemporaryDirectory();
        var (zookeeper, peer, http) = LocalCluster.FreePorts(3);
        using var dev = Command.Start("dev", "--nodes", "3", "--data", directory.Path, "--zookeeper-port", Text(zookeeper), "--peer-port", Text(peer), "--http-port", Text(http));
        dev.WaitFor(said => Regex.Count(said, @"^n\d +\| ready: ", RegexOptions.Multiline) == 3);
        var servers = Enumerable.Range(0, 3).Select(i => new Address("127.0.0.1", zookeeper + i)).ToArray();

        foreach (var (before, after) in await CostsAsync(http, new LoadOptions { Servers = servers, Mode = LoadMode.Set, Connections = 12, Pipeline = 8 }))
        {
            double writes = after.Applied - before.Applied, payload = (after.Payload - before.Payload) / writes, allocated = (after.Allocated - before.Allocated) / writes;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(after.Leads ? "leader" : "follower")}: {writes} writes, payload {payload:0.0}, allocated {allocated:0.0} bytes each"));
            Assert.True(writes >= Requests);
            Assert.InRange(allocated, 0, payload + 64);
        }
        // Beats, the figures ten times a second and a snapshot that the writes made due allocate a little, whoever reads. The first two are counted over seconds in which nobody does and taken off; the last passes, so a few windows are tried.
        var idle = await CountsAsync(http);
        await Task.Delay(3000);
        double[] beats = [.. (await CountsAsync(http)).Zip(idle, (after, before) => (after.Allocated - before.Allocated) / (after.Seconds - before.Seconds))];
        var quietest = new double[] { double.MaxValue, double.MaxValue, double.MaxValue };
        for (int window = 0; window < 5 && quietest.Max() > 1; window++)
        {
            var costs = await CostsAsync(http, new LoadOptions { Servers = servers, Mode = LoadMode.Get, Connections = 12, Pipeline = 8 });
            for (int i = 0; i < 3; i++)
            {
                var (before, after) = costs[i];
                double reads = after.Requests - before.Requests, allocated = (after.Allocated - before.Allocated - beats[i] * (after.Seconds - before.Seconds)) / reads;
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(after.Leads ? "leader" : "follower")}: {reads} reads, allocated {allocated:0.000} bytes each, beside {beats[i]:0} bytes a second"));
                Assert.True(reads >= Requests);
                quietest[i] = Math.Min(quietest[i], allocated);
            }
        }
        Assert.All(quietest, allocated => Assert.True(allocated <= 1, $"{allocated} bytes a read"));   // one small object in every turn is 2 and more here
        dev.Signal(2);
        Assert.Equal(0, dev.WaitForEnd(12));
    }

    /// <summary>Each member's counts before and after at least so many requests at each, behind as many that warmed it.</summary>
    private static async Task<(Count Before, Count After)[]> CostsAsync(int http, LoadOptions options)
    {
        new Load(options).Prepare();
        await RunAsync(options, Requests);
        var before = await CountsAsync(http);
        await RunAsync(options, 4 * Requests);
        var after = await CountsAsync(http);
        return [.. before.Zip(after)];
    }

    private static async Task RunAsync(LoadOptions options, long requests)
    {
        var load = new Load(options);
        load.Open();
        using var stop = new CancellationTokenSource();
        var running = load.RunAsync(stop.Token);
        for (int tries = 0; load.Done < requests && !running.IsCompleted; tries++)
        {
            Assert.True(tries < 6_000, $"{load.Done} of {requests} requests in a minute");
            await Task.Delay(10);
        }
        await stop.CancelAsync();
        await running;
        Assert.Equal(0, load.Errors);
    }

    /// <summary>The members publish ten times a second: what stands there half a second later holds everything.</summary>
    private static async Task<Count[]> CountsAsync(int http)
    {
        await Task.Delay(500);
        using var client = new HttpClient();
        var counts = new Count[3];
        for (int i = 0; i < 3; i++)
        {
            string text = await client.GetStringAsync($"http://127.0.0.1:{Text(http + i)}/metrics");
            double Of(string name) => double.Parse(Regex.Match(text, $@"^{name}{{[^}}]*}} (\S+)$", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);
            counts[i] = new Count(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency, Of("quorate_strand_allocated_bytes_total"), Of("quorate_requests_total"), Of("quorate_replica_applied"), Of("quorate_replica_applied_size_bytes_total"), Of("quorate_replica_role") == 3);
        }
        return counts;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
