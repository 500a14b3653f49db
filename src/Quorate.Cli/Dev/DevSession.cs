using System.Diagnostics;
using System.Globalization;

namespace Quorate.Cli.Dev;

/// <summary>Starts the members, shows what they say, starts a killed one again, and ends them all, by process id, when asked to.</summary>
internal static class DevSession
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(6);

    public static async Task<int> RunAsync(LocalCluster cluster, DevLog log, CancellationToken cancelled)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        var members = new Task<int>[cluster.Count];
        log.Line(-1, string.Create(CultureInfo.InvariantCulture, $"{cluster.Count} members, data in {cluster.Directory}; kill -9 one and it comes back in {s_pause.TotalSeconds} s; Ctrl-C ends them all"));
        for (int i = 0; i < members.Length; i++)
        {
            int index = i;
            members[i] = Task.Run(() => KeepAsync(cluster, index, log, ending), CancellationToken.None);
        }
        int[] codes = await Task.WhenAll(members).ConfigureAwait(false);
        log.Line(-1, "all ended");
        return codes.Max();
    }

    /// <summary>Runs one member until the session ends. A member that refuses its first start (exit code 2) ends the session: the others would only wait for it.</summary>
    private static async Task<int> KeepAsync(LocalCluster cluster, int index, DevLog log, CancellationTokenSource ending)
    {
        for (bool first = true; ; first = false)
        {
            int code;
            using (var process = cluster.Start(index))
            {
                log.Line(index, "started, pid " + process.Id.ToString(CultureInfo.InvariantCulture));
                var said = Task.WhenAll(CopyAsync(process.StandardOutput, index, log), CopyAsync(process.StandardError, index, log));
                code = await EndAsync(process, ending.Token).ConfigureAwait(false);
                await said.ConfigureAwait(false);
            }
            if (ending.IsCancellationRequested) return code is 0 or 137 or 143 ? 0 : code;
            log.Line(index, "ended with code " + code.ToString(CultureInfo.InvariantCulture));
            if (first && code == Program.Wrong)
            {
                await ending.CancelAsync().ConfigureAwait(false);
                return code;
            }
            await Task.Delay(s_pause, ending.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
            if (ending.IsCancellationRequested) return 0;
        }
    }

    /// <summary>Waits for the end; when the session is to end first SIGTERM, then, after the grace, SIGKILL.</summary>
    private static async Task<int> EndAsync(Process process, CancellationToken ending)
    {
        var ended = process.WaitForExitAsync(CancellationToken.None);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (ending.Register(asked.SetResult))
        {
            if (await Task.WhenAny(ended, asked.Task).ConfigureAwait(false) != ended)
            {
                Signals.Send(process.Id, Signals.Term);
                if (await Task.WhenAny(ended, Task.Delay(s_grace, CancellationToken.None)).ConfigureAwait(false) != ended) Signals.Send(process.Id, Signals.Kill);
            }
        }
        await ended.ConfigureAwait(false);
        return process.ExitCode;
    }

    private static async Task CopyAsync(StreamReader from, int index, DevLog log)
    {
        while (await from.ReadLineAsync().ConfigureAwait(false) is { } line) log.Line(index, line);
    }
}
