namespace Quorate.Cli;

/// <summary>Ends the command with one clear line on standard error and a code: 2 for what its caller got wrong (nothing was touched), 1 for what went wrong.</summary>
public sealed class CommandException(string message, int code = 2) : Exception(message)
{
    public int Code { get; } = code;
}
