using System.Diagnostics;
using System.Globalization;
using Quorate.Cli.Dev;

namespace Quorate.Cli.Bench;

/// <summary>An ensemble whose members may be killed and started again.</summary>
internal interface IVictims : IAsyncDisposable
{
    IReadOnlyList<Address> Servers { get; }

    int PidOf(int index);

    void Restart(int index);
}

/// <summary>Somebody else's ensemble: pids from files or given, restarted by a shell command.</summary>
internal sealed class ForeignVictims : IVictims
{
    private readonly string[] _pids;
    private readonly string? _restart;
    private readonly List<Process> _shells = [];

    public ForeignVictims(IReadOnlyList<Address> servers, string[] pids, string? restart)
    {
        if (servers.Count != pids.Length) throw new CommandException($"--pids: {pids.Length.ToString(CultureInfo.InvariantCulture)} are given for {servers.Count.ToString(CultureInfo.InvariantCulture)} servers");
        Servers = servers;
        _pids = pids;
        _restart = restart;
        for (int i = 0; i < pids.Length; i++) PidOf(i);
    }

    public IReadOnlyList<Address> Servers { get; }

    public int PidOf(int index)
    {
        string text = _pids[index].Trim();
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pid)) return pid;
        try
        {
            return int.Parse(File.ReadAllText(text), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            throw new CommandException($"--pids: {text}: {error.Message}");
        }
    }

    public void Restart(int index)
    {
        if (_restart is null) throw new CommandException("--restart: the killed member cannot be started again, so there is only one round", 1);
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(_restart.Replace("{i}", index.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        _shells.Add(Process.Start(start)!);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var shell in _shells) shell.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Members of its own, ended by their process ids when it is over.</summary>
internal sealed class DevVictims : IVictims
{
    private readonly LocalCluster _cluster;
    private readonly Process[] _members;

    public DevVictims(int count)
    {
        var (zookeeper, peer, http) = LocalCluster.FreePorts(count);
        _cluster = new LocalCluster(count, System.IO.Directory.CreateTempSubdirectory("quorate-failover-").FullName, zookeeper, peer, http, []);
        Servers = [.. Enumerable.Range(0, count).Select(_cluster.ZooKeeper)];
        _members = [.. Enumerable.Range(0, count).Select(Start)];
    }

    public IReadOnlyList<Address> Servers { get; }

    public int PidOf(int index) => _members[index].Id;

    public void Restart(int index)
    {
        _members[index].WaitForExit(10_000);
        _members[index].Dispose();
        _members[index] = Start(index);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members) Signals.Send(member.Id, Signals.Term);
        foreach (var member in _members)
        {
            using (member)
            {
                if (await Task.WhenAny(member.WaitForExitAsync(), Task.Delay(6000)).ConfigureAwait(false) is { } first && !member.HasExited) Signals.Send(member.Id, Signals.Kill);
                await member.WaitForExitAsync().ConfigureAwait(false);
            }
        }
        System.IO.Directory.Delete(_cluster.Directory, recursive: true);
    }

    private Process Start(int index)
    {
        var process = _cluster.Start(index);
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text && text.StartsWith("quorate:", StringComparison.Ordinal)) Console.Error.WriteLine(text);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
