using Microsoft.Extensions.Logging;

namespace Quorate.Shell;

/// <summary>Notes as log lines.</summary>
internal static partial class NoteLog
{
    [LoggerMessage(EventId = 1000, Message = "{Note}")]
    public static partial void Write(ILogger logger, LogLevel level, string note);
}
