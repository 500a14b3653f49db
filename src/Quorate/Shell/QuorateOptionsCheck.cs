using Microsoft.Extensions.Options;

namespace Quorate.Shell;

/// <summary>The host refuses to start on settings that are wrong, with the same line as the command.</summary>
internal sealed class QuorateOptionsCheck : IValidateOptions<QuorateOptions>
{
    public ValidateOptionsResult Validate(string? name, QuorateOptions options) => options.Check() is { } wrong ? ValidateOptionsResult.Fail(wrong) : ValidateOptionsResult.Success;
}
