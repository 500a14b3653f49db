using System.Collections;
using System.CommandLine;

namespace Quorate.Cli.Serve;

/// <summary>`quorate serve`: one member.</summary>
internal static class ServeCommand
{
    public static Command Make()
    {
        var command = new Command("serve", "Runs one member: stores in ./quorate-data, ZooKeeper clients on 127.0.0.1:2181, HTTP on 127.0.0.1:8080.");
        var flags = new List<(string Key, Option<string?> Option)>();
        foreach (string key in new[] { "id", "members", "data", "zookeeper", "peer", "protocol", "storage" })
        {
            var setting = Settings.Find(key)!;
            flags.Add((key, new Option<string?>("--" + key) { Description = setting.About, HelpName = setting.Value }));
        }
        flags.Insert(4, ("http", new Option<string?>("--http") { Description = "where /health, /metrics and the commands are answered; none: nowhere", HelpName = "HOST:PORT|none" }));
        flags.Add(("pidFile", new Option<string?>("--pid-file") { Description = "a file that gets this process's own id", HelpName = "FILE" }));
        var config = new Option<string?>("--config") { Description = "a JSON file of settings", HelpName = "FILE" };
        var set = new Option<string[]>("--set") { Description = "any setting; later ones win. Keys that ZooKeeper has carry its names", HelpName = "KEY=VALUE", AllowMultipleArgumentsPerToken = false, Arity = ArgumentArity.ZeroOrMore };
        var parent = new Option<bool>("--until-input-ends") { Description = "stop when standard input ends: for whoever starts members as children", Hidden = true };
        foreach (var (_, option) in flags) command.Options.Add(option);
        command.Options.Add(config);
        command.Options.Add(set);
        command.Options.Add(parent);
        command.SetAction(parsed =>
        {
            var given = flags.Where(f => parsed.GetValue(f.Option) is not null).Select(f => new Given(f.Key, parsed.GetValue(f.Option)!, f.Option.Name));
            var settings = ServeSettings.Read(parsed.GetValue(config), Environment(), parsed.GetValue(set) ?? [], given);
            return Server.Run(settings, parsed.GetValue(parent));
        });
        return command;
    }

    private static IEnumerable<KeyValuePair<string, string>> Environment() =>
        System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => new KeyValuePair<string, string>((string)e.Key, (string?)e.Value ?? "")).OrderBy(e => e.Key, StringComparer.Ordinal);
}
