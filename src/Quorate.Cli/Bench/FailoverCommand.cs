using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Quorate.Cli.Bench;

/// <summary>`quorate bench failover`: kills the leader again and again and measures how long a survivor's client waits.</summary>
internal static class FailoverCommand
{
    public static Command Make()
    {
        var dev = new Option<bool>("--dev") { Description = "start three members of its own, on free ports, in a temporary directory" };
        var servers = BenchCommand.Servers();
        var pids = new Option<string?>("--pids") { Description = "files with the process ids (or the ids) of the servers, in their order", HelpName = "FILE|PID,..." };
        var restart = new Option<string?>("--restart") { Description = "the shell command that starts a killed one again; {i} is its place in the list, from 0", HelpName = "COMMAND" };
        var rounds = new Option<int>("--rounds") { Description = "kills", DefaultValueFactory = _ => 20, HelpName = "N" };
        var load = new Option<int>("--conns") { Description = "connections of the load of 100-byte writes beside it; 0: none", DefaultValueFactory = _ => 6, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "JSON instead of lines" };
        var command = new Command("failover", "Measures a kill: from the return of kill -9 of the leader to the reply to a write at a client of a survivor, with a load beside it.") { dev, servers, pids, restart, rounds, load, json };
        command.SetAction(parsed => Interrupt.Run(async cancelled =>
        {
            int count = parsed.GetValue(rounds);
            if (count < 1) throw new CommandException("--rounds: must be more than 0");
            if (!parsed.GetValue(dev) && parsed.GetValue(pids) is null) throw new CommandException("--pids or --dev: which processes may be killed?");
            IVictims victims = parsed.GetValue(dev)
                ? new DevVictims(3)
                : new ForeignVictims(BenchCommand.ParseServers(parsed.GetValue(servers)!), parsed.GetValue(pids)!.Split(','), parsed.GetValue(restart));
            await using (victims.ConfigureAwait(false))
            {
                bool asJson = parsed.GetValue(json);
                var failover = new Failover(victims, parsed.GetValue(load), asJson ? _ => { } : Console.WriteLine);
                var results = await failover.RunAsync(count, cancelled).ConfigureAwait(false);
                if (results.Count == 0) return 1;
                double median = Median(results);
                if (asJson) Console.WriteLine(JsonSerializer.Serialize(new { median_ms = Math.Round(median, 1), min_ms = Math.Round(results.Min(), 1), max_ms = Math.Round(results.Max(), 1), rounds_ms = results.Select(r => Math.Round(r, 1)) }));
                else Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"median {median:0.0} ms of {results.Count} kills, from {results.Min():0.0} to {results.Max():0.0} ms"));
                return results.Count == count ? 0 : 1;
            }
        }));
        return command;
    }

    internal static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
