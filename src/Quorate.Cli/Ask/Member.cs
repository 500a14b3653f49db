using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;

namespace Quorate.Cli.Ask;

/// <summary>Asks members over HTTP. One address is enough, for each member names the others; several may be given in case one is down. What only the leader can do goes on to the leader.</summary>
internal static class Member
{
    public static Option<string> Http() => new("--http") { Description = "the HTTP side of a member, which names the others; or of several", DefaultValueFactory = _ => "127.0.0.1:8080", HelpName = "HOST:PORT,..." };

    public static IReadOnlyList<Address> Parse(string text) =>
        [.. text.Split(',').Select(part => Address.Parse(part.Trim(), out string reason) ?? throw new CommandException($"--http: '{part}': {reason}"))];

    /// <summary>The status of one member as it came; throws <see cref="CommandException"/> when nobody answers.</summary>
    public static async Task<(MemberStatus Status, string Json)> StatusAsync(Address member)
    {
        var (code, body) = await SendAsync(HttpMethod.Get, member, "/api/status").ConfigureAwait(false);
        return code == 200 ? (JsonSerializer.Deserialize(body, ApiJson.Default.MemberStatus)!, body) : throw new CommandException($"{member}: {ErrorOf(body)}", 1);
    }

    /// <summary>Asks one after another, and whom they name as leader next, until one does it; throws with what the last one said.</summary>
    public static async Task DoAsync(IReadOnlyList<Address> members, string path)
    {
        var asked = new HashSet<Address>();
        var toAsk = new LinkedList<Address>(members);
        string last = "";
        for (; toAsk.First is { Value: var member }; )
        {
            toAsk.RemoveFirst();
            if (!asked.Add(member)) continue;
            try
            {
                var (code, body) = await SendAsync(HttpMethod.Post, member, path).ConfigureAwait(false);
                if (code == 200) return;
                last = $"{member}: {ErrorOf(body)}";
                if (LeaderOf(body) is { } leader) toAsk.AddFirst(leader);
            }
            catch (CommandException unreachable) when (toAsk.Count > 0)
            {
                last = unreachable.Message; // another one may do it
            }
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

    private static string ErrorOf(string body) => Parsed(body) is { Error: { Length: > 0 } text } ? text : body.Trim();

    private static Address? LeaderOf(string body) => Parsed(body) is { LeaderHttp.Length: > 0 } error ? Address.Parse(error.LeaderHttp, out _) : null;

    private static ApiError? Parsed(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ApiJson.Default.ApiError);
        }
        catch (JsonException)
        {
            return null; // another server answers there: its words are shown as they came
        }
    }
}
