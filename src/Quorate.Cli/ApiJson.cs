using System.Text.Json.Serialization;

namespace Quorate.Cli;

/// <summary>What the HTTP side answers a command whose wish was not done.</summary>
/// <param name="Error">One line.</param>
/// <param name="Leader">Who leads, 0 when unknown.</param>
internal sealed record ApiError(string Error, int Leader);

/// <summary>The JSON of the HTTP side, made ahead: `status` starts no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(MemberStatus))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class ApiJson : JsonSerializerContext;
