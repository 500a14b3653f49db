using System.Net;
using System.Net.Sockets;

namespace Quorate.Transport.Doors;

/// <summary>
/// Wakes the strand from other threads. A ring costs a system call only when the strand may be asleep. The race it avoids:
/// 1 the strand looks at its queues and finds nothing; 2 another thread queues work and rings; 3 the strand falls asleep. Hence <see cref="_rung"/> is raised before <see cref="_asleep"/> is read by the ringer,
/// and <see cref="_asleep"/> before <see cref="_rung"/> is read by the strand, each with a full fence between: one of the two sees the other.
/// </summary>
public abstract class Bell : IDisposable
{
    private int _rung, _asleep;

    /// <summary>From any thread, after the work was queued.</summary>
    public void Ring()
    {
        if (Interlocked.Exchange(ref _rung, 1) == 0 && Volatile.Read(ref _asleep) == 1) Strike();
    }

    /// <summary>The strand is about to wait; false when it must not, because it was rung.</summary>
    internal bool MaySleep()
    {
        Interlocked.Exchange(ref _asleep, 1);
        return Volatile.Read(ref _rung) == 0;
    }

    /// <summary>The strand is awake, and looks at all queues after this.</summary>
    internal void Awake()
    {
        Volatile.Write(ref _asleep, 0);
        Interlocked.Exchange(ref _rung, 0);
    }

    /// <summary>Makes the waiting descriptor readable.</summary>
    protected abstract void Strike();

    /// <summary>It was seen to be readable.</summary>
    internal abstract void Still();

    public abstract void Dispose();
}

internal sealed unsafe class EventBell : Bell
{
    private readonly Descriptor _descriptor;

    public EventBell()
    {
        _descriptor = new Descriptor(Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC));
        if (_descriptor.IsInvalid) throw new NetworkException("cannot create an eventfd");
    }

    public int Number => _descriptor.Number;

    protected override void Strike()
    {
        ulong one = 1;
        bool held = false;
        try
        {
            _descriptor.DangerousAddRef(ref held);          // a late ring may meet the strand's end
            Libc.write(_descriptor.Number, (byte*)&one, 8);
        }
        catch (ObjectDisposedException)
        {
            return;                                         // nobody is left to be woken
        }
        finally
        {
            if (held) _descriptor.DangerousRelease();
        }
    }

    internal override void Still()
    {
        ulong count;
        Libc.read(_descriptor.Number, (byte*)&count, 8);
    }

    public override void Dispose() => _descriptor.Dispose();
}

/// <summary>The portable one: a datagram socket that sends to itself.</summary>
internal sealed class SocketBell : Bell
{
    private static readonly byte[] s_stroke = [1];
    private readonly byte[] _drop = new byte[8];

    public SocketBell()
    {
        Socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Socket.Connect(Socket.LocalEndPoint!);
        Socket.Blocking = false;
    }

    public Socket Socket { get; }

    protected override void Strike()
    {
        try
        {
            Socket.Send(s_stroke, SocketFlags.None, out _);
        }
        catch (ObjectDisposedException)
        {
            return;                                         // nobody is left to be woken
        }
    }

    internal override void Still()
    {
        SocketError error;
        do Socket.Receive(_drop, 0, _drop.Length, SocketFlags.None, out error);
        while (error == SocketError.Success);
    }

    public override void Dispose() => Socket.Dispose();
}
