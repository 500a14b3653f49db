using Quorate.Simulation.Checkers;
using Quorate.Simulation.Time;
using Quorate.Storage;

namespace Quorate.Simulation.Faults;

/// <summary>
/// What goes wrong in a world, when, and how it is mended: the faults that every world has. A world says what its network is, who may lose a disk, and adds its own faults in <see cref="ArrangeMore"/>.
/// Its chance is its own, so that a world's other draws do not move it.
/// </summary>
internal abstract class FaultSchedule<TMachine>(FaultPlan plan, Schedule schedule, Trace trace, List<TMachine> machines, ulong seed) where TMachine : SimMachine
{
#pragma warning disable CA1051 // a generator is a struct: a property would hand out copies
    protected Prng Chance = new(seed);
#pragma warning restore CA1051

    /// <summary>Faults that struck.</summary>
    public long Struck { get; private set; }

    /// <summary>The quorum is whole again, for good.</summary>
    public bool Healed { get; private set; }

    private bool _calm;

    protected Schedule Schedule { get; } = schedule;
    protected List<TMachine> Machines { get; } = machines;

    /// <summary>Places on the network, from <see cref="FirstPlace"/> on; the members' among them.</summary>
    protected abstract int Places { get; }
    protected abstract int FirstPlace { get; }

    public void Arrange()
    {
        Every(plan.Crash, "crash", () => EndFor(AnyMachine(), power: true, 1_000 + Chance.Below(plan.Pace * 400_000)));
        Every(plan.Kill, "kill", () => EndFor(AnyMachine(), power: false, 1_000 + Chance.Below(plan.Pace * 220_000)));
        Every(plan.Pause, "pause", () => AnyMachine().PausedUntil = Schedule.NowMicros + 20_000 + Chance.Below(plan.Pace * 1_300_000));
        Every(plan.Partition, "partition", Partition);
        Every(plan.OneWay, "one way", () => BlockForAWhile(AnyPlace(), AnyPlace()));
        Every(plan.DiskStall, "disk stall", () => AnyMachine().Disk.Stall(Chance.Chance(0.7) ? DiskQueue.Journal : DiskQueue.Background, Schedule.NowMicros + 5_000 + Chance.Below(plan.Pace * 400_000)));
        Every(plan.WallJump, "wall jump", JumpWall);
        Every(plan.Transfer, "transfer", Transfer);
        AtOnce(plan.AllCrash, "all crash", () =>
        {
            foreach (var machine in Machines) EndFor(machine, power: true, 1_000 + Chance.Below(plan.Pace * 250_000));
        });
        Every(plan.DiskFull, "disk full", FillDisk);
        Every(plan.DiskFails, "disk fails", () => AnyMachine().Disk.FailOnce(Chance.Chance(0.5) ? SimDiskOp.Write : SimDiskOp.Sync, Chance.Below(30), DiskFailure.Broken, Chance.Chance(0.7) ? ".segment" : ""));
        Every(plan.Damage, "damage", () => WhenOthersAreWell(AnyMachine(), Damage));
        Every(plan.Wipe, "wipe", () => WhenOthersAreWell(AnyMachine(), Wipe));
        ArrangeMore();
    }

    /// <summary>Nothing goes wrong any more; who is down starts, but for a minority that may stay down for ever.</summary>
    public void Heal()
    {
        Healed = true;
        Say("healed");
        MendNetwork();
        bool leaveOne = MayLeaveOneDown && Machines.TrueForAll(m => m.Harm == Harm.None) && Chance.Chance(0.3);
        foreach (var machine in Machines)
        {
            machine.PausedUntil = 0;
            machine.Disk.Mend();
            if (machine.Alive) machine.WakeAfter(1);
            else if (leaveOne)
            {
                leaveOne = false;
                machine.StayDown();
            }
            else Restart(machine);
        }
        // What breaks no quorum stays: everything outstanding must complete all the same.
        WhileLingering(plan.WallJump, "wall jump", JumpWall);
        WhileLingering(plan.Pause, "pause of a minority", PauseOne);
        LingerMore();
    }

    /// <summary>From here on nothing at all happens, so that the world can become quiet.</summary>
    public void Calm()
    {
        if (_calm) return;
        _calm = true;
        Quieten();
        foreach (var machine in Machines)
        {
            machine.PausedUntil = 0;
            if (machine.Alive) machine.WakeAfter(1);
        }
    }

    /// <summary>It stopped by its own word (storage.md §2.5) and is started again.</summary>
    public void OnStopped(TMachine machine) => EndFor(machine, power: false, 50_000 + Chance.Below(200_000));

    protected abstract void ArrangeMore();

    /// <summary>Faults of this world that break no quorum, and go on after healing.</summary>
    protected abstract void LingerMore();

    /// <summary>Ends what <see cref="LingerMore"/> left behind.</summary>
    protected abstract void Quieten();

    /// <summary>No change of the configuration is under way anywhere.</summary>
    protected virtual bool Settled => true;

    protected abstract void Block(int from, int to);

    protected abstract void Unblock(int from, int to);

    protected abstract void MendNetwork();

    protected abstract void Transfer();

    /// <summary>It takes part with the directory that it has: what it lacked was put back.</summary>
    protected abstract bool TakesPart(TMachine machine);

    protected abstract SimDisk NewDisk();

    /// <summary>Everybody has its vote, so that a minority may stay down for ever.</summary>
    protected abstract bool MayLeaveOneDown { get; }

    protected virtual void Ended(TMachine machine, bool power)
    {
    }

    protected virtual void Started(TMachine machine)
    {
    }

    protected void Every(long mean, string name, Action strike)
    {
        if (mean == 0) return;
        Schedule.After(mean / 4 + Chance.Below(mean * 3 / 2), () =>
        {
            if (Healed) return;
            Strike(name, strike);
            Every(mean, name, strike);
        });
    }

    /// <summary>As <see cref="Every"/>, from healing until the world is to become quiet.</summary>
    protected void WhileLingering(long mean, string name, Action strike)
    {
        if (mean == 0) return;
        long pause = Math.Max(mean, plan.Pace * 250_000);
        Schedule.After(pause / 4 + Chance.Below(pause * 3 / 2), () =>
        {
            if (_calm) return;
            Strike(name, strike);
            WhileLingering(mean, name, strike);
        });
    }

    protected void AtOnce(long at, string name, Action strike)
    {
        if (at == 0) return;
        Schedule.After(at, () =>
        {
            if (!Healed) Strike(name, strike);
        });
    }

    protected TMachine AnyMachine() => Machines[(int)Chance.Below(Machines.Count)];

    protected virtual int AnyPlace() => FirstPlace + (int)Chance.Below(Places);

    /// <summary>Ends a process and arranges its next start.</summary>
    protected void EndFor(TMachine machine, bool power, long micros)
    {
        if (!machine.Alive) return;
        trace.Add(Schedule.NowMicros, 4, machine.Number, power ? 1 : 0);
        machine.Note(1, power ? "loses power" : "is killed");
        if (power) machine.LosePower();
        else machine.Kill();
        Ended(machine, power);
        RestartAfter(machine, micros);
    }

    protected void BlockForAWhile(int from, int to)
    {
        if (from == to) return;
        Block(from, to);
        Schedule.After(20_000 + Chance.Below(plan.Pace * 700_000), () => Unblock(from, to));
    }

    protected void Say(string what)
    {
        if (trace.Verbose) trace.Line(Schedule.NowMicros, "", $"*** {what}");
    }

    private void Strike(string name, Action strike)
    {
        Struck++;
        trace.Add(Schedule.NowMicros, 2, name.Length, name[0]);
        Say(name);
        strike();
    }

    private void RestartAfter(TMachine machine, long micros)
    {
        int life = machine.Life;
        Schedule.After(micros, () =>
        {
            if (machine.Life == life && !machine.Alive) Restart(machine);
        });
    }

    // Recovery itself may be cut short, at any operation of the disk.
    private void Restart(TMachine machine)
    {
        machine.Clock.Restart(Chance.Below(1L << 40));
        bool cutShort = !Healed && Chance.Chance(plan.CrashInRecovery);
        if (cutShort) machine.Disk.CrashAfter(Chance.Below(150));
        bool full = machine.Disk.Capacity != long.MaxValue;
        try
        {
            machine.Start();
        }
        catch (SimCrash)
        {
            EndStart(machine, "stops in the middle of a disk operation of its start", power: Chance.Chance(0.6));
            return;
        }
        catch (DiskException e) when (e.Failure != DiskFailure.Full || machine.Harm >= Harm.Headers)
        {
            EndStart(machine, e.Message, power: false);
            return;
        }
        catch (StorageRefusal e)
        {
            // One clear line; then an operator replaces the disk.
            StartChecker.Refused($"n{machine.Number}", machine.Harm, e.Message);
            ReplaceDisk(machine);
            EndStart(machine, e.Message, power: false);
            return;
        }
        if (cutShort) machine.Disk.CrashAfter(long.MaxValue);
        var store = machine.Store!;
        StartChecker.Started($"n{machine.Number}", machine.Harm, store.Damage, store.Fresh, full);
        Started(machine);
    }

    private void EndStart(TMachine machine, string why, bool power)
    {
        Struck++;
        machine.Note(1, why);
        if (power) machine.LosePower();
        else machine.Kill();
        RestartAfter(machine, 1_000 + Chance.Below(100_000));
    }

    // Everybody is on one of two sides.
    private void Partition()
    {
        ulong sides = Chance.Next();
        for (int a = FirstPlace; a < FirstPlace + Places; a++)
            for (int b = a + 1; b < FirstPlace + Places; b++)
                if (((sides >> (a % 64)) & 1) != ((sides >> (b % 64)) & 1))
                {
                    BlockForAWhile(a, b);
                    BlockForAWhile(b, a);
                }
    }

    private void JumpWall() => AnyMachine().Clock.WallOffsetMillis += Chance.Between(-10_000_000, 10_000_000);

    // The rest is a majority of all.
    private void PauseOne()
    {
        var machine = AnyMachine();
        int others = 0;
        foreach (var other in Machines)
            if (other != machine && other.Alive && other.Harm == Harm.None && other.PausedUntil <= Schedule.NowMicros) others++;
        if (others > Machines.Count / 2) machine.PausedUntil = Schedule.NowMicros + 20_000 + Chance.Below(plan.Pace * 200_000);
    }

    private void FillDisk()
    {
        var machine = AnyMachine();
        var disk = machine.Disk;
        disk.Capacity = disk.UsedBytes + Chance.Below(128 * 1024);
        Schedule.After(50_000 + Chance.Below(plan.Pace * 800_000), () => disk.Capacity = long.MaxValue);
    }

    private void Wipe(TMachine machine)
    {
        EndFor(machine, power: true, 50_000 + Chance.Below(300_000));
        ReplaceDisk(machine);
        WatchMending(machine);
    }

    private void ReplaceDisk(TMachine machine)
    {
        machine.Disk = NewDisk();
        machine.Harm = Harm.Disk;
    }

    private void Damage(TMachine machine)
    {
        // The power first: what the page cache alone held is no evidence of anything, and a flip in it is a flip in the highest batch.
        EndFor(machine, power: true, 1_000 + Chance.Below(plan.Pace * 300_000));
        for (int tries = 0; tries < 4 && machine.Harm == Harm.None; tries++) machine.Harm = DiskDamage.Strike(machine.Disk, machine.Directory, ref Chance);
        machine.Note(1, $"has damage: {machine.Harm}");
        if (machine.Harm != Harm.None) MarkAsHarmed(machine, machine.Harm);
    }

    /// <summary>Until it is seen mended.</summary>
    protected void MarkAsHarmed(TMachine machine, Harm harm)
    {
        machine.Harm = harm;
        WatchMending(machine);
    }

    /// <summary>
    /// All the others take part and nobody's disk is harmed: then what is durable on a majority is on the others, or comes back by them, once who is down among them is up again. More is no fault that anybody promises to survive.
    /// It waits a little for such a moment.
    /// </summary>
    private void WhenOthersAreWell(TMachine machine, Action<TMachine> strike, int tries = 20)
    {
        if (Healed || tries == 0 || Machines.Count < 3) return;
        if (machine.Alive && Settled && Machines.TrueForAll(m => m.Harm == Harm.None && (m == machine || TakesPart(m)))) strike(machine);
        else Schedule.After(25_000, () => WhenOthersAreWell(machine, strike, tries - 1));
    }

    // Mended: it took part, without a mark, at two looks with time for its disk to finish between them, and neither died nor slept meanwhile.
    private void WatchMending(TMachine machine, int seenIn = -1)
    {
        Schedule.After(plan.Pace * 450_000, () =>
        {
            bool whole = machine.Alive && machine.PausedUntil <= Schedule.NowMicros - plan.Pace * 450_000 && machine.Core is { } core && core.State.Mark.Count == 0 && TakesPart(machine);
            if (whole && seenIn == machine.Life) machine.Harm = Harm.None;
            else WatchMending(machine, whole ? machine.Life : -1);
        });
    }
}
