using System.Net;
using System.Net.Sockets;

namespace Quorate.Transport.Doors;

/// <summary>The portable side: the framework's sockets and Select, which asks about every socket at every turn. Same connection class, same turn, same tests.</summary>
public sealed class ManagedNetwork : SocketNetwork
{
    private readonly Dictionary<Socket, object> _owners = [];
    private readonly List<Socket> _reads = [], _writes = [], _errors = [];
    private readonly List<ManagedListener> _listeners = [];
    private readonly List<ManagedConnection> _connections = [];

    public ManagedNetwork(INotes notes) : base(notes, new SocketBell())
    {
    }

    internal override long NextWake
    {
        get
        {
            long wake = base.NextWake;
            foreach (var listener in _listeners) wake = Math.Min(wake, listener.ResumeAt);
            return wake;
        }
    }

    public override string Listen(string address, Func<Connection, IConnectionOwner?> accept)
    {
        var listener = new ManagedListener(Endpoints.Listen(address), accept);
        _listeners.Add(listener);
        _owners.Add(listener.Socket, listener);
        return Endpoints.Text(listener.Socket.LocalEndPoint);
    }

    public override void Dispose()
    {
        foreach (var listener in _listeners) listener.Socket.Dispose();
        base.Dispose();
    }

    internal override void Wait(int timeoutMillis)
    {
        _reads.Clear();
        _writes.Clear();
        _errors.Clear();
        _reads.Add(((SocketBell)Bell).Socket);
        foreach (var listener in _listeners)
            if (listener.ResumeAt == Instant.Never) _reads.Add(listener.Socket);
        foreach (var connection in _connections)
        {
            if (connection.Socket is not { } socket) continue;
            if (!connection.Connecting && connection.Reading && !connection.Closing && !connection.AgainAsked) _reads.Add(socket);
            if (connection.Connecting || connection.WantsWrite) _writes.Add(socket);
            if (connection.Connecting) _errors.Add(socket);
        }
        Socket.Select(_reads, _writes, _errors, timeoutMillis < 0 ? -1 : timeoutMillis * 1000);
    }

    protected override void ReadReady()
    {
        foreach (var listener in _listeners)
            if (listener.ResumeAt <= Now) listener.ResumeAt = Instant.Never;
        foreach (var socket in _errors)
            if (_owners.TryGetValue(socket, out var owner) && owner is ManagedConnection { Connecting: true } dial) dial.Concluded();
        foreach (var socket in _writes)
        {
            if (!_owners.TryGetValue(socket, out var owner) || owner is not ManagedConnection connection) continue;
            if (connection.Connecting) connection.Concluded();
            else connection.WriteReady();
        }
        foreach (var socket in _reads)
        {
            if (socket == ((SocketBell)Bell).Socket) Bell.Still();
            else if (!_owners.TryGetValue(socket, out var owner)) continue;
            else if (owner is ManagedConnection connection) connection.ReadReady(ReadBuffer);
            else AcceptAll((ManagedListener)owner);
        }
        _reads.Clear();
        _writes.Clear();
        _errors.Clear();
    }

    protected override void ForEach(Action<object> each)
    {
        for (int i = _connections.Count - 1; i >= 0; i--) each(_connections[i]);
    }

    private protected override SocketConnection NewDial()
    {
        var connection = new ManagedConnection(this, null) { Number = NextNumber() };
        Remember(connection);
        return connection;
    }

    private protected override void Forget(SocketConnection connection)
    {
        // The last one takes the place, so that leaving costs the same however many there are.
        var gone = (ManagedConnection)connection;
        var last = _connections[^1];
        _connections[gone.Place] = last;
        last.Place = gone.Place;
        _connections.RemoveAt(_connections.Count - 1);
    }

    internal void Own(Socket socket, ManagedConnection connection) => _owners[socket] = connection;
    internal void Disown(Socket socket) => _owners.Remove(socket);

    private void Remember(ManagedConnection connection)
    {
        connection.Place = _connections.Count;
        _connections.Add(connection);
    }

    private void AcceptAll(ManagedListener listener)
    {
        for (int i = 0; i < AcceptsATurn && (i == 0 || listener.Socket.Poll(0, SelectMode.SelectRead)); i++)
        {
            Socket socket;
            try
            {
                socket = listener.Socket.Accept();
            }
            catch (SocketException failed)
            {
                if (failed.SocketErrorCode is SocketError.WouldBlock or SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.Interrupted) return;
                NoteSeldom($"cannot accept connections for {AcceptPauseMicros / 1000} ms: {failed.Message}");
                listener.ResumeAt = Now + AcceptPauseMicros;
                return;
            }
            socket.Blocking = false;
            socket.NoDelay = true;
            var connection = new ManagedConnection(this, socket) { Number = NextNumber(), RemoteAddress = Endpoints.Text(socket.RemoteEndPoint) };
            Remember(connection);
            Own(socket, connection);
            Accepted(connection, listener.Accept);
        }
    }
}

internal sealed class ManagedListener(Socket socket, Func<Connection, IConnectionOwner?> accept)
{
    public readonly Socket Socket = socket;
    public readonly Func<Connection, IConnectionOwner?> Accept = accept;

    /// <summary>When accepting goes on; Never while it is not paused.</summary>
    public long ResumeAt = Instant.Never;
}

internal sealed class ManagedConnection(ManagedNetwork network, Socket? socket) : SocketConnection(network), IDial
{
    private readonly ManagedNetwork _network = network;
    private IPEndPoint[]? _candidates;
    private int _candidate;
    private string _failure = "";

    public int Place;

    public Socket? Socket { get; private set; } = socket;

    protected override string FailureText => _failure;

    /// <summary>Nothing to tell: Select is asked anew at every turn.</summary>
    public override void ApplyInterest() { }

    public void Dial(IPEndPoint[] endPoints)
    {
        if (Closed) return;
        _candidates = endPoints;
        _candidate = -1;
        _failure = "the name has no address";
        Next();
    }

    /// <summary>The dial ended, well or not.</summary>
    public void Concluded()
    {
        var error = (SocketError)(int)Socket!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        if (error == SocketError.Success && Socket.Poll(0, SelectMode.SelectWrite))
        {
            ConnectedNow();
            return;
        }
        _failure = new SocketException((int)error).Message;
        Drop();
        Next();
    }

    protected override int Receive(Span<byte> into)
    {
        int count = Socket!.Receive(into, SocketFlags.None, out var error);
        return error == SocketError.Success ? count : Outcome(error);
    }

    protected override int Send(ReadOnlySpan<byte> bytes)
    {
        int count = Socket!.Send(bytes, SocketFlags.None, out var error);
        return error == SocketError.Success ? count : Outcome(error);
    }

    protected override void CloseSocket(bool orderly)
    {
        if (Socket == null) return;
        if (orderly)
        {
            try
            {
                Socket.Shutdown(SocketShutdown.Send);
                var drop = _network.ReadBuffer;
                for (int i = 0; i < 16 && Receive(drop) > 0; i++) { }
            }
            catch (SocketException gone)
            {
                _failure = gone.Message;                    // the other end was faster
            }
        }
        Drop();
    }

    private int Outcome(SocketError error)
    {
        if (error is SocketError.WouldBlock or SocketError.Interrupted or SocketError.IOPending) return WouldBlock;
        _failure = new SocketException((int)error).Message;
        return Failed;
    }

    private void Drop()
    {
        _network.Disown(Socket!);
        Socket!.Dispose();
        Socket = null;
    }

    private void Next()
    {
        while (++_candidate < _candidates!.Length)
        {
            var endPoint = _candidates[_candidate];
            Socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false, NoDelay = true };
            _network.Own(Socket, this);
            try
            {
                Socket.Connect(endPoint);
                return;
            }
            catch (SocketException pending) when (pending.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress or SocketError.IOPending)
            {
                return;
            }
            catch (SocketException failed)
            {
                _failure = failed.Message;
                Drop();
            }
        }
        Break(_failure);
    }
}
