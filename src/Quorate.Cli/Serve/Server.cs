using System.Globalization;
using Quorate.Cli.Http;
using Quorate.Doors;
using Quorate.Shell;

namespace Quorate.Cli.Serve;

/// <summary>
/// Runs a member until it is asked to end. Whatever its caller got wrong is one line on standard error and exit code 2, before anything is touched; the log and the line `ready: ...` go to standard output.
/// </summary>
internal static class Server
{
    /// <summary>DESIGN §8: SIGTERM ends within 5 s.</summary>
    private static readonly TimeSpan s_end = TimeSpan.FromSeconds(4.5);

    public static int Run(ServeSettings settings, bool untilInputEnds)
    {
        using var interrupt = new Interrupt();
        if (untilInputEnds) EndWithInput(interrupt);
        return RunAsync(settings, interrupt.Token).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(ServeSettings settings, CancellationToken asked)
    {
        var http = settings.Http == "none" ? (Address?)null : Address.Parse(settings.Http, out _);
        if (http is { } address && Listening.Refusal("http", address) is { } refusal) throw new CommandException(refusal);
        var member = new QuorateMember(settings.Member, new PlainLogger());
        using var pid = PidFile.Write(settings.PidFile);
        // Beside the member's own start, which it need not wait for.
        var opening = http is { } at ? Task.Run(() => HttpSide.StartAsync(at, new Api(member).AnswerAsync), CancellationToken.None) : null;
        HttpSide? side = null;
        Exception? ended;
        try
        {
            // The others are told where to ask this one; only where any free port will do must it be bound before.
            if (http is { } where) member.Http = where.Port == 0 ? (await opening!.ConfigureAwait(false)).Bound : where.ToString();
            member.Start();
            side = opening is null ? null : await opening.ConfigureAwait(false);
            await Task.WhenAny(member.Serving, member.Ended, Asked(asked)).ConfigureAwait(false);
            if (member.Serving.IsCompleted && !asked.IsCancellationRequested)
                Output.Line(string.Create(CultureInfo.InvariantCulture, $"ready: id={settings.Member.Id} zookeeper={member.ZooKeeper} http={side?.Bound ?? "none"}"));
            await Task.WhenAny(member.Ended, Asked(asked)).ConfigureAwait(false);
        }
        catch (QuorateConfigurationException error)
        {
            throw new CommandException(error.Message);
        }
        catch (IOException error)
        {
            throw new CommandException("http: " + error.Message);
        }
        finally
        {
            ended = await StopAsync(member, side ?? await OpenedAsync(opening).ConfigureAwait(false)).ConfigureAwait(false);
        }
        return ended is null ? 0 : Program.Fail(ended.Message.ReplaceLineEndings(" "), 1);
    }

    /// <summary>What a start that failed elsewhere left open; null when it failed itself, which was said already.</summary>
    private static async Task<HttpSide?> OpenedAsync(Task<HttpSide>? opening)
    {
        if (opening is null) return null;
        await Task.WhenAny(opening).ConfigureAwait(false);
        return opening.IsCompletedSuccessfully ? opening.Result : null;
    }

    private static async Task<Exception?> StopAsync(QuorateMember member, HttpSide? side)
    {
        var stopped = member.StopAsync();
        if (await Task.WhenAny(stopped, Task.Delay(s_end)).ConfigureAwait(false) != stopped) return new TimeoutException("the member did not stop in time; what it acknowledged is on disk");
        if (side is not null) await side.DisposeAsync().ConfigureAwait(false);
        await member.DisposeAsync().ConfigureAwait(false);
        return await member.Ended.ConfigureAwait(false);
    }

    private static Task Asked(CancellationToken token)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(() => asked.TrySetResult());
        return asked.Task;
    }

    /// <summary>For whoever started this process as a child: when its end of the pipe closes, however it went, this process ends.</summary>
    private static void EndWithInput(Interrupt interrupt) => new Thread(() =>
    {
        byte[] drop = new byte[256];
        using var input = Console.OpenStandardInput();
        while (input.Read(drop) > 0) { }
        interrupt.Raise();
    }) { IsBackground = true, Name = "input" }.Start();
}
