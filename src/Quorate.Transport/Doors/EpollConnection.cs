using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Quorate.Transport.Doors;

/// <summary>A socket in the poll set, used through its bare descriptor: the strand is its only user and keeps the handle.</summary>
internal sealed unsafe class EpollConnection(EpollNetwork network, Descriptor? descriptor) : SocketConnection(network), IDial
{
    private readonly EpollNetwork _network = network;
    private IPEndPoint[]? _candidates;
    private int _candidate, _error;
    private uint _interest;

    public int Slot;

    public Descriptor? Descriptor { get; private set; } = descriptor;

    protected override string FailureText => Libc.Error(_error);

    private uint Wanted => Connecting ? Libc.EPOLLOUT : (Reading && !Closing ? Libc.EPOLLIN : 0) | (WantsWrite ? Libc.EPOLLOUT : 0);

    /// <summary>Enters the poll set.</summary>
    public void Watched()
    {
        _interest = Wanted;
        _network.Watch(this, _interest);
    }

    public override void ApplyInterest()
    {
        if (Descriptor == null || _interest == Wanted) return;
        _interest = Wanted;
        _network.Change(this, _interest);
    }

    public void Ready(uint what, byte[] buffer)
    {
        if (Connecting)
        {
            Concluded();
            return;
        }
        if ((what & Libc.EPOLLOUT) != 0) WriteReady();
        if ((what & ~Libc.EPOLLOUT) == 0 || Closed) return;
        // A hang-up is reported whatever we wait for: while nothing is read it must end the connection, or every wait would return at once.
        if ((what & (Libc.EPOLLERR | Libc.EPOLLHUP)) != 0 && (Closing || !Reading))
        {
            if (Closing) Abort();
            else Break("reset by the other end");
            return;
        }
        ReadReady(buffer);
    }

    public void Dial(IPEndPoint[] endPoints)
    {
        if (Closed) return;
        _candidates = endPoints;
        _candidate = -1;
        _error = 0;
        Next();
    }

    protected override int Receive(Span<byte> into)
    {
        while (true)
        {
            nint count;
            fixed (byte* start = into) count = Libc.recv(Descriptor!.Number, start, into.Length, Libc.MSG_DONTWAIT);
            if (count >= 0) return (int)count;
            if (Again(Marshal.GetLastPInvokeError())) return _error == Libc.EAGAIN ? WouldBlock : Failed;
        }
    }

    protected override int Send(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            nint count;
            fixed (byte* start = bytes) count = Libc.send(Descriptor!.Number, start, bytes.Length, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (count >= 0) return (int)count;
            if (Again(Marshal.GetLastPInvokeError())) return _error == Libc.EAGAIN ? WouldBlock : Failed;
        }
    }

    protected override void CloseSocket(bool orderly)
    {
        if (Descriptor == null) return;
        if (orderly)
        {
            // Closing with unread bytes resets the connection and may take from the other end what we sent last; so they are read away first.
            Libc.shutdown(Descriptor.Number, Libc.SHUT_WR);
            var drop = _network.ReadBuffer;
            for (int i = 0; i < 16 && Receive(drop) > 0; i++) { }
        }
        Descriptor.Dispose();
        Descriptor = null;
    }

    /// <summary>Remembers the error; false when the call is to be repeated.</summary>
    private bool Again(int error)
    {
        _error = error;
        return error != Libc.EINTR;
    }

    /// <summary>Tries the next address that the name has.</summary>
    private void Next()
    {
        while (++_candidate < _candidates!.Length)
        {
            var endPoint = _candidates[_candidate];
            int family = endPoint.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET;
            var descriptor = new Descriptor(Libc.socket(family, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0));
            _error = Marshal.GetLastPInvokeError();
            if (descriptor.IsInvalid) continue;
            Libc.SetOption(descriptor.Number, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            // The kernel holds little that is not on its way: what waits, waits here, where urgent frames are counted before bulk (LinkLimits.BulkBelowBytes).
            Libc.SetOption(descriptor.Number, Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, 128 * 1024);
            var address = endPoint.Serialize();
            int result;
            fixed (byte* bytes = address.Buffer.Span) result = Libc.connect(descriptor.Number, bytes, address.Size);
            _error = result == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (_error is 0 or Libc.EINPROGRESS or Libc.EINTR)
            {
                Descriptor = descriptor;
                Watched();
                return;
            }
            descriptor.Dispose();
        }
        Break(_error == 0 ? "the name has no address" : Libc.Error(_error));
    }

    /// <summary>The dial ended, well or not.</summary>
    private void Concluded()
    {
        int error = 0, length = sizeof(int);
        if (Libc.getsockopt(Descriptor!.Number, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length) != 0) error = Marshal.GetLastPInvokeError();
        if (error == 0)
        {
            ConnectedNow();
            return;
        }
        _error = error;
        Descriptor.Dispose();
        Descriptor = null;
        Next();
    }
}
