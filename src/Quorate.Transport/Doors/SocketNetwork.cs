using System.Collections.Concurrent;
using System.Net;

namespace Quorate.Transport.Doors;

/// <summary>
/// The doors of peers and clients on real sockets, as one strand turns them: wait, read every ready socket once, (the member pumps,) send once a connection. <see cref="EpollNetwork"/> is the fast side,
/// <see cref="ManagedNetwork"/> the portable one. Everything but <see cref="Post"/> and <see cref="Doors.Bell.Ring"/> is the strand's.
/// </summary>
public abstract class SocketNetwork(INotes notes, Bell bell) : INetwork, IDisposable
{
    /// <summary>Bytes of the strand's read buffer: what one read takes at most.</summary>
    internal const int ReadBytes = 256 * 1024;

    /// <summary>Connections that wait to be accepted: a reconnect storm after a failover fits.</summary>
    internal const int Backlog = 4096;

    /// <summary>Connections accepted from one listener in one turn.</summary>
    internal const int AcceptsATurn = 256;

    /// <summary>Micros without accepting after the process ran out of descriptors.</summary>
    internal const long AcceptPauseMicros = 100_000;

    private const long SweepMicros = 5_000_000;

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly List<SocketConnection> _dirty = [], _urgent = [], _interest = [], _broken = [];
    private List<SocketConnection> _again = [], _againNow = [];
    private long _numbers, _sweepAt = Instant.Never, _noted;

    protected INotes Notes { get; } = notes;
    internal byte[] ReadBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReadBytes, pinned: true);

    /// <summary>Rung by other threads when they have finished work for the strand.</summary>
    public Bell Bell { get; } = bell;

    /// <summary>Open connections.</summary>
    public int Count { get; private set; }

    /// <summary>Micros of the last turn's clock.</summary>
    protected long Now { get; private set; } = BootClock.Micros();

    /// <summary>The fast side where the platform has it, else the portable one.</summary>
    public static SocketNetwork ForThisPlatform(INotes notes) => OperatingSystem.IsLinux() ? new EpollNetwork(notes) : new ManagedNetwork(notes);

    /// <summary>From any thread: runs on the strand at the beginning of its next turn.</summary>
    public void Post(Action question)
    {
        _posted.Enqueue(question);
        Bell.Ring();
    }

    public abstract string Listen(string address, Func<Connection, IConnectionOwner?> accept);

    /// <summary>A name is resolved on another thread; every address that it has is tried.</summary>
    public Connection Connect(string address, IConnectionOwner owner)
    {
        var (host, port) = Endpoints.Split(address);
        var connection = NewDial();
        connection.Connecting = true;
        connection.Owner = owner;
        Count++;
        if (IPAddress.TryParse(host, out var number)) ((IDial)connection).Dial([new IPEndPoint(number, port)]);
        else
        {
            Task.Run(() =>
            {
                try
                {
                    var found = Endpoints.Resolve(host, port);
                    Post(() => ((IDial)connection).Dial(found));
                }
                catch (NetworkException unknown)
                {
                    Post(() => connection.Break(unknown.Message));
                }
            });
        }
        return connection;
    }

    /// <summary>Sends what urgent connections hold.</summary>
    public void FlushPeers() => SendAll(_urgent);

    public virtual void Dispose()
    {
        Bell.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>There is work that needs no event: the next wait does not sleep.</summary>
    internal bool Busy => _again.Count > 0 || _broken.Count > 0 || !_posted.IsEmpty;

    /// <summary>When a turn is needed though nothing arrives.</summary>
    internal virtual long NextWake => _sweepAt;

    /// <summary>Sleeps until something arrives, the bell is rung, or the time is over (-1: none).</summary>
    internal abstract void Wait(int timeoutMillis);

    /// <summary>What the wait found.</summary>
    protected abstract void ReadReady();

    protected abstract void ForEach(Action<object> each);

    private protected abstract SocketConnection NewDial();

    protected long NextNumber() => ++_numbers;

    /// <summary>The read half of a turn.</summary>
    internal void Read(long now)
    {
        Now = now;
        while (_posted.TryDequeue(out var question)) question();
        (_againNow, _again) = (_again, _againNow);
        ReadReadyAfterAgain();
        TellBroken();
        if (now < _sweepAt) return;
        Sweep();
    }

    /// <summary>The write half of a turn: one send a connection that has output.</summary>
    internal void Flush()
    {
        SendAll(_urgent);
        SendAll(_dirty);
        // Closing one may mark others; interest is applied last, once.
        foreach (var connection in _interest)
        {
            connection.InterestMarked = false;
            if (!connection.Closed) connection.ApplyInterest();
        }
        _interest.Clear();
    }

    /// <summary>Sends what there is once more and lets every socket go.</summary>
    internal void CloseAll()
    {
        Flush();
        ForEach(item => ((SocketConnection)item).Abort());
    }

    internal void MarkDirty(SocketConnection connection)
    {
        (connection.Urgent ? _urgent : _dirty).Add(connection);
        if (_sweepAt == Instant.Never) _sweepAt = Now + SweepMicros;
    }

    internal void MarkAgain(SocketConnection connection) => _again.Add(connection);
    internal void MarkBroken(SocketConnection connection) => _broken.Add(connection);

    internal void MarkInterest(SocketConnection connection)
    {
        if (connection.InterestMarked) return;
        connection.InterestMarked = true;
        _interest.Add(connection);
    }

    internal void Gone(SocketConnection connection)
    {
        Count--;
        Forget(connection);
    }

    private protected abstract void Forget(SocketConnection connection);

    private protected void Accepted(SocketConnection connection, Func<Connection, IConnectionOwner?> accept)
    {
        Count++;
        connection.Owner = accept(connection);
        if (connection.Owner == null) connection.Abort();
    }

    /// <summary>At most one such note in ten seconds.</summary>
    private protected void NoteSeldom(string text)
    {
        if (_noted != 0 && Now - _noted < 10_000_000) return;
        _noted = Now;
        Notes.Note(2, text);
    }

    /// <summary>Who asked again is served with what it left, and reads nothing new in this turn: what it may hold stays bounded, and it gets one budget a turn.</summary>
    private void ReadReadyAfterAgain()
    {
        ReadReady();
        foreach (var connection in _againNow)
        {
            connection.AgainAsked = false;
            if (!connection.Closed && !connection.Closing) connection.DeliverHeld();
        }
        _againNow.Clear();
    }

    private void TellBroken()
    {
        for (int i = 0; i < _broken.Count; i++) _broken[i].TellBroken();
        _broken.Clear();
    }

    private static void SendAll(List<SocketConnection> marked)
    {
        for (int i = 0; i < marked.Count; i++) marked[i].SendNow();
        marked.Clear();
    }

    private void Sweep()
    {
        bool more = false;
        ForEach(item =>
        {
            var connection = (SocketConnection)item;
            if (connection.Closed) return;
            if (connection.Closing && ++connection.ClosingSweeps >= 2) connection.Abort();
            else more |= connection.Sweep();
        });
        _sweepAt = more ? Now + SweepMicros : Instant.Never;
    }
}

/// <summary>A connection that can be dialled.</summary>
internal interface IDial
{
    /// <summary>Tries these addresses one after the other.</summary>
    void Dial(IPEndPoint[] endPoints);
}
