using Quorate.Protocols.Raft;
using Quorate.Simulation.Time;
using Quorate.Storage;

namespace Quorate.Simulation.Faults;

/// <summary>One machine of a world with one process on it: its clock, its disk, its turns, its ends and starts. What the process is, the world knows.</summary>
internal abstract class SimMachine(Schedule schedule, int number, SimClock clock, SimDisk disk) : INotes
{
    private long _turnAt = Instant.Never, _diskWatched = Instant.Never;

    /// <summary>1 and up.</summary>
    public int Number { get; } = number;
    public SimClock Clock { get; } = clock;
    public SimDisk Disk { get; set; } = disk;

    /// <summary>Its process runs.</summary>
    public abstract bool Alive { get; }

    /// <summary>Grows with each start and end of a process: what was arranged for an earlier life finds another number.</summary>
    public int Life { get; private set; }
    public long PausedUntil { get; set; }

    /// <summary>What was done to its disk and is not mended yet.</summary>
    public Harm Harm { get; set; }

    /// <summary>Its process's storage; null while it is down.</summary>
    public abstract MemberStore? Store { get; }

    /// <summary>Its process's core; null while it is down or not formed.</summary>
    public abstract RaftCore? Core { get; }

    /// <summary>The directory id that it has, or had when it was last seen running.</summary>
    public ulong Directory { get; private set; }

    public Instant Now => Clock.At(schedule.NowMicros);

    public abstract void Note(int level, string text);

    /// <summary>Starts the process on what the disk holds; throws what its opening throws, <see cref="SimCrash"/> too.</summary>
    public void Start()
    {
        BeginLife();
        Disk.RunDue(schedule.NowMicros);
        Boot();
        SeeDirectory();
    }

    /// <summary>The process ends here and now, whatever it was doing, and the page cache keeps what it wrote.</summary>
    public void Kill()
    {
        End(silent: false);
        Disk.Kill();
    }

    /// <summary>The machine loses its power: nobody is told, and what was not synced may be gone.</summary>
    public void LosePower()
    {
        End(silent: true);
        Disk.Crash();
    }

    /// <summary>Dead for good: a start that was arranged finds another life.</summary>
    public void StayDown() => Life++;

    public void WakeAt(long micros)
    {
        if (!Alive || micros >= _turnAt) return;
        _turnAt = micros;
        int life = Life;
        schedule.At(micros, () =>
        {
            if (Life != life || _turnAt != micros) return;
            _turnAt = Instant.Never;
            if (schedule.NowMicros < PausedUntil) WakeAt(PausedUntil);
            else
            {
                Disk.RunDue(schedule.NowMicros); // what is asked of it now takes its time from now
                Turn();
            }
        });
    }

    public void WakeAfter(long delay) => WakeAt(schedule.NowMicros + delay);

    /// <summary>The disk works by world time, whatever its process does; what it finished rings the process's bell.</summary>
    public void WatchDisk()
    {
        long due = Disk.NextDue;
        if (due >= _diskWatched) return;
        _diskWatched = due;
        var disk = Disk;
        schedule.At(due, () =>
        {
            if (Disk != disk || _diskWatched != due) return;
            _diskWatched = Instant.Never;
            if (!Alive) return;
            disk.RunDue(schedule.NowMicros);
            if (disk.HasCompleted) WakeAfter(1);
            WatchDisk();
        });
    }

    protected void BeginLife() => Life++;

    protected void SeeDirectory() => Directory = Store!.Identity.Directory;

    /// <summary>Opens, recovers, begins.</summary>
    protected abstract void Boot();

    protected abstract void Turn();

    /// <summary>Everything that lived in the process's memory is gone; its connections are reset, or fall silent.</summary>
    protected abstract void Forget(bool silent);

    private void End(bool silent)
    {
        Life++;
        PausedUntil = 0;
        _turnAt = _diskWatched = Instant.Never;
        Forget(silent);
    }
}
