using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Quorate.Cli.Serve;

/// <summary>One line an event on standard output: time (UTC), level, text. Standard error is kept for the one line that says why a command failed.</summary>
internal sealed class PlainLogger : ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        string level = logLevel switch { LogLevel.Information => "info ", LogLevel.Warning => "warn ", _ => "error" };
        Output.Line(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} {level} {formatter(state, exception)}"));
    }
}
