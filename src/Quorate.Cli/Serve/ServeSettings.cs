using System.Text.Json;

namespace Quorate.Cli.Serve;

/// <summary>A value and where it came from, so that an error can say so.</summary>
internal readonly record struct Given(string Key, string Value, string Source);

/// <summary>
/// What `serve` was told. Later layers win: defaults, the JSON file, the environment (QUORATE_...), --set, flags; one table of keys for all of them (DESIGN §8).
/// </summary>
internal sealed class ServeSettings
{
    /// <summary>Read by our own tests and scripts, and no settings.</summary>
    private static readonly string[] s_reserved = ["QUORATE_REWRITE", "QUORATE_CONFIG"];

    public QuorateOptions Member { get; } = new();

    /// <summary>HOST:PORT of the HTTP side; "none" for no HTTP.</summary>
    public string Http { get; private set; } = "127.0.0.1:8080";

    /// <summary>Where the process writes its id; empty: nowhere.</summary>
    public string PidFile { get; private set; } = "";

    public static IEnumerable<string> Keys => Settings.All.Select(s => s.Name).Append("http").Append("pidFile");

    public static ServeSettings Read(string? configFile, IEnumerable<KeyValuePair<string, string>> environment, IEnumerable<string> sets, IEnumerable<Given> flags)
    {
        var settings = new ServeSettings();
        var variables = environment.Where(v => v.Key.StartsWith("QUORATE_", StringComparison.Ordinal)).ToArray();
        configFile ??= variables.FirstOrDefault(v => v.Key == "QUORATE_CONFIG").Value;
        if (configFile is not null)
            foreach (var given in ReadFile(configFile)) settings.Put(given);
        foreach (var (name, value) in variables)
            if (!s_reserved.Contains(name) && !name.StartsWith("QUORATE_TEST", StringComparison.Ordinal))
                settings.Put(new Given(Keys.FirstOrDefault(k => Setting.EnvironmentNameOf(k) == name) ?? name, value, "the environment"));
        foreach (string set in sets)
        {
            int equals = set.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw new CommandException($"--set {set}: must be KEY=VALUE");
            settings.Put(new Given(set[..equals], set[(equals + 1)..], "--set"));
        }
        foreach (var given in flags) settings.Put(given);
        if (settings.Member.Check() is { } wrong) throw new CommandException(wrong);
        if (settings.Http != "none" && Address.Parse(settings.Http, out string reason) is null) throw new CommandException($"http: '{settings.Http}' is not allowed; it must be HOST:PORT or none: {reason}");
        return settings;
    }

    private void Put(Given given)
    {
        if (given.Key == "http") Http = given.Value;
        else if (given.Key == "pidFile") PidFile = given.Value;
        else if (Settings.Find(given.Key) is { } setting)
        {
            if (setting.Put(Member, given.Value) is { } reason) throw new CommandException($"{given.Key}: '{given.Value}' ({given.Source}) {reason}");
        }
        else
        {
            string? near = Settings.Nearest(given.Key, given.Source == "the environment" ? Keys.Select(Setting.EnvironmentNameOf) : Keys);
            throw new CommandException($"there is no setting '{given.Key}' ({given.Source}){(near is null ? "" : $"; did you mean {near}?")}");
        }
    }

    /// <summary>{"id": 1, "members": {"1": "HOST:PORT"}, "jute": {"maxbuffer": 4096}}: nested names are joined by dots, members may be an object.</summary>
    private static IEnumerable<Given> ReadFile(string file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CommandException($"--config {file}: {error.Message}");
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new CommandException($"--config {file}: must be one JSON object");
            return [.. Flatten("", document.RootElement, file)];
        }
    }

    private static IEnumerable<Given> Flatten(string prefix, JsonElement element, string file)
    {
        foreach (var property in element.EnumerateObject())
        {
            string key = prefix + property.Name;
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object when key == "members":
                    yield return new Given(key, string.Join(',', property.Value.EnumerateObject().Select(m => m.Name + "=" + m.Value.ToString())), file);
                    break;
                case JsonValueKind.Object:
                    foreach (var given in Flatten(key + ".", property.Value, file)) yield return given;
                    break;
                case JsonValueKind.Array: throw new CommandException($"--config {file}: {key} is a list; no setting is one");
                default:
                    yield return new Given(key, property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? property.Value.GetRawText() : property.Value.ToString(), file);
                    break;
            }
        }
    }
}
