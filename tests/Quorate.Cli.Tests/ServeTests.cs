using System.Net.Http;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quorate.Cli.Bench;

namespace Quorate.Cli.Tests;

/// <summary>One real member as its user starts it.</summary>
public partial class ServeTests
{
    private static (Command Member, Address ZooKeeper, Address Http) Serve(string data, params string[] more)
    {
        var member = Command.Start(["serve", "--data", data, "--zookeeper", "127.0.0.1:0", "--http", "127.0.0.1:0", "--set", "segmentBytes=33554432", .. more]);
        member.WaitFor(said => said.Contains("ready: ", StringComparison.Ordinal));
        var ready = Ready().Match(member.Out);
        return (member, Address.Parse(ready.Groups[1].Value, out _)!.Value, Address.Parse(ready.Groups[2].Value, out _)!.Value);
    }

    [GeneratedRegex(@"^ready: id=1 zookeeper=(\S+) http=(\S+)$", RegexOptions.Multiline)]
    private static partial Regex Ready();

    [Fact]
    public void What_was_written_before_SIGKILL_and_SIGTERM_is_there_after_them()
    {
        using var directory = new TemporaryDirectory();
        string pidFile = Path.Combine(directory.Path, "pid");
        foreach (int signal in new[] { Signals.Kill, Signals.Term })
        {
            var (member, zookeeper, _) = Serve(Path.Combine(directory.Path, "data"), "--pid-file", pidFile);
            using (member)
            {
                Assert.Equal(member.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture), File.ReadAllText(pidFile).Trim());
                using (var client = BenchConnection.Open(zookeeper))
                {
                    int expected = signal == Signals.Kill ? 0 : Wire.NodeExists;
                    Assert.Equal(expected, client.Create("/kept", "x"u8).Error);
                    Assert.Equal(0, client.Set("/kept"u8, "y"u8).Error);
                }
                member.Signal(signal);
                int code = member.WaitForEnd(5);
                if (signal == Signals.Term)
                {
                    Assert.Equal((0, ""), (code, member.Error));
                    Assert.False(File.Exists(pidFile));
                }
            }
        }
        var (again, address, _) = Serve(Path.Combine(directory.Path, "data"));
        using (again)
        using (var client = BenchConnection.Open(address)) Assert.Equal(Wire.NodeExists, client.Create("/kept", []).Error);
    }

    [Fact]
    public async Task The_HTTP_side_answers_health_metrics_and_status()
    {
        using var directory = new TemporaryDirectory();
        var (member, _, http) = Serve(Path.Combine(directory.Path, "data"));
        using (member)
        using (var client = new HttpClient { BaseAddress = new Uri($"http://{http}") })
        {
            foreach (string path in new[] { "/health", "/health/live", "/health/ready" }) Assert.Equal(200, (int)(await client.GetAsync(path)).StatusCode);
            Assert.Equal(404, (int)(await client.GetAsync("/nothing")).StatusCode);
            Assert.Equal(405, (int)(await client.PostAsync("/health", null)).StatusCode);
            string metrics = await client.GetStringAsync("/metrics");
            Assert.Contains("quorate_replica_serving{id=\"1\"} 1\n", metrics, StringComparison.Ordinal);
            foreach (string line in metrics.Split('\n', StringSplitOptions.RemoveEmptyEntries)) Assert.Matches(@"^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{[^}]*\})? [0-9.eE+-]+)$", line);
            var status = JsonDocument.Parse(await client.GetStringAsync("/api/status")).RootElement;
            Assert.Equal(("standalone", true, 1), (status.GetProperty("role").GetString(), status.GetProperty("serving").GetBoolean(), status.GetProperty("members").GetArrayLength()));
            Assert.Equal(409, (int)(await client.PostAsync("/api/members/remove?id=1", null)).StatusCode);
            Assert.Equal(400, (int)(await client.PostAsync("/api/members/remove?id=x", null)).StatusCode);
        }
    }

    [Fact]
    public void Status_shows_a_table_and_JSON()
    {
        using var directory = new TemporaryDirectory();
        var (member, _, http) = Serve(Path.Combine(directory.Path, "data"));
        using (member)
        {
            var (code, table, _) = Command.Run("status", "--http", http.ToString());
            Assert.Equal(0, code);
            Assert.Contains("standalone, serves", table, StringComparison.Ordinal);
            var (_, json, _) = Command.Run("status", "--json", "--http", http.ToString());
            Assert.Equal(1, JsonDocument.Parse(json).RootElement.GetProperty("id").GetInt32());
        }
    }

    [Fact]
    public void The_data_directory_of_a_running_member_and_of_another_one_are_refused()
    {
        using var directory = new TemporaryDirectory();
        string data = Path.Combine(directory.Path, "data");
        var (member, _, _) = Serve(data);
        using (member)
        {
            var (code, _, error) = Command.Run("serve", "--data", data, "--zookeeper", "127.0.0.1:0", "--http", "none");
            Assert.Equal((2, 1), (code, error.Count(c => c == '\n')));
            member.Signal(Signals.Term);
            Assert.Equal(0, member.WaitForEnd(5));
        }
        var (other, _, line) = Command.Run("serve", "--id", "2", "--data", data, "--zookeeper", "127.0.0.1:0", "--http", "none");
        Assert.Equal((2, 1), (other, line.Count(c => c == '\n')));
    }

    [Fact]
    public void A_short_bench_is_clean_and_says_so_in_JSON()
    {
        using var directory = new TemporaryDirectory();
        var (member, zookeeper, _) = Serve(Path.Combine(directory.Path, "data"));
        using (member)
            foreach (string mode in new[] { "set100", "get100", "mix1k", "create10" })
            {
                var (code, json, error) = Command.Run("bench", mode, "--servers", zookeeper.ToString(), "--conns", "4", "--pipeline", "8", "--seconds", "0.5", "--keys", "50", "--json");
                Assert.Equal((0, ""), (code, error));
                Assert.True(JsonDocument.Parse(json).RootElement.GetProperty("ops").GetInt64() > 100);
            }
    }
}
