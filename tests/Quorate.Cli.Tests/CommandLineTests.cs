using System.Net;
using System.Net.Sockets;

namespace Quorate.Cli.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("")]
    [InlineData("serve")]
    [InlineData("dev")]
    [InlineData("status")]
    [InlineData("members")]
    [InlineData("members add")]
    [InlineData("members remove")]
    [InlineData("members promote")]
    [InlineData("transfer-leadership")]
    [InlineData("bench")]
    [InlineData("bench failover")]
    [InlineData("sim")]
    public void Help_ends_with_an_example(string command)
    {
        var (code, output, error) = Command.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal((0, ""), (code, error));
        string last = command.Split(' ')[0];
        Assert.Contains("quorate " + last, output[output.IndexOf("Example:", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("srve", "srve")]
    [InlineData("serve --bogus", "--bogus")]
    [InlineData("serve --id x", "id: 'x'")]
    [InlineData("serve --zookeeper 127.0.0.1", "the port is missing")]
    [InlineData("serve --set tickTme=1", "did you mean tickTime?")]
    [InlineData("serve --set tickTime", "KEY=VALUE")]
    [InlineData("serve --config /no/such/file", "/no/such/file")]
    [InlineData("serve --pid-file /no/such/dir/pid", "--pid-file")]
    [InlineData("serve --id 2 --members 1=127.0.0.1:7101", "not in the list")]
    [InlineData("dev --nodes 0", "--nodes")]
    [InlineData("dev --nodes 3 --http-port 65535", "--http-port")]
    [InlineData("members add 4 nowhere", "HOST:PORT")]
    [InlineData("members add 0 127.0.0.1:7104", "1 to 254")]
    [InlineData("status --http nowhere", "--http")]
    [InlineData("bench put100", "no mode")]
    [InlineData("bench failover", "--pids or --dev")]
    [InlineData("sim --seeds 3..1", "--seeds")]
    public void What_the_caller_got_wrong_is_one_line_and_code_2(string arguments, string what)
    {
        using var directory = new TemporaryDirectory();
        string[] words = arguments.Split(' ');
        string data = Path.Combine(directory.Path, "data");
        var (code, output, error) = Command.Run(words[0] == "serve" ? [.. words, "--data", data] : words);
        Assert.Equal((2, ""), (code, output));
        Assert.Equal(1, error.Count(c => c == '\n'));
        Assert.StartsWith("quorate: ", error, StringComparison.Ordinal);
        Assert.Contains(what, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(data));
    }

    [Theory]
    [InlineData("zookeeper")]
    [InlineData("http")]
    [InlineData("peer")]
    public void A_port_in_use_is_one_line_and_nothing_is_touched(string setting)
    {
        using var directory = new TemporaryDirectory();
        var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!, data = Path.Combine(directory.Path, "data");
        string[] rest = setting switch { "zookeeper" => ["--http", "none"], "http" => ["--zookeeper", "127.0.0.1:0"], _ => ["--zookeeper", "127.0.0.1:0", "--http", "none", "--members", "1=" + address] };
        var (code, _, error) = Command.Run(["serve", "--data", data, "--" + setting, address, .. rest]);
        taken.Stop();
        Assert.Equal((2, $"quorate: {setting}: {address} is in use by another process\n"), (code, error));
        Assert.False(Directory.Exists(data));
    }

    [Fact]
    public void Nobody_there_is_one_line_and_code_1()
    {
        var (code, _, error) = Command.Run("status", "--http", "127.0.0.1:1");
        Assert.Equal(1, code);
        Assert.Contains("is a member running there?", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_is_one_line() => Assert.Equal((0, "quorate 0.1.0\n", ""), Command.Run("--version"));
}
