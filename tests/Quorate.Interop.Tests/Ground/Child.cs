using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Quorate.Interop.Tests.Ground;

/// <summary>A real process with its output in files, its own id in a file, and an end that comes whatever happens.</summary>
/// <remarks>
/// Each child runs under `timeout`, so that even a test host that is killed leaves nothing behind for long, and under a shell that
/// writes its id and then becomes the program: signals go to that id, by number, and to nothing else.
/// </remarks>
internal sealed partial class Child : IDisposable
{
    public const int SigKill = 9, SigTerm = 15, SigCont = 18, SigStop = 19;
    private static readonly HashSet<Child> Alive = [];
    private readonly Process _process;
    private readonly string _pidFile;
    private readonly string? _ownPidFile;

    static Child() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        Child[] left;
        lock (Alive) left = [.. Alive];
        foreach (var c in left) c.Dispose();
        // Data of dozens of members; whoever wants to look at it sets QUORATE_INTEROP_KEEP.
        if (Environment.GetEnvironmentVariable("QUORATE_INTEROP_KEEP") is null && Directory.Exists(Mode.Scratch)) Directory.Delete(Mode.Scratch, true);
    };

    /// <param name="directory">Where `out`, `err` and `shell.pid` go.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="ownPidFile">The file in which the program writes the id of the process that serves (a launcher script may not be it).</param>
    /// <param name="limitSeconds">The hard end of the child.</param>
    /// <param name="fileLimit">ulimit -n of the child, or 0.</param>
    /// <param name="environment">Added to the child's environment.</param>
    public Child(string directory, IReadOnlyList<string> command, string? ownPidFile = null, int limitSeconds = 900, int fileLimit = 0, params (string, string)[] environment)
    {
        Directory.CreateDirectory(directory);
        Out = Path.Combine(directory, "out");
        Err = Path.Combine(directory, "err");
        _pidFile = Path.Combine(directory, "shell.pid");
        _ownPidFile = ownPidFile;
        File.Delete(_pidFile);
        File.Delete(Out);
        File.Delete(Err);
        if (ownPidFile is not null) File.Delete(ownPidFile);
        var start = new ProcessStartInfo("/usr/bin/timeout") { UseShellExecute = false, WorkingDirectory = directory };
        var limit = fileLimit > 0 ? "ulimit -n " + fileLimit.ToString(CultureInfo.InvariantCulture) + "; " : "";
        foreach (var a in new[] { "-k", "5", limitSeconds.ToString(CultureInfo.InvariantCulture), "/bin/bash", "-c", limit + "echo $$ >\"$0\"; o=\"$1\"; e=\"$2\"; shift 2; exec \"$@\" </dev/null >>\"$o\" 2>>\"$e\"", _pidFile, Out, Err })
            start.ArgumentList.Add(a);
        foreach (var a in command) start.ArgumentList.Add(a);
        // A test host sets variables that change how a nested `dotnet` behaves, and QUORATE_... would be settings: a member is started as a person would.
        foreach (var key in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || k.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase) || k.StartsWith("QUORATE_INTEROP", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(key);
        foreach (var (k, v) in environment) start.Environment[k] = v;
        lock (Alive) Alive.Add(this);
        _process = Process.Start(start) ?? throw new InvalidOperationException("could not start " + command[0]);
    }

    public string Out { get; }
    public string Err { get; }
    public bool HasExited => _process.HasExited;
    public int ExitCode => _process.ExitCode;
    public string OutText => Read(Out);
    public string ErrText => Read(Err);

    /// <summary>The id of the process that serves: from its own file once it has written one.</summary>
    public int Pid
    {
        get
        {
            if (_ownPidFile is not null && int.TryParse(Read(_ownPidFile).Trim(), out var own)) return own;
            return int.TryParse(Read(_pidFile).Trim(), out var pid) ? pid : 0;
        }
    }

    public void Signal(int signal)
    {
        if (_process.HasExited) return;
        var pid = Pid;
        if (pid > 1) _ = Kill(pid, signal);
    }

    public bool WaitForExit(double seconds) => _process.WaitForExit((int)(seconds * 1000));

    /// <summary>SIGKILL, and back only when the process is gone.</summary>
    public void KillHard()
    {
        Signal(SigKill);
        if (!WaitForExit(10)) throw new InvalidOperationException("a killed process did not go: " + Pid);
    }

    public void Dispose()
    {
        lock (Alive) if (!Alive.Remove(this)) return;
        if (!_process.HasExited)
        {
            Signal(SigCont);
            Signal(SigTerm);
            if (!WaitForExit(3))
            {
                Signal(SigKill);
                var shell = int.TryParse(Read(_pidFile).Trim(), out var p) ? p : 0;
                if (!WaitForExit(2) && shell > 1) _ = Kill(shell, SigKill);
                if (!WaitForExit(2)) _process.Kill();
            }
        }
        _process.Dispose();
    }

    /// <summary>Runs a program to its end. The last words of both streams are in the answer.</summary>
    public static (int Code, string Out, string Err) Run(string directory, IReadOnlyList<string> command, double seconds, params (string, string)[] environment)
    {
        using var c = new Child(directory, command, null, (int)seconds + 5, 0, environment);
        if (!c.WaitForExit(seconds)) return (124, c.OutText, c.ErrText + "\n(did not end in " + seconds + " s)");
        return (c.ExitCode, c.OutText, c.ErrText);
    }

    private static string Read(string file)
    {
        if (!File.Exists(file)) return "";
        using var f = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var r = new StreamReader(f);
        return r.ReadToEnd();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
