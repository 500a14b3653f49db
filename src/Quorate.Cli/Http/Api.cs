using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Quorate.Shell;

namespace Quorate.Cli.Http;

/// <summary>
/// What the HTTP side answers: GET /health (and /health/ready), /health/live, /metrics, /api/status; POST /api/members/add|remove|promote?id=N[&amp;address=HOST:PORT], /api/members/accept-loss?indexes=N,N-N, /api/transfer[?to=N].
/// Everything is a question to the member, answered in a turn.
/// </summary>
internal sealed class Api(QuorateMember member)
{
    public Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "/";
        return (context.Request.Method, path) switch
        {
            ("GET" or "HEAD", "/health" or "/health/ready") => TextAsync(context, member.IsLive && member.IsServing ? 200 : 503, member.IsLive && member.IsServing ? "serving\n" : "not serving\n"),
            ("GET" or "HEAD", "/health/live") => TextAsync(context, member.IsLive ? 200 : 503, member.IsLive ? "live\n" : "the strand does not turn\n"),
            ("GET" or "HEAD", "/metrics") => TextAsync(context, 200, QuorateMetrics.Prometheus(member), "text/plain; version=0.0.4; charset=utf-8"),
            ("GET", "/api/status") => StatusAsync(context),
            ("POST", "/api/members/add") => DoAsync(context, stop => member.AddAsync(Id(context), context.Request.Query["address"].ToString(), stop)),
            ("POST", "/api/members/remove") => DoAsync(context, stop => member.RemoveAsync(Id(context), stop)),
            ("POST", "/api/members/promote") => DoAsync(context, stop => member.PromoteAsync(Id(context), stop)),
            ("POST", "/api/members/accept-loss") => DoAsync(context, stop => member.AcceptLossAsync(Indexes(context), stop), ofTheLeader: false),
            ("POST", "/api/transfer") => DoAsync(context, stop => member.TransferAsync(context.Request.Query.ContainsKey("to") ? Id(context, "to") : (byte)0, stop)),
            (_, "/health" or "/health/ready" or "/health/live" or "/metrics" or "/api/status" or "/api/members/add" or "/api/members/remove" or "/api/members/promote" or "/api/members/accept-loss" or "/api/transfer") => TextAsync(context, 405, "another method is needed here\n"),
            _ => TextAsync(context, 404, "there is /health, /health/live, /health/ready, /metrics and /api/status\n"),
        };
    }

    private async Task StatusAsync(HttpContext context)
    {
        try
        {
            var status = await member.StatusAsync(context.RequestAborted).ConfigureAwait(false);
            await TextAsync(context, 200, JsonSerializer.Serialize(status, ApiJson.Default.MemberStatus) + "\n", "application/json").ConfigureAwait(false);
        }
        catch (QuorateException error)
        {
            await RefuseAsync(context, 503, error.Message).ConfigureAwait(false);
        }
    }

    /// <summary>What only the leader can do: whoever else refuses says where the leader is asked.</summary>
    private async Task DoAsync(HttpContext context, Func<CancellationToken, Task> wish, bool ofTheLeader = true)
    {
        try
        {
            await wish(context.RequestAborted).ConfigureAwait(false);
            await StatusAsync(context).ConfigureAwait(false);
        }
        catch (FormatException error)
        {
            await RefuseAsync(context, 400, error.Message).ConfigureAwait(false);
        }
        catch (QuorateException error)
        {
            await RefuseAsync(context, 409, error.Message, ofTheLeader ? await LeaderHttpAsync(context).ConfigureAwait(false) : "").ConfigureAwait(false);
        }
    }

    private async Task<string> LeaderHttpAsync(HttpContext context)
    {
        try
        {
            var status = await member.StatusAsync(context.RequestAborted).ConfigureAwait(false);
            return status.Leader == status.Id ? "" : status.Members.FirstOrDefault(m => m.Id == status.Leader)?.Http ?? "";
        }
        catch (QuorateException)
        {
            return ""; // it has stopped meanwhile: what it refused stands in the first answer
        }
    }

    private Task RefuseAsync(HttpContext context, int code, string error, string leaderHttp = "") =>
        TextAsync(context, code, JsonSerializer.Serialize(new ApiError(error, member.Leader, leaderHttp), ApiJson.Default.ApiError) + "\n", "application/json");

    private static byte Id(HttpContext context, string key = "id")
    {
        string text = context.Request.Query[key].ToString();
        return byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte id) && id is > 0 and < 255 ? id : throw new FormatException($"{key}: '{text}' is not allowed; it must be a number from 1 to 254");
    }

    private static long[] Indexes(HttpContext context) => LogIndexes.Parse(context.Request.Query["indexes"].ToString(), out string reason) ?? throw new FormatException("indexes: " + reason);

    private static Task TextAsync(HttpContext context, int code, string text, string type = "text/plain; charset=utf-8")
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = code;
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
