using System.Globalization;
using System.Text;

namespace Quorate.ZooKeeper;

/// <summary>What `cons` and `stat` show of a connection (zookeeper.md §3.4).</summary>
public sealed partial class ZooKeeperConnection
{
    private readonly long _established;
    private long _received, _sent, _lastZxid = -1, _lastAnswer;
    private int _lastOp, _lastXid = -1;
    private LatencyFigures _latency;

    internal void ResetFigures()
    {
        _received = _sent = 0;
        _latency = default;
    }

    internal void Describe(StringBuilder text, bool whole)
    {
        var c = CultureInfo.InvariantCulture;
        text.Append(c, $" /{_connection.RemoteAddress}[{(_stage == Stage.Fresh ? 0 : 1)}](queued={_queue?.Count ?? 0},recved={_received},sent={_sent}");
        if (whole && _sessionId != 0)
        {
            long established = _sessions.Now.WallMillis - (_sessions.Now.Micros - _established) / Instant.MicrosPerMilli;
            text.Append(c, $",sid=0x{_sessionId:x},lop={OpCode.ShortName(_lastOp)},est={established},to={_timeout},lcxid=0x{_lastXid:x},lzxid=0x{_lastZxid:x}");
            text.Append(c, $",lresp={_lastAnswer},llat={_latency.LastMillis},minlat={_latency.MinMillis},avglat={_latency.AverageMillis:0},maxlat={_latency.MaxMillis}");
        }
        text.Append(")\n");
    }

    /// <summary>A request was read; it keeps the session alive, parked or not, once the session is attached here (sessions.md §6.1).</summary>
    private void Count(int op, int xid)
    {
        _received++;
        _face.Received++;
        _lastOp = op;
        _lastXid = xid;
        if (_stage == Stage.Open) _sessions.Touch(this);
    }

    private void Answered(long since, long zxid)
    {
        _sent++;
        _face.Sent++;
        _lastZxid = zxid;
        _lastAnswer = _sessions.Now.WallMillis;
        long micros = _sessions.Now.Micros - since;
        _latency.Add(micros);
        _face.Latency.Add(micros);
    }
}

/// <summary>Least, greatest, mean of latencies, in whole milliseconds as ZooKeeper shows them.</summary>
internal struct LatencyFigures
{
    private long _count, _sum, _min, _max, _last;

    public readonly long MinMillis => _min / Instant.MicrosPerMilli;
    public readonly long MaxMillis => _max / Instant.MicrosPerMilli;
    public readonly long LastMillis => _last / Instant.MicrosPerMilli;
    public readonly double AverageMillis => _count == 0 ? 0 : _sum / (double)Instant.MicrosPerMilli / _count;

    public void Add(long micros)
    {
        if (_count++ == 0 || micros < _min) _min = micros;
        _max = Math.Max(_max, micros);
        _sum += micros;
        _last = micros;
    }
}
