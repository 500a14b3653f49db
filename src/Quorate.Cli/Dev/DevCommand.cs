using System.CommandLine;
using System.Globalization;

namespace Quorate.Cli.Dev;

/// <summary>`quorate dev --nodes N`: a local cluster of real processes under one coloured log.</summary>
internal static class DevCommand
{
    public static Command Make()
    {
        var nodes = new Option<int>("--nodes") { Description = "how many members, 1 to 9", DefaultValueFactory = _ => 3, HelpName = "N" };
        var fresh = new Option<bool>("--fresh") { Description = "empty the data directories first" };
        var data = new Option<string>("--data") { Description = "the data directories stand in it", DefaultValueFactory = _ => "quorate-dev", HelpName = "DIR" };
        var zookeeper = new Option<int>("--zookeeper-port") { Description = "the first member's port for ZooKeeper's clients", DefaultValueFactory = _ => 2181, HelpName = "PORT" };
        var peer = new Option<int>("--peer-port") { Description = "the first member's port for its peers", DefaultValueFactory = _ => 7101, HelpName = "PORT" };
        var http = new Option<int>("--http-port") { Description = "the first member's HTTP port", DefaultValueFactory = _ => 8080, HelpName = "PORT" };
        var set = new Option<string[]>("--set") { Description = "a setting for every member", HelpName = "KEY=VALUE", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("dev", "Runs a local cluster of real processes: ZooKeeper 2181.., peers 7101.., HTTP 8080.., data in ./quorate-dev/N. Ctrl-C ends it.") { nodes, fresh, data, zookeeper, peer, http, set };
        command.SetAction(parsed => Interrupt.Run(async cancelled =>
        {
            int count = parsed.GetValue(nodes);
            if (count is < 1 or > Limits.MaxVoters) throw new CommandException($"--nodes: '{count.ToString(CultureInfo.InvariantCulture)}' is not allowed; it must be a number from 1 to {Limits.MaxVoters.ToString(CultureInfo.InvariantCulture)}");
            foreach (var port in new[] { zookeeper, peer, http })
                if (parsed.GetValue(port) < 1 || parsed.GetValue(port) + count - 1 > 65535) throw new CommandException($"{port.Name}: {parsed.GetValue(port).ToString(CultureInfo.InvariantCulture)} leaves no room for {count.ToString(CultureInfo.InvariantCulture)} ports");
            var cluster = new LocalCluster(count, Path.GetFullPath(parsed.GetValue(data)!), parsed.GetValue(zookeeper), parsed.GetValue(peer), parsed.GetValue(http), parsed.GetValue(set) ?? []);
            if (parsed.GetValue(fresh)) cluster.Empty();
            using var log = new DevLog(count);
            return await DevSession.RunAsync(cluster, log, cancelled).ConfigureAwait(false);
        }));
        return command;
    }
}
