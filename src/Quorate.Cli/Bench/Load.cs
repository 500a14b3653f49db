using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Cli.Bench;

/// <summary>
/// Puts a closed-loop load on any server of ZooKeeper's protocol and checks every reply: its xid is the oldest outstanding one, zxids never go back on a connection, a read returns as many bytes as were written.
/// Each connection has a loop of its own: read what came, send as many new requests in one write.
/// </summary>
internal sealed class Load(LoadOptions options)
{
    private readonly byte[] _payload = [.. Enumerable.Repeat((byte)'x', options.Size)];
    private readonly List<Loop> _loops = [];
    private volatile bool _measuring;
    private volatile bool _stopping;
    private long _created;

    /// <summary>Replies since the start, all connections.</summary>
    public long Done => _loops.Sum(l => Volatile.Read(ref l.Replies));

    /// <summary>Replies with an error, and requests lost with their connection.</summary>
    public long Errors => _loops.Sum(l => Volatile.Read(ref l.Errors));

    /// <summary>Makes the nodes that the load touches; throws what the network throws.</summary>
    public void Prepare()
    {
        using var connection = BenchConnection.Open(options.Servers[0]);
        if (connection.Create(options.Root, []) is var root && root.Error != Wire.NodeExists) Expect(root);
        if (options.Mode != LoadMode.Create)
            for (int k = 0; k < options.Keys; k++)
                if (connection.Create(KeyOf(k), _payload) is var made && made.Error == Wire.NodeExists) Expect(connection.Set(Encoding.UTF8.GetBytes(KeyOf(k)), _payload));
                else Expect(made);
    }

    /// <summary>Opens every connection and lets each see what was prepared; all of them or, when one fails, none.</summary>
    public void Open()
    {
        try
        {
            for (int i = 0; i < options.Connections; i++)
            {
                var connection = BenchConnection.Open(options.Servers[i % options.Servers.Count]);
                _loops.Add(new Loop(this, connection, (ulong)i));
                connection.Sync(options.Root);
            }
        }
        catch
        {
            Stop();
            throw;
        }
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancelled)
    {
        using var stop = cancelled.Register(Stop);
        await Task.WhenAll(_loops.Select(l => Task.Run(l.RunAsync, CancellationToken.None))).ConfigureAwait(false);
    }

    /// <summary>Warms up, measures for the given time, and tells each second how far it is.</summary>
    public async Task<LoadResult> MeasureAsync(Action<double, long>? progress, CancellationToken cancelled)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        var running = RunAsync(stop.Token);
        await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(options.WarmSeconds), cancelled)).ConfigureAwait(false);
        long before = Done, start = Stopwatch.GetTimestamp();
        _measuring = true;
        double elapsed;
        while ((elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds) < options.Seconds && !running.IsCompleted && !cancelled.IsCancellationRequested)
        {
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(Math.Clamp(options.Seconds - elapsed, 0.001, 1)), CancellationToken.None)).ConfigureAwait(false);
            progress?.Invoke(Stopwatch.GetElapsedTime(start).TotalSeconds, Done - before);
        }
        _measuring = false;
        elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long ops = Done - before;
        await stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        return Result(ops, elapsed);
    }

    private LoadResult Result(long ops, double elapsed)
    {
        var all = new LatencyTable();
        foreach (var loop in _loops) all.Add(loop.Latencies);
        return new LoadResult
        {
            Mode = options.Mode.ToString().ToLowerInvariant(), Conns = options.Connections, Pipeline = options.Pipeline, Size = options.Size,
            Ops = ops, Errors = Errors, FirstError = _loops.Select(l => l.FirstError).FirstOrDefault(e => e != 0),
            OrderBreaches = _loops.Sum(l => l.OrderBreaches), ZxidBreaches = _loops.Sum(l => l.ZxidBreaches), SizeBreaches = _loops.Sum(l => l.SizeBreaches), LostConns = _loops.Count(l => l.Lost),
            OpsPerS = ops / elapsed, P50Us = all.Quantile(0.5) / 1e3, P99Us = all.Quantile(0.99) / 1e3, P999Us = all.Quantile(0.999) / 1e3, MaxUs = all.Max / 1e3,
            LongestGapMs = _loops.Select(l => l.LongestGap).DefaultIfEmpty().Max() / 1e6,
        };
    }

    private void Stop()
    {
        _stopping = true;
        foreach (var loop in _loops) loop.Close();
    }

    private string KeyOf(long k) => options.Root + "/k" + k.ToString(CultureInfo.InvariantCulture);

    private static void Expect(ReplyHeader reply)
    {
        if (reply.Error != 0) throw new IOException($"the server answered error {reply.Error.ToString(CultureInfo.InvariantCulture)}");
    }

    private sealed class Loop(Load load, BenchConnection connection, ulong number)
    {
        public long Replies, Errors, OrderBreaches, ZxidBreaches, SizeBreaches, LongestGap;
        public int FirstError;
        public bool Lost;
        public readonly LatencyTable Latencies = new();
        private readonly Queue<(int Xid, bool Read, long Sent)> _pending = new();
        private readonly ByteWriter _out = new(64 * 1024);
        private readonly byte[] _path = new byte[256];
        private byte[] _in = new byte[256 * 1024];
        private Prng _prng = new(number + 1);
        private int _have, _xid = 1_000_000;
        private long _lastZxid;

        public void Close() => connection.Dispose();

        public async Task RunAsync()
        {
            try
            {
                for (int i = 0; i < load.Pipelined; i++) Enqueue();
                await FlushAsync().ConfigureAwait(false);
                long last = Stopwatch.GetTimestamp();
                while (!load._stopping)
                {
                    int n = await connection.Socket.ReceiveAsync(_in.AsMemory(_have)).ConfigureAwait(false);
                    if (n == 0) throw new IOException("the server closed the connection");
                    _have += n;
                    long now = Stopwatch.GetTimestamp();
                    if (load._measuring) LongestGap = Math.Max(LongestGap, Nanos(now - last));
                    last = now;
                    TakeReplies(now);
                    await FlushAsync().ConfigureAwait(false);
                }
            }
            catch (Exception gone) when (gone is SocketException or IOException or ObjectDisposedException)
            {
                if (load._stopping) return;
                Lost = true;
                Volatile.Write(ref Errors, Errors + _pending.Count);
            }
        }

        private void TakeReplies(long now)
        {
            int at = 0;
            for (int length; (length = Wire.FrameLength(_in.AsSpan(at, _have - at))) > 0; at += length) TakeReply(_in.AsSpan(at, length), now);
            _have -= at;
            if (_have > 0) Buffer.BlockCopy(_in, at, _in, 0, _have);
            if (_have == _in.Length) Array.Resize(ref _in, _in.Length * 2);
        }

        private void TakeReply(ReadOnlySpan<byte> frame, long now)
        {
            var reply = ReplyHeader.Read(frame);
            if (reply.Xid < 0) return;
            if (!_pending.TryDequeue(out var request))
            {
                OrderBreaches++;
                return;
            }
            if (request.Xid != reply.Xid) OrderBreaches++;
            if (reply.Zxid < _lastZxid) ZxidBreaches++;
            _lastZxid = reply.Zxid;
            if (reply.Error != 0)
            {
                Volatile.Write(ref Errors, Errors + 1);
                if (FirstError == 0) FirstError = reply.Error;
            }
            else if (request.Read && BinaryPrimitives.ReadInt32BigEndian(frame[20..]) != load._payload.Length) SizeBreaches++;
            if (load._measuring) Latencies.Add(Nanos(now - request.Sent));
            Volatile.Write(ref Replies, Replies + 1);
            if (!load._stopping) Enqueue();
        }

        private void Enqueue()
        {
            int xid = ++_xid;
            bool read = load.Mode == LoadMode.Get || (load.Mode == LoadMode.Mix && _prng.Below(100) < load.ReadPercent);
            if (load.Mode == LoadMode.Create) Wire.CreateNode(_out, xid, Encoding.UTF8.GetBytes(load.NextName()), load._payload);
            else
            {
                int length = Encoding.UTF8.GetBytes(load.Root, _path);
                "/k"u8.CopyTo(_path.AsSpan(length));
                _prng.Below(load.Keys).TryFormat(_path.AsSpan(length + 2), out int digits, provider: CultureInfo.InvariantCulture);
                var path = _path.AsSpan(0, length + 2 + digits);
                if (read) Wire.Get(_out, xid, path);
                else Wire.Set(_out, xid, path, load._payload);
            }
            _pending.Enqueue((xid, read, Stopwatch.GetTimestamp()));
        }

        private async Task FlushAsync()
        {
            for (int sent = 0; sent < _out.Length;) sent += await connection.Socket.SendAsync(_out.Array.AsMemory(sent, _out.Length - sent)).ConfigureAwait(false);
            _out.Clear();
        }

        private static long Nanos(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));
    }

    private int Pipelined => options.Pipeline;
    private LoadMode Mode => options.Mode;
    private int ReadPercent => options.ReadPercent;
    private int Keys => options.Keys;
    private string Root => options.Root;

    private string NextName() => string.Create(CultureInfo.InvariantCulture, $"{options.Root}/c{Interlocked.Increment(ref _created)}-{Environment.ProcessId}");
}
