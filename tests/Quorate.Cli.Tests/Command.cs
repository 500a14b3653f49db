using System.Diagnostics;
using System.Text;

namespace Quorate.Cli.Tests;

/// <summary>The real command as a process: what it said, and how it ended. Killed by its id when a test forgets it.</summary>
internal sealed class Command : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _out = new(), _error = new();

    private Command(Process process) => _process = process;

    public int Pid => _process.Id;

    public string Out
    {
        get
        {
            lock (_out) return _out.ToString();
        }
    }

    public string Error
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    public static Command Start(params string[] arguments) => Start(null, arguments);

    public static Command Start(Dictionary<string, string>? environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Quorate.Cli")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        var command = new Command(new Process { StartInfo = start });
        command._process.OutputDataReceived += (_, line) => Append(command._out, line.Data);
        command._process.ErrorDataReceived += (_, line) => Append(command._error, line.Data);
        command._process.Start();
        command._process.BeginOutputReadLine();
        command._process.BeginErrorReadLine();
        return command;
    }

    /// <summary>Runs to its end, which must come within 30 s.</summary>
    public static (int Code, string Out, string Error) Run(params string[] arguments)
    {
        using var command = Start(arguments);
        int code = command.WaitForEnd(30);
        return (code, command.Out, command.Error);
    }

    public int WaitForEnd(double seconds)
    {
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(seconds)), $"it did not end within {seconds} s; it said:\n{Out}\n{Error}");
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void WaitFor(Func<string, bool> said, double seconds = 30)
    {
        for (long start = Stopwatch.GetTimestamp(); !said(Out); Thread.Sleep(20))
            Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && !_process.HasExited, $"it did not say so within {seconds} s; it said:\n{Out}\n{Error}");
    }

    public void Signal(int signal) => Assert.True(Signals.Send(Pid, signal));

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private static void Append(StringBuilder to, string? line)
    {
        if (line is null) return;
        lock (to) to.AppendLine(line);
    }
}

/// <summary>A directory that goes away.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("quorate-cli-tests-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
