using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Quorate.Transport.Doors;

/// <summary>Sockets on epoll, level-triggered. A slot of the table names each descriptor in the poll set; a slot is given out again only after the turn in which it was freed, so no event of a closed connection reaches its successor.</summary>
public sealed unsafe class EpollNetwork : SocketNetwork
{
    private const int EventsATurn = 512, BellSlot = 0;
    private static readonly int s_stride = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 12 : 16;

    private readonly Descriptor _epoll;
    private readonly byte[] _events = GC.AllocateArray<byte>(EventsATurn * 16, pinned: true);
    private readonly List<object?> _slots = [null];
    private readonly Stack<int> _free = new();
    private readonly List<int> _freed = [];
    private readonly List<EpollListener> _listeners = [];
    private int _ready;

    public EpollNetwork(INotes notes) : base(notes, new EventBell())
    {
        _epoll = new Descriptor(Libc.epoll_create1(Libc.EPOLL_CLOEXEC));
        if (_epoll.IsInvalid) throw new NetworkException("cannot create an epoll set: " + Libc.Error(Marshal.GetLastPInvokeError()));
        _slots[BellSlot] = Bell;
        Control(Libc.EPOLL_CTL_ADD, ((EventBell)Bell).Number, Libc.EPOLLIN, BellSlot);
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
        var listener = new EpollListener(Endpoints.Listen(address), accept);
        _listeners.Add(listener);
        listener.Slot = Take(listener);
        Control(Libc.EPOLL_CTL_ADD, listener.Number, Libc.EPOLLIN, listener.Slot);
        return Endpoints.Text(listener.Socket.LocalEndPoint);
    }

    public override void Dispose()
    {
        foreach (var listener in _listeners) listener.Socket.Dispose();
        _epoll.Dispose();
        base.Dispose();
    }

    internal override void Wait(int timeoutMillis)
    {
        foreach (int slot in _freed) _free.Push(slot);
        _freed.Clear();
        fixed (byte* events = _events) _ready = Libc.epoll_wait(_epoll.Number, events, EventsATurn, timeoutMillis);
        if (_ready >= 0) return;
        int error = Marshal.GetLastPInvokeError();
        _ready = 0;
        if (error != Libc.EINTR) throw new NetworkException("epoll_wait: " + Libc.Error(error));
    }

    protected override void ReadReady()
    {
        foreach (var listener in _listeners)
            if (listener.ResumeAt <= Now) Pause(listener, false);
        for (int i = 0; i < _ready; i++)
        {
            var at = _events.AsSpan(i * s_stride);
            uint what = MemoryMarshal.Read<uint>(at);
            switch (_slots[MemoryMarshal.Read<int>(at[(s_stride - 8)..])])
            {
                case EpollConnection connection:
                    connection.Ready(what, ReadBuffer);
                    break;
                case EpollListener listener:
                    AcceptAll(listener);
                    break;
                case Doors.Bell bell:
                    bell.Still();
                    break;
                default:
                    break;                                  // closed earlier in this very turn
            }
        }
        _ready = 0;
    }

    protected override void ForEach(Action<object> each)
    {
        for (int i = 1; i < _slots.Count; i++)
            if (_slots[i] is EpollConnection connection) each(connection);
    }

    private protected override SocketConnection NewDial() => new EpollConnection(this, null) { Number = NextNumber() };

    private protected override void Forget(SocketConnection connection)
    {
        var gone = (EpollConnection)connection;
        if (gone.Slot == 0) return;
        _slots[gone.Slot] = null;
        _freed.Add(gone.Slot);
        gone.Slot = 0;
    }

    internal void Watch(EpollConnection connection, uint interest)
    {
        if (connection.Slot == 0) connection.Slot = Take(connection);
        Control(Libc.EPOLL_CTL_ADD, connection.Descriptor!.Number, interest, connection.Slot);
    }

    internal void Change(EpollConnection connection, uint interest) => Control(Libc.EPOLL_CTL_MOD, connection.Descriptor!.Number, interest, connection.Slot);

    private int Take(object item)
    {
        if (!_free.TryPop(out int slot))
        {
            slot = _slots.Count;
            _slots.Add(null);
        }
        _slots[slot] = item;
        return slot;
    }

    private void Control(int operation, int descriptor, uint interest, int slot)
    {
        byte* wanted = stackalloc byte[16];
        new Span<byte>(wanted, 16).Clear();
        *(uint*)wanted = interest;
        *(int*)(wanted + s_stride - 8) = slot;
        if (Libc.epoll_ctl(_epoll.Number, operation, descriptor, wanted) != 0)
            throw new NetworkException("epoll_ctl: " + Libc.Error(Marshal.GetLastPInvokeError()));
    }

    private void Pause(EpollListener listener, bool pause)
    {
        listener.ResumeAt = pause ? Now + AcceptPauseMicros : Instant.Never;
        Control(Libc.EPOLL_CTL_MOD, listener.Number, pause ? 0 : Libc.EPOLLIN, listener.Slot);
    }

    private void AcceptAll(EpollListener listener)
    {
        for (int i = 0; i < AcceptsATurn && listener.ResumeAt == Instant.Never; i++)
        {
            var from = listener.From;
            int length = from.Size, accepted;
            fixed (byte* address = from.Buffer.Span)
                accepted = Libc.accept4(listener.Number, address, &length, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
            if (accepted < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error == Libc.EAGAIN) return;
                if (error is Libc.EMFILE or Libc.ENFILE or Libc.ENOBUFS or Libc.ENOMEM)
                {
                    // Level-triggered: without the pause the listener would be ready at every turn and the strand would spin.
                    NoteSeldom($"cannot accept connections for {AcceptPauseMicros / 1000} ms: {Libc.Error(error)}");
                    Pause(listener, true);
                    return;
                }
                continue;                                   // EINTR, ECONNABORTED: that one is gone, the next may be well
            }
            Libc.SetOption(accepted, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            var connection = new EpollConnection(this, new Descriptor(accepted)) { Number = NextNumber(), RemoteAddress = Endpoints.Text(listener.Shape.Create(from)) };
            connection.Watched();
            Accepted(connection, listener.Accept);
        }
    }
}

internal sealed class EpollListener(Socket socket, Func<Connection, IConnectionOwner?> accept)
{
    public readonly Socket Socket = socket;
    public readonly Func<Connection, IConnectionOwner?> Accept = accept;
    public readonly int Number = (int)socket.SafeHandle.DangerousGetHandle();
    public readonly IPEndPoint Shape = (IPEndPoint)socket.LocalEndPoint!;
    public readonly SocketAddress From = socket.LocalEndPoint!.Serialize();
    public int Slot;

    /// <summary>When accepting goes on; Never while it is not paused.</summary>
    public long ResumeAt = Instant.Never;
}
