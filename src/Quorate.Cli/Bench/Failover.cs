using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Quorate.Cli.Bench;

/// <summary>
/// A round: (1) every server serves and one leads; (2) a client of a survivor writes, one write in flight, and a load of 100-byte writes runs at the survivors beside it; (3) kill -9 of the leader;
/// (4) the time from kill's return to the reply to the first write that this client sent after it. Where the survivor hangs up (ZooKeeper's do) the client connects to it again until it can write, and the line says so.
/// </summary>
internal sealed class Failover(IVictims victims, int loadConnections, Action<string> say)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly byte[] s_data = [.. Enumerable.Repeat((byte)'f', 100)];

    /// <summary>Milliseconds of each kill.</summary>
    public async Task<IReadOnlyList<double>> RunAsync(int rounds, CancellationToken cancelled)
    {
        var results = new List<double>();
        for (int round = 1; round <= rounds && !cancelled.IsCancellationRequested; round++)
        {
            int leader = await WaitUntilAllServeAsync(cancelled).ConfigureAwait(false);
            await PrepareAsync(leader, cancelled).ConfigureAwait(false);
            var (took, reconnects) = await RoundAsync(leader, cancelled).ConfigureAwait(false);
            string who = string.Create(CultureInfo.InvariantCulture, $"round {round,2}: killed {victims.Servers[leader]}");
            if (took is { } millis)
            {
                results.Add(millis);
                say(string.Create(CultureInfo.InvariantCulture, $"{who}, reply after {millis:0.0} ms{(reconnects ? " and a new connection" : "")}"));
            }
            else say(who + ", and the survivor's client had no reply in time");
            if (round < rounds) victims.Restart(leader);
        }
        return results;
    }

    private async Task<(double? Millis, bool Reconnected)> RoundAsync(int leader, CancellationToken cancelled)
    {
        Address[] survivors = [.. victims.Servers.Where((_, i) => i != leader)];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        var running = Task.CompletedTask;
        if (loadConnections > 0)
        {
            var load = await OpenLoadAsync(survivors, cancelled).ConfigureAwait(false);
            running = load.RunAsync(stop.Token);
        }
        try
        {
            using var probe = await TryAgainAsync(() => new Probe(survivors[0]), cancelled).ConfigureAwait(false);
            await Task.Delay(1500, cancelled).ConfigureAwait(false);
            if (!Signals.Send(victims.PidOf(leader), Signals.Kill)) throw new CommandException($"the process {victims.PidOf(leader).ToString(CultureInfo.InvariantCulture)} could not be killed", 1);
            long killed = Stopwatch.GetTimestamp();
            return (await probe.FirstReplyToAWriteSentAfterAsync(killed, s_patience).ConfigureAwait(false), probe.Reconnected);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }
    }

    /// <summary>Asks `srvr` until every server serves; the leader's place.</summary>
    private async Task<int> WaitUntilAllServeAsync(CancellationToken cancelled)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < s_patience; await Task.Delay(100, cancelled).ConfigureAwait(false))
        {
            string[] answers = [.. victims.Servers.Select(s => Word.Ask(s, "srvr"))];
            int leader = Array.FindIndex(answers, a => a.Contains("Mode: leader", StringComparison.Ordinal));
            if (leader >= 0 && answers.All(a => a.Contains("Mode: ", StringComparison.Ordinal))) return leader;
        }
        throw new CommandException($"not every server of {string.Join(',', victims.Servers)} serves under a leader after {s_patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", 1);
    }

    private Task<bool> PrepareAsync(int leader, CancellationToken cancelled) => TryAgainAsync(() =>
    {
        using var connection = BenchConnection.Open(victims.Servers[leader]);
        connection.Create("/failover", []);
        connection.Create("/failover/probe", s_data);
        return true;
    }, cancelled);

    private Task<Load> OpenLoadAsync(Address[] survivors, CancellationToken cancelled) => TryAgainAsync(() =>
    {
        var load = new Load(new LoadOptions { Servers = survivors, Connections = loadConnections, Root = "/failover" });
        load.Prepare();
        load.Open();
        return load;
    }, cancelled);

    /// <summary>A server that has just said that it serves may hang up once more before a round begins: on a busy machine its leader changes again.</summary>
    private static async Task<T> TryAgainAsync<T>(Func<T> attempt, CancellationToken cancelled)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                return attempt();
            }
            catch (Exception error) when (error is SocketException or IOException)
            {
                if (tries == 50) throw new CommandException($"the servers accept no client: {error.Message}", 1);
                await Task.Delay(200, cancelled).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Writes, one in flight, on a thread of its own, and remembers when what was answered.</summary>
    private sealed class Probe : IDisposable
    {
        private readonly Address _server;
        private readonly TaskCompletionSource<double> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private BenchConnection _connection;
        private long _killed;
        private volatile bool _stopping;

        public Probe(Address server)
        {
            _server = server;
            _connection = BenchConnection.Open(server);
            new Thread(Write) { IsBackground = true, Name = "failover probe" }.Start();
        }

        public bool Reconnected { get; private set; }

        public async Task<double?> FirstReplyToAWriteSentAfterAsync(long killed, TimeSpan patience)
        {
            Volatile.Write(ref _killed, killed);
            return await Task.WhenAny(_found.Task, Task.Delay(patience)).ConfigureAwait(false) == _found.Task ? await _found.Task.ConfigureAwait(false) : null;
        }

        public void Dispose()
        {
            _stopping = true;
            _connection.Dispose();
        }

        private void Write()
        {
            while (!_stopping && !WriteUntilFound())
            {
                if (_stopping) return;
                Reconnected |= Volatile.Read(ref _killed) != 0;
                Thread.Sleep(5);
                Reopen();
            }
        }

        /// <summary>False when the connection broke.</summary>
        private bool WriteUntilFound()
        {
            try
            {
                while (!_stopping)
                {
                    long sent = Stopwatch.GetTimestamp();
                    var reply = _connection.Set("/failover/probe"u8, s_data);
                    long killed = Volatile.Read(ref _killed);
                    if (killed == 0 || sent < killed || reply.Error != 0) continue;
                    _found.TrySetResult(Stopwatch.GetElapsedTime(killed).TotalMilliseconds);
                    return true;
                }
                return true;
            }
            catch (Exception gone) when (gone is SocketException or IOException or ObjectDisposedException)
            {
                return false;
            }
        }

        private void Reopen()
        {
            try
            {
                _connection.Dispose();
                _connection = BenchConnection.Open(_server);
            }
            catch (Exception refused) when (refused is SocketException or IOException)
            {
                Thread.Sleep(5); // it does not serve yet; the next write fails on the closed connection and comes here again
            }
        }
    }
}
