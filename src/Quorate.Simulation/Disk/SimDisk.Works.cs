namespace Quorate.Simulation;

/// <summary>The queues of works, run at simulated times.</summary>
public sealed partial class SimDisk
{
    private sealed class Queue
    {
        public readonly Queue<(DiskWork Work, long Due)> Works = new();
        public long LastDue;
        public long StalledUntil;
    }

    private readonly Queue _journal = new(), _background = new(), _reads = new();
    private readonly Queue<DiskWork> _done = new();
    private long _now;

    /// <summary>Microseconds that a journal's work takes, at least and at most.</summary>
    public (long Least, long Most) JournalMicros { get; set; } = (50, 400);

    /// <summary>The same for the background's.</summary>
    public (long Least, long Most) BackgroundMicros { get; set; } = (200, 5_000);

    /// <summary>The same for what a serving member reads.</summary>
    public (long Least, long Most) ReadMicros { get; set; } = (20, 1_000);

    /// <summary>When the next work is due; <see cref="Instant.Never"/> when none waits.</summary>
    public long NextDue => DueOf(Next());

    /// <summary>A finished work waits to be taken by <see cref="TryComplete"/>: the member's bell has rung.</summary>
    public bool HasCompleted => _done.Count > 0;

    public void Submit(DiskQueue queue, DiskWork work)
    {
        var q = Of(queue);
        var (least, most) = queue switch { DiskQueue.Journal => JournalMicros, DiskQueue.Reads => ReadMicros, _ => BackgroundMicros };
        ref var chance = ref (queue == DiskQueue.Reads ? ref _readChance : ref _chance);
        work.Failure = null;
        q.LastDue = Math.Max(Math.Max(q.LastDue, _now), q.StalledUntil) + chance.Between(least, most + 1);
        q.Works.Enqueue((work, q.LastDue));
    }

    public bool TryComplete(out DiskWork work) => _done.TryDequeue(out work!);

    /// <summary>Moves simulated time on and runs every work that is due by then, in the order of their times.</summary>
    public void RunDue(long nowMicros)
    {
        while (NextDue <= nowMicros)
        {
            var q = Next();
            _now = Math.Max(_now, q.Works.Peek().Due);
            Run(q.Works.Dequeue().Work);
        }
        _now = Math.Max(_now, nowMicros);
    }

    /// <summary>Nothing of the queue runs before this time.</summary>
    public void Stall(DiskQueue queue, long untilMicros)
    {
        var q = Of(queue);
        q.StalledUntil = Math.Max(q.StalledUntil, untilMicros);
    }

    private Queue Of(DiskQueue queue) => queue switch { DiskQueue.Journal => _journal, DiskQueue.Reads => _reads, _ => _background };

    private Queue Next()
    {
        var first = DueOf(_journal) <= DueOf(_background) ? _journal : _background;
        return DueOf(first) <= DueOf(_reads) ? first : _reads;
    }

    private void Run(DiskWork work)
    {
        try
        {
            work.Run(this);
        }
        catch (DiskException e)
        {
            work.Failure = e;
        }
        _done.Enqueue(work);
    }

    private static long DueOf(Queue q) => q.Works.TryPeek(out var first) ? Math.Max(first.Due, q.StalledUntil) : Instant.Never;

    /// <summary>At a crash what waits may have run, to any point: a work stops after some of its operations, and those behind it in its queue did not begin.</summary>
    private void StopWorks()
    {
        bool journalFirst = _chance.Chance(0.5);
        StopQueue(journalFirst ? _journal : _background);
        StopQueue(journalFirst ? _background : _journal);
        _reads.Works.Clear(); // a read leaves nothing behind
        _reads.LastDue = _reads.StalledUntil = 0;
        _done.Clear();
    }

    private void StopQueue(Queue q)
    {
        bool stopped = _stopped; // in the middle of a work: those behind it do not begin
        _budget = _chance.Below(3) == 0 ? 0 : _chance.Below(8);
        try
        {
            while (q.Works.Count > 0 && _budget > 0 && !stopped)
            {
                var work = q.Works.Dequeue().Work;
                try
                {
                    work.Run(this);
                }
                catch (DiskException e)
                {
                    work.Failure = e; // nobody will take it
                }
            }
        }
        catch (SimCrash)
        {
            q.Works.Clear();
        }
        q.Works.Clear();
        q.LastDue = q.StalledUntil = 0;
        _budget = long.MaxValue;
        _stopped = stopped;
    }
}
