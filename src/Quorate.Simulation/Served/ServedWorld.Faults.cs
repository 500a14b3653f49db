using Quorate.Simulation.Network;

namespace Quorate.Simulation.Served;

/// <summary>What goes wrong in a served world, when, and how it is mended.</summary>
internal sealed partial class ServedWorld
{
    private bool _healed;

    private void ArrangeFaults()
    {
        Every(Plan.Crash, "crash", () => EndMember(AnyMember(), power: true, restartAfter: 1_000 + _prng.Below(700_000)));
        Every(Plan.Kill, "kill", () => EndMember(AnyMember(), power: false, restartAfter: 1_000 + _prng.Below(500_000)));
        Every(Plan.Pause, "pause", () => AnyMember().PausedUntil = Schedule.NowMicros + 20_000 + _prng.Below(2_500_000));
        Every(Plan.Partition, "partition", Partition);
        Every(Plan.OneWay, "one way", () => BlockForAWhile(AnyMachine(), AnyMachine()));
        Every(Plan.CutClient, "cut client", () => Fabric.Cut(AnyMember().Network.Number, AnyClient().Network.Number));
        Every(Plan.CutPeer, "cut peer", () => Fabric.Cut(AnyMember().Network.Number, AnyMember().Network.Number));
        Every(Plan.Slow, "slow link", SlowLink);
        Every(Plan.DiskStall, "disk stall", () => AnyMember().Disk.Stall(_prng.Chance(0.7) ? DiskQueue.Journal : DiskQueue.Background, Schedule.NowMicros + 5_000 + _prng.Below(800_000)));
        Every(Plan.WallJump, "wall jump", () => AnyMember().Clock.WallOffsetMillis += _prng.Between(-10_000_000, 10_000_000));
        Every(Plan.Transfer, "transfer", Transfer);
        Every(Plan.Snapshot, "snapshot", () =>
        {
            if (AnyMember() is { Alive: true, Member.Host: { } host }) host.AskSnapshot(_ => { });
        });
        Every(Plan.ClientVanishes, "client vanishes", () =>
        {
            AnyClient().Vanish();
            AddClient(setsUp: false);
        });
        AtOnce(Plan.AllCrash, "all crash", () =>
        {
            foreach (var member in _members) EndMember(member, power: true, restartAfter: 1_000 + _prng.Below(400_000));
        });
        AtOnce(Plan.Wipe, "wipe", Wipe);
        AtOnce(Plan.Isolate, "isolate", Isolate);
    }

    private void Every(long mean, string name, Action strike)
    {
        if (mean == 0) return;
        Schedule.After(mean / 4 + _prng.Below(mean * 3 / 2), () =>
        {
            if (_healed) return;
            Strike(name, strike);
            Every(mean, name, strike);
        });
    }

    private void AtOnce(long at, string name, Action strike)
    {
        if (at == 0) return;
        Schedule.After(at, () =>
        {
            if (!_healed) Strike(name, strike);
        });
    }

    private void Strike(string name, Action strike)
    {
        Faults++;
        Trace.Add(Schedule.NowMicros, 2, name.Length, name[0]);
        if (Trace.Verbose) Trace.Line(Schedule.NowMicros, "", $"*** {name}");
        strike();
    }

    private SimMember AnyMember() => _members[(int)_prng.Below(_members.Count)];

    private SimClient AnyClient() => _clients[(int)_prng.Below(_clients.Count)];

    private int AnyMachine() => _prng.Chance(0.7) ? AnyMember().Network.Number : AnyClient().Network.Number;

    private void EndMember(SimMember member, bool power, long restartAfter)
    {
        if (!member.Alive) return;
        member.Note(1, power ? "loses power" : "is killed");
        member.End();
        if (power)
        {
            member.Network.PowerCut();
            member.Disk.Crash();
        }
        else
        {
            member.Network.Kill();
            member.Disk.Kill();
        }
        RestartLater(member, restartAfter);
    }

    private void RestartLater(SimMember member, long after)
    {
        int life = member.Life;
        Schedule.After(after, () =>
        {
            if (member.Life == life && !member.Alive) Restart(member);
        });
    }

    private void Restart(SimMember member)
    {
        member.Clock.Restart(_prng.Below(1L << 40));
        if (!member.Network.Powered) member.Network.PowerOn();
        bool cutShort = !_healed && _prng.Chance(Plan.CrashInRecovery);
        if (cutShort) member.Disk.CrashAfter(_prng.Below(150));
        try
        {
            member.Start();
        }
        catch (SimCrash)
        {
            Faults++;
            member.Note(1, "stops in the middle of a disk operation of its start");
            member.End();
            member.Network.Kill();
            if (_prng.Chance(0.6)) member.Disk.Crash();
            else member.Disk.Kill();
            RestartLater(member, 1_000 + _prng.Below(100_000));
            return;
        }
        if (cutShort) member.Disk.CrashAfter(long.MaxValue);
        member.Note(1, $"starts: run {member.Member.Store.Identity.Run}");
    }

    /// <summary>The disk works by world time, whatever its member does; what it finished rings the member's bell.</summary>
    public void WatchDisk(SimMember member)
    {
        long due = member.Disk.NextDue;
        if (due >= member.DiskWatched) return;
        member.DiskWatched = due;
        var disk = member.Disk;
        Schedule.At(due, () =>
        {
            if (member.Disk != disk || member.DiskWatched != due) return;
            member.DiskWatched = Instant.Never;
            if (!member.Alive) return;
            disk.RunDue(Schedule.NowMicros);
            if (disk.HasCompleted) member.WakeAt(Schedule.NowMicros + 2);
            WatchDisk(member);
        });
    }

    private void Partition()
    {
        // Everybody, clients too, is on one of two sides.
        ulong sides = _prng.Next();
        int machines = _members.Count + _clients.Count;
        for (int a = 0; a < machines; a++)
            for (int b = a + 1; b < machines; b++)
                if (((sides >> (a % 64)) & 1) != ((sides >> (b % 64)) & 1))
                {
                    BlockForAWhile(a, b);
                    BlockForAWhile(b, a);
                }
    }

    private void BlockForAWhile(int from, int to)
    {
        if (from == to) return;
        Fabric.Block(from, to);
        Schedule.After(20_000 + _prng.Below(1_500_000), () => Fabric.Unblock(from, to));
    }

    // The member and its clients hear one another and nobody else: whoever serves on here lets a lock have two owners.
    private void Isolate()
    {
        var member = AnyMember();
        var inside = new List<int> { member.Network.Number };
        foreach (var client in _clients)
            if (client.Client.Server == member.ClientAddress) inside.Add(client.Network.Number);
        for (int other = 0; other < _members.Count + _clients.Count; other++)
            foreach (int machine in inside)
            {
                if (inside.Contains(other)) continue;
                Fabric.Block(machine, other);
                Fabric.Block(other, machine);
            }
    }

    private void SlowLink()
    {
        int from = AnyMachine(), to = AnyMachine();
        if (from == to) return;
        Fabric.Slow(from, to, new Delay(1_000, 1 + _prng.Below(60_000)));
        Schedule.After(50_000 + _prng.Below(1_000_000), () => Fabric.Slow(from, to, Fabric.Usual));
    }

    private void Transfer()
    {
        foreach (var member in _members)
            if (member is { Alive: true, Member: { Host: { } host, Standing.Role: Role.Leader } })
                host.Ask(ProposalKind.Transfer, null, _prng.Chance(0.5) ? ReplicaId.None : new ReplicaId((byte)AnyMember().Number), (_, _) => { });
    }

    // A disk is replaced while all the others are well enough to be a quorum without it.
    private void Wipe()
    {
        var member = AnyMember();
        foreach (var other in _members)
            if (other != member && (!other.Alive || other.Core is null || other.Core.Configuration.VoterCount < Plan.Members)) return;
        EndMember(member, power: true, restartAfter: 50_000 + _prng.Below(300_000));
        member.Disk = NewDisk();
    }

    private void Heal()
    {
        _healed = true;
        if (Trace.Verbose) Trace.Line(Schedule.NowMicros, "", "*** healed");
        Fabric.Heal();
        bool leaveOne = Plan is { Members: >= 3, Wipe: 0 } && _prng.Chance(0.25);
        foreach (var member in _members)
        {
            member.PausedUntil = 0;
            if (member.Alive)
            {
                member.WakeAt(Schedule.NowMicros + 1);
                continue;
            }
            if (leaveOne)
            {
                leaveOne = false;
                member.End();
                continue;
            }
            Restart(member);
        }
        foreach (var client in _clients) client.Finish();
    }
}
