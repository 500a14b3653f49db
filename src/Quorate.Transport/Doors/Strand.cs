namespace Quorate.Transport.Doors;

/// <summary>What a strand turns: a member, or anything pumped.</summary>
public interface IPumped
{
    /// <summary>A turn begins, before anything is read: the place to notice a gap (<see cref="Mesh.AfterGap"/>).</summary>
    void BeginTurn(Instant now);

    /// <summary>After everything was read. Returns the monotone micros at which it must be pumped at the latest.</summary>
    long Pump(Instant now);
}

/// <summary>
/// The one thread of a member. A turn: wait until something arrives, is posted, is due → BeginTurn → read every ready socket once → Pump → send once a connection. It blocks in the wait and never spins.
/// Inside Pump the member calls FlushPeers between stepping its cores and its journal.
/// </summary>
public sealed class Strand : IDisposable
{
    private const long SlowTurnMicros = 20_000, NoteMicros = 1_000_000;

    /// <summary>Turns in a row that did not sleep though nothing came, before the strand takes them for a fault of what it pumps.</summary>
    private const int EmptyTurns = 1000;

    private readonly SocketNetwork _network;
    private readonly IPumped _pumped;
    private readonly INotes _notes;
    private readonly Thread _thread;
    private volatile bool _stopping;
    private long _slowNoted;

    public Strand(SocketNetwork network, IPumped pumped, INotes notes, string name = "quorate-strand")
    {
        _network = network;
        _pumped = pumped;
        _notes = notes;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    /// <summary>What ended the strand, when it was no Stop: a broken invariant, or the poll set itself. Read it after <see cref="Ended"/>.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Called on the strand's thread as its last act.</summary>
    public Action<Exception?>? Ended { get; set; }

    /// <summary>Turns since the start; a watcher sees that it moves.</summary>
    public long Turns { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>From any thread: runs on the strand at the beginning of its next turn.</summary>
    public void Post(Action question) => _network.Post(question);

    /// <summary>From any thread: the turn that runs is the last one; every connection is flushed and closed.</summary>
    public void Stop()
    {
        _stopping = true;
        _network.Bell.Ring();
    }

    public bool Join(TimeSpan atMost) => _thread.Join(atMost);

    public void Dispose()
    {
        if (!_thread.IsAlive) return;
        Stop();
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        try
        {
            Turn();
            _network.CloseAll();
        }
        catch (Exception broken)
        {
            // The only place where a strand's exception ends: the member stops, and whoever started it is told (DESIGN §9.6).
            Failure = broken;
            _notes.Note(3, "the strand stopped: " + broken);
        }
        finally
        {
            _network.Dispose();
            Ended?.Invoke(Failure);
        }
    }

    private void Turn()
    {
        long wake = 0;
        int empty = 0;
        while (!_stopping)
        {
            long before = BootClock.Micros();
            int timeout = Timeout(Math.Min(wake, _network.NextWake), before);
            if (!_network.Bell.MaySleep() || _network.Busy) timeout = 0;
            if (timeout != 0) empty = 0;
            else if (++empty % EmptyTurns == 0)
            {
                _notes.Note(2, $"{EmptyTurns} turns in a row found their wake passed already; sleeping 1 ms");
                timeout = 1;
            }
            _network.Wait(timeout);
            _network.Bell.Awake();
            var now = BootClock.Now();
            _pumped.BeginTurn(now);
            _network.Read(now.Micros);
            wake = _pumped.Pump(now);
            _network.Flush();
            Turns++;
            NoteSlow(now.Micros);
        }
    }

    /// <summary>Milliseconds, rounded up: a wake that came too early would find nothing due and wait again.</summary>
    private static int Timeout(long wake, long now)
    {
        if (wake == Instant.Never) return -1;
        return wake <= now ? 0 : (int)Math.Min((wake - now + 999) / 1000, 3_600_000);
    }

    private void NoteSlow(long began)
    {
        long now = BootClock.Micros();
        if (now - began < SlowTurnMicros || now - _slowNoted < NoteMicros) return;
        _slowNoted = now;
        _notes.Note(1, $"a turn took {(now - began) / 1000} ms; garbage collection has paused {GC.GetTotalPauseDuration().TotalMilliseconds:F0} ms in all");
    }
}
