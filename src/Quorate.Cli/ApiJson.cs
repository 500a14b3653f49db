using System.Text.Json.Serialization;

namespace Quorate.Cli;

/// <summary>What the HTTP side answers a command whose wish was not done.</summary>
/// <param name="Error">One line.</param>
/// <param name="Leader">Who leads, 0 when unknown.</param>
/// <param name="LeaderHttp">Where to ask the leader, when only it could do it; empty when that is not known.</param>
internal sealed record ApiError(string Error, int Leader, string LeaderHttp = "");

/// <summary>The JSON of the HTTP side, made ahead: `status` starts no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(MemberStatus))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class ApiJson : JsonSerializerContext;
