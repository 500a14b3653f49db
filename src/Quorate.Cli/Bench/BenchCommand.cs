using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Spectre.Console;

namespace Quorate.Cli.Bench;

/// <summary>`quorate bench`: loads any server of ZooKeeper's protocol; `bench failover` measures a kill.</summary>
internal static class BenchCommand
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Make()
    {
        var mode = new Argument<string>("MODE") { Description = "set, get, create or mix, with the bytes of a node behind it: set100, get1k, mix", DefaultValueFactory = _ => "set100" };
        var servers = Servers();
        var conns = new Option<int>("--conns") { Description = "connections, spread over the servers", DefaultValueFactory = _ => 30, HelpName = "N" };
        var pipeline = new Option<int>("--pipeline") { Description = "requests in flight on each", DefaultValueFactory = _ => 16, HelpName = "N" };
        var seconds = new Option<double>("--seconds") { Description = "how long to measure, after two seconds of warming up", DefaultValueFactory = _ => 10, HelpName = "S" };
        var size = new Option<int?>("--size") { Description = "bytes of a node", HelpName = "BYTES" };
        var keys = new Option<int>("--keys") { Description = "how many nodes", DefaultValueFactory = _ => 1000, HelpName = "N" };
        var reads = new Option<int>("--read-pct") { Description = "reads of a hundred, for mix", DefaultValueFactory = _ => 90, HelpName = "N" };
        var root = new Option<string>("--root") { Description = "the node under which the load works; it stays", DefaultValueFactory = _ => "/bench", HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "one line of JSON instead of the table" };
        var command = new Command("bench", "Loads any server of ZooKeeper's protocol and checks every reply.") { mode, servers, conns, pipeline, seconds, size, keys, reads, root, json };
        command.Subcommands.Add(FailoverCommand.Make());
        command.SetAction(parsed => Interrupt.Run(async cancelled =>
        {
            if (LoadOptions.Parse(parsed.GetValue(mode)!) is not var (kind, bytes)) throw new CommandException($"'{parsed.GetValue(mode)}' is no mode; it must be set, get, create or mix, with the bytes of a node behind it");
            var options = new LoadOptions
            {
                Servers = ParseServers(parsed.GetValue(servers)!), Mode = kind, Size = parsed.GetValue(size) ?? bytes ?? 100, Connections = Positive(conns, parsed), Pipeline = Positive(pipeline, parsed),
                Keys = Positive(keys, parsed), ReadPercent = parsed.GetValue(reads), Seconds = parsed.GetValue(seconds), Root = parsed.GetValue(root)!,
            };
            if (options.Seconds <= 0) throw new CommandException("--seconds: must be more than 0");
            if (!options.Root.StartsWith('/') || options.Root.Length is < 2 or > 200) throw new CommandException("--root: must be a path like /bench");
            var result = await MeasureAsync(options, cancelled).ConfigureAwait(false);
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(result, s_json));
            else Show(result);
            return result.Clean ? 0 : 1;
        }));
        return command;
    }

    public static Option<string> Servers() => new("--servers") { Description = "where to connect", DefaultValueFactory = _ => "127.0.0.1:2181", HelpName = "HOST:PORT,..." };

    public static IReadOnlyList<Address> ParseServers(string text) =>
        [.. text.Split(',').Select(part => Address.Parse(part.Trim(), out string reason) ?? throw new CommandException($"--servers: '{part}': {reason}"))];

    private static int Positive(Option<int> option, ParseResult parsed) => parsed.GetValue(option) is var value && value > 0 ? value : throw new CommandException($"{option.Name}: must be more than 0");

    private static async Task<LoadResult> MeasureAsync(LoadOptions options, CancellationToken cancelled)
    {
        var load = new Load(options);
        try
        {
            load.Prepare();
            load.Open();
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw new CommandException($"{string.Join(',', options.Servers)}: {error.Message}", 1);
        }
        bool shown = !Console.IsErrorRedirected;
        var result = await load.MeasureAsync(shown ? (elapsed, done) => Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{elapsed,5:0.0} of {options.Seconds:0.0} s  {done / elapsed,12:#,0} operations/s")) : null, cancelled).ConfigureAwait(false);
        if (shown) Console.Error.Write("\r" + new string(' ', 60) + "\r");
        return result;
    }

    private static void Show(LoadResult result)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("load", "operations/s", "p50", "p99", "p99.9", "max", "longest gap");
        table.AddRow(
            string.Create(CultureInfo.InvariantCulture, $"{result.Mode} {result.Size} B, {result.Conns} x {result.Pipeline}"),
            result.OpsPerS.ToString("#,0", CultureInfo.InvariantCulture), Micros(result.P50Us), Micros(result.P99Us), Micros(result.P999Us), Micros(result.MaxUs), Micros(result.LongestGapMs * 1000));
        AnsiConsole.Write(table);
        if (!result.Clean)
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"not clean: {result.Errors} errors (first {result.FirstError}), {result.LostConns} connections lost, breaches: {result.OrderBreaches} of order, {result.ZxidBreaches} of zxid, {result.SizeBreaches} of size"));
    }

    private static string Micros(double micros) => micros >= 10_000
        ? string.Create(CultureInfo.InvariantCulture, $"{micros / 1000:0.0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{micros:0} us");
}
