using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;

namespace Quorate.Cli.Ask;

/// <summary>Asks members over HTTP. Several addresses may be given: a wish goes to the first that can do it.</summary>
internal static class Member
{
    public static Option<string> Http() => new("--http") { Description = "the HTTP side of a member, or of several", DefaultValueFactory = _ => "127.0.0.1:8080", HelpName = "HOST:PORT,..." };

    public static IReadOnlyList<Address> Parse(string text) =>
        [.. text.Split(',').Select(part => Address.Parse(part.Trim(), out string reason) ?? throw new CommandException($"--http: '{part}': {reason}"))];

    /// <summary>The status of one member as it came; throws <see cref="CommandException"/> when nobody answers.</summary>
    public static async Task<(MemberStatus Status, string Json)> StatusAsync(Address member)
    {
        var (code, body) = await SendAsync(HttpMethod.Get, member, "/api/status").ConfigureAwait(false);
        return code == 200 ? (JsonSerializer.Deserialize(body, ApiJson.Default.MemberStatus)!, body) : throw new CommandException($"{member}: {ErrorOf(body)}", 1);
    }

    /// <summary>Asks one after another until one does it; throws with what the last one said.</summary>
    public static async Task DoAsync(IReadOnlyList<Address> members, string path)
    {
        string last = "";
        foreach (var member in members)
        {
            var (code, body) = await SendAsync(HttpMethod.Post, member, path).ConfigureAwait(false);
            if (code == 200) return;
            last = $"{member}: {ErrorOf(body)}";
        }
        throw new CommandException(last, 1);
    }

    private static async Task<(int Code, string Body)> SendAsync(HttpMethod method, Address member, string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(3) }) { Timeout = TimeSpan.FromSeconds(15) };
        using var request = new HttpRequestMessage(method, $"http://{member}{path}");
        try
        {
            using var response = await client.SendAsync(request).ConfigureAwait(false);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync().ConfigureAwait(false));
        }
        catch (HttpRequestException error)
        {
            throw new CommandException($"{member}: {(error.InnerException as SocketException)?.Message ?? error.Message} (is a member running there? see --http)", 1);
        }
        catch (TaskCanceledException)
        {
            throw new CommandException($"{member}: no answer", 1);
        }
    }

    private static string ErrorOf(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ApiJson.Default.ApiError) is { Error: { Length: > 0 } text } error
                ? error.Leader > 0 && text.Contains("not lead", StringComparison.Ordinal) ? $"{text}; member {error.Leader.ToString(System.Globalization.CultureInfo.InvariantCulture)} does: ask its HTTP side with --http" : text
                : body.Trim();
        }
        catch (JsonException)
        {
            return body.Trim();
        }
    }
}
