using System.Diagnostics;

namespace Quorate.Storage.Doors;

/// <summary>One thread and its plain blocking queue: works run in order, each is handed on when it is done. It never spins.</summary>
internal sealed class WorkQueue : IDisposable
{
    private readonly Queue<DiskWork> _works = new();
    private readonly object _gate = new();
    private readonly Action<DiskWork> _done;
    private readonly IDisk _disk;
    private readonly Thread _thread;
    private bool _stopped;
    private bool _running;
    private double _averageMicros = double.MaxValue;

    public WorkQueue(string name, IDisk disk, Action<DiskWork> done)
    {
        _disk = disk;
        _done = done;
        _thread = new Thread(Loop) { Name = name, IsBackground = true };
        _thread.Start();
    }

    public void Add(DiskWork work)
    {
        lock (_gate)
        {
            _works.Enqueue(work);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Runs the work on the calling thread when nothing is in the queue and the last ones took less than so long; false when it must be queued.</summary>
    public bool TryRunHere(DiskWork work, double micros)
    {
        lock (_gate)
            if (_running || _works.Count > 0 || _averageMicros > micros) return false;
        Run(work);
        return true;
    }

    /// <summary>What is queued is still run; the thread ends behind it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.Pulse(_gate);
        }
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Loop()
    {
        while (true)
        {
            DiskWork work;
            lock (_gate)
            {
                _running = false;
                while (_works.Count == 0)
                {
                    if (_stopped) return;
                    Monitor.Wait(_gate);
                }
                work = _works.Dequeue();
                _running = true;
            }
            Run(work);
        }
    }

    private void Run(DiskWork work)
    {
        long began = Stopwatch.GetTimestamp();
        work.Failure = null;
        try
        {
            work.Run(_disk);
        }
        catch (DiskException e)
        {
            work.Failure = e;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            work.Failure = new DiskException(DiskFailure.Broken, e.Message, e);
        }
        double micros = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        lock (_gate) _averageMicros = _averageMicros > 1e9 ? micros : _averageMicros + (micros - _averageMicros) / 8;
        _done(work);
    }
}
