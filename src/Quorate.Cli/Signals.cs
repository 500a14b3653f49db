using System.Runtime.InteropServices;

namespace Quorate.Cli;

/// <summary>Signals to other processes, by process id only.</summary>
internal static partial class Signals
{
    public const int Term = 15, Kill = 9;

    /// <summary>False when there is no such process.</summary>
    public static bool Send(int pid, int signal) => pid > 1 && kill(pid, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
