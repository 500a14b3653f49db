using System.Buffers.Binary;

namespace Quorate.ZooKeeper.Client;

/// <summary>
/// A client of ZooKeeper's wire, of any server that speaks it: pumped, seeded, without a thread. It keeps its session across servers as kazoo and Curator do: on a loss what was sent is answered ConnectionLoss, what was not sent waits;
/// on the next server it shows its session, sends its auths again, and brings its watches back with setWatches. Requests may be pipelined at will.
/// This part: servers, handshake, liveness.
/// </summary>
public sealed partial class ZooKeeperClient : IConnectionOwner
{
    private readonly INetwork _network;
    private readonly ClientOptions _options;
    private readonly IClientListener _listener;
    private readonly string[] _servers;
    private Prng _prng;
    private int _next, _failures;
    private Connection? _connection;
    private bool _shaken, _closing;
    private long _giveUpAt = Instant.Never, _dialAt = Instant.Never;
    private long _lastSent, _lastHeard;
    private byte[] _password = new byte[16];
    private Instant _now;

    public ZooKeeperClient(INetwork network, ClientOptions options, IClientListener listener)
    {
        _network = network;
        _options = options;
        _listener = listener;
        _prng = new Prng(options.Seed);
        _servers = [.. options.Servers];
        if (_servers.Length == 0) throw new ArgumentException("a client needs at least one server", nameof(options));
        for (int i = _servers.Length - 1; i > 0 && !options.KeepOrder; i--)
        {
            int j = (int)_prng.Below(i + 1);
            (_servers[i], _servers[j]) = (_servers[j], _servers[i]);
        }
    }

    public ClientState State { get; private set; }

    /// <summary>0 before the first handshake and after an expiry.</summary>
    public long Session { get; private set; }

    public ReadOnlySpan<byte> Password => _password;

    public int NegotiatedTimeoutMillis { get; private set; }

    /// <summary>The highest zxid in any reply.</summary>
    public long LastZxid { get; private set; }

    /// <summary>Where it is connected, or was last.</summary>
    public string Server { get; private set; } = "";

    /// <summary>Connections that stood and were lost.</summary>
    public long Losses { get; private set; }

    /// <summary>Replies that no request fits, or that cannot be read: such a connection is dropped.</summary>
    public long ProtocolErrors { get; private set; }

    /// <summary>Requests whose answer is not there yet.</summary>
    public int Pending => _pending.Count;

    public long NextWake { get; private set; } = Instant.Never;

    /// <summary>Begins. A session and its password may be given to go on with them.</summary>
    public void Start(Instant now, long session = 0, ReadOnlySpan<byte> password = default)
    {
        _now = now;
        Session = session;
        if (password.Length == 16) _password = password.ToArray();
        Become(ClientState.Disconnected);
        _dialAt = now.Micros;
        Pump(now);
    }

    /// <summary>Ends the session: everything before is answered first. State Closed follows.</summary>
    public void Close()
    {
        if (State is ClientState.Closed or ClientState.New || _closing) return;
        _closing = true;
        if (_shaken) Send(OpCode.CloseSession, 0, default);
        else Shut();
    }

    /// <summary>Drops the connection as a network would; the session lives on and is taken up at the next server.</summary>
    public void Drop()
    {
        if (_connection is not { } connection) return;
        connection.Abort();
        Lost();
    }

    /// <summary>Walks away without a word: the session dies of its time-out.</summary>
    public void Abandon() => Shut();

    public void Pump(Instant now)
    {
        _now = now;
        if (_dialAt <= now.Micros && _connection is null && State is not (ClientState.Closed or ClientState.New)) Dial();
        if (_connection is not null && !_shaken && _giveUpAt <= now.Micros) Drop();
        if (_shaken && Silence * 3 >= TimeoutMicros * 2) Drop();
        else if (_shaken && now.Micros - _lastSent >= TimeoutMicros / 3) Ping();
        NextWake = _shaken ? Math.Min(_lastSent + TimeoutMicros / 3, _lastHeard + TimeoutMicros * 2 / 3) : _connection is not null ? _giveUpAt : _dialAt;
    }

    public void OnConnected(Connection connection)
    {
        if (_connection is not null && !ReferenceEquals(connection, _connection)) return;
        _connection = connection;
        var w = connection.Output;
        int frame = w.BeginFrame();
        w.JuteInt(0);
        w.JuteLong(LastZxid);
        w.JuteInt(_options.SessionTimeoutMillis);
        w.JuteLong(Session);
        w.JuteBuffer(_password);
        w.JuteBool(false);
        w.EndFrame(frame);
        connection.Flush();
    }

    public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
    {
        if (!ReferenceEquals(connection, _connection)) return bytes.Length;
        _lastHeard = _now.Micros;
        int used = 0;
        while (bytes.Length - used >= 4 && ReferenceEquals(connection, _connection))
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes[used..]);
            if (length < 0)
            {
                ProtocolError();
                break;
            }
            if (bytes.Length - used - 4 < length) break;
            var frame = bytes.Slice(used + 4, length);
            used += 4 + length;
            if (_shaken) Hear(frame);
            else ShakeHands(frame);
        }
        return ReferenceEquals(connection, _connection) ? used : bytes.Length;
    }

    public void OnClosed(Connection connection, string reason)
    {
        if (_connection is not null && !ReferenceEquals(connection, _connection)) return;
        Lost();
    }

    private long TimeoutMicros => Math.Max(1, NegotiatedTimeoutMillis) * Instant.MicrosPerMilli;
    private long Silence => _now.Micros - _lastHeard;

    private void Dial()
    {
        _dialAt = Instant.Never;
        _shaken = false;
        Server = _servers[_next];
        _next = (_next + 1) % _servers.Length;
        int patience = _options.ConnectMillis > 0 ? _options.ConnectMillis : Math.Max(50, _options.SessionTimeoutMillis / _servers.Length);
        _giveUpAt = _now.Micros + patience * Instant.MicrosPerMilli;
        var connection = _network.Connect(Server, this);
        _connection ??= _dialAt == Instant.Never ? connection : null;
    }

    private void ShakeHands(ReadOnlySpan<byte> frame)
    {
        var r = new JuteReader(frame);
        r.Int();
        int timeout = r.Int();
        long session = r.Long();
        var password = r.Buffer(out _);
        if (r.Failed || password.Length != 16)
        {
            ProtocolError();
            return;
        }
        if (timeout <= 0)
        {
            Expire();
            return;
        }
        NegotiatedTimeoutMillis = timeout;
        Session = session;
        password.CopyTo(_password);
        _shaken = true;
        _failures = 0;
        _giveUpAt = Instant.Never;
        _lastHeard = _lastSent = _now.Micros;
        BringBack();
        SendHeld(); // before anybody hears of it and asks more
        Become(ClientState.Connected);
    }

    /// <summary>The session is gone: nobody's requests will be answered any more, no watch fires, and a new session begins if that is wanted.</summary>
    private void Expire()
    {
        var connection = _connection;
        _connection = null;
        connection?.Abort();
        Session = 0;
        Array.Clear(_password);
        ForgetWatches();
        if (_closing)
        {
            Shut();
            return;
        }
        Become(ClientState.Expired);
        FailAll(ErrorCode.SessionExpired);
        if (!_options.NewSessionAfterExpiry) return;
        Become(ClientState.Disconnected);
        _failures = 0;
        _dialAt = NextWake = _now.Micros; // a server lives: no pause
    }

    private void Lost()
    {
        bool stood = _shaken;
        _connection = null;
        _shaken = false;
        _giveUpAt = Instant.Never;
        if (State is ClientState.Closed or ClientState.New) return;
        if (stood) Losses++;
        if (_closing)
        {
            Shut();
            return;
        }
        FailSent(ErrorCode.ConnectionLoss);
        if (State == ClientState.Connected) Become(ClientState.Disconnected);
        Again();
    }

    /// <summary>The next server at once; after a whole round in vain a pause that doubles, with a random part.</summary>
    private void Again()
    {
        int round = _failures++ / _servers.Length;
        long pause = _failures % _servers.Length != 0 ? 0 : (long)_options.LongestPauseMillis * Instant.MicrosPerMilli >> Math.Max(0, 4 - round);
        _dialAt = _now.Micros + (pause == 0 ? 0 : pause / 2 + _prng.Below(pause / 2 + 1));
        NextWake = _dialAt;
    }

    private void Shut()
    {
        _connection?.Abort();
        _connection = null;
        _shaken = false;
        _dialAt = _giveUpAt = NextWake = Instant.Never;
        Become(ClientState.Closed);
        FailAll(ErrorCode.ConnectionLoss);
    }

    private void ProtocolError()
    {
        ProtocolErrors++;
        Drop();
    }

    private void Become(ClientState state)
    {
        if (State == state) return;
        State = state;
        _listener.OnState(this, state);
    }
}
