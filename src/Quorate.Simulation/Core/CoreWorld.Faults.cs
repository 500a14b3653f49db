namespace Quorate.Simulation.Core;

/// <summary>What goes wrong in a core world, when, and how it is mended.</summary>
internal sealed partial class CoreWorld
{
    private bool _healed;

    private void ArrangeFaults()
    {
        Every(Plan.Crash, "crash", () => EndNode(AnyNode(), power: true, restartAfter: 1_000 + _prng.Below(500_000)));
        Every(Plan.Kill, "kill", () => EndNode(AnyNode(), power: false, restartAfter: 1_000 + _prng.Below(200_000)));
        Every(Plan.Pause, "pause", Pause);
        Every(Plan.Partition, "partition", Partition);
        Every(Plan.OneWay, "one way", () => BlockForAWhile(AnyNode().Number, AnyNode().Number));
        Every(Plan.LyingHints, "lying hint", LyingHint);
        Every(Plan.DiskStall, "disk stall", () => AnyNode().Disk.Stall(_prng.Chance(0.7) ? DiskQueue.Journal : DiskQueue.Background, Schedule.NowMicros + 5_000 + _prng.Below(400_000)));
        Every(Plan.WallJump, "wall jump", () => AnyNode().Clock.WallOffsetMillis += _prng.Between(-10_000_000, 10_000_000));
        Every(Plan.Transfer, "transfer", Transfer);
        Every(Plan.Membership, "membership", ChangeMembership);
        Once(Plan.AllCrash, "all crash", () =>
        {
            foreach (var node in _nodes) EndNode(node, power: true, restartAfter: 1_000 + _prng.Below(300_000));
        });
        Once(Plan.Wipe, "wipe", Wipe);
        // An operator who mends: a wiped member comes back through two changes (storage.md §6.3), a demoted one gets its vote again.
        if (Plan.Wipe > 0 || Plan.Membership > 0) Operate();
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

    private void Once(long at, string name, Action strike)
    {
        if (at == 0) return;
        Schedule.At(at, () =>
        {
            if (!_healed) Strike(name, strike);
        });
    }

    private void Strike(string name, Action strike)
    {
        Faults++;
        Trace.Add(Schedule.NowMicros, 2, name.Length, name[0]);
        SayWorld($"*** {name}");
        strike();
    }

    private CoreNode AnyNode() => _nodes[(int)_prng.Below(_nodes.Count)];

    private void EndNode(CoreNode node, bool power, long restartAfter)
    {
        if (!node.Alive) return;
        Trace.Add(Schedule.NowMicros, 4, node.Number, power ? 1 : 0);
        if (Trace.Verbose) Say(node, power ? "loses power" : "is killed");
        node.End();
        if (power) node.Disk.Crash();
        else node.Disk.Kill();
        int life = node.Life;
        foreach (var other in _nodes)
            if (other.Alive && (!power || _prng.Chance(0.3))) other.Tell(new LinkDown(node.Self));
        Schedule.After(restartAfter, () =>
        {
            if (node.Life == life && !node.Alive) Restart(node);
        });
    }

    private void Restart(CoreNode node)
    {
        node.Clock.Restart(_prng.Below(1L << 40));
        // Recovery itself may be cut short, at any operation.
        bool cutShort = !_healed && _prng.Chance(Plan.CrashInRecovery);
        if (cutShort) node.Disk.CrashAfter(_prng.Below(120));
        try
        {
            node.Open();
            node.Begin();
        }
        catch (SimCrash)
        {
            Faults++;
            CrashedByItself(node);
            return;
        }
        if (cutShort) node.Disk.CrashAfter(long.MaxValue);
        if (Trace.Verbose) Say(node, $"starts: run {node.Run}, log {node.Log.Map.BeginIndex}..{node.Log.Map.Last}");
        TellLinks(node);
    }

    private void CrashedByItself(CoreNode node)
    {
        if (Trace.Verbose) Say(node, "stops in the middle of a disk operation");
        node.End();
        if (_prng.Chance(0.6)) node.Disk.Crash();
        else node.Disk.Kill();
        int life = node.Life;
        Schedule.After(1_000 + _prng.Below(100_000), () =>
        {
            if (node.Life == life && !node.Alive) Restart(node);
        });
    }

    /// <summary>The disk works by world time, whatever its member does; what it finished rings the member's bell.</summary>
    public void WatchDisk(CoreNode node)
    {
        long due = node.Disk.NextDue;
        if (due >= node.DiskWatched) return;
        node.DiskWatched = due;
        var disk = node.Disk;
        Schedule.At(due, () =>
        {
            if (node.Disk != disk || node.DiskWatched != due) return;
            node.DiskWatched = Instant.Never;
            if (!node.Alive) return;
            disk.RunDue(Schedule.NowMicros);
            if (disk.HasCompleted) node.Wake(1);
            WatchDisk(node);
        });
    }

    private void Pause()
    {
        var node = AnyNode();
        node.PausedUntil = Schedule.NowMicros + 20_000 + _prng.Below(1_500_000);
    }

    private void Partition()
    {
        // Everybody is on one of two sides.
        uint sides = (uint)_prng.Next();
        for (int a = 1; a <= _nodes.Count; a++)
            for (int b = a + 1; b <= _nodes.Count; b++)
                if (((sides >> a) & 1) != ((sides >> b) & 1))
                {
                    BlockForAWhile(a, b);
                    BlockForAWhile(b, a);
                }
    }

    private void BlockForAWhile(int from, int to)
    {
        if (from == to) return;
        _network.Block(from, to, true);
        bool noticed = _prng.Chance(0.5);
        if (noticed) _nodes[to - 1].Tell(new LinkDown(_nodes[from - 1].Self));
        Schedule.After(20_000 + _prng.Below(700_000), () =>
        {
            _network.Block(from, to, false);
            var (sender, receiver) = (_nodes[from - 1], _nodes[to - 1]);
            if (noticed && sender.Alive && receiver.Alive) receiver.Tell(new LinkUp(sender.Self, sender.Directory, sender.Run));
        });
    }

    private void LyingHint()
    {
        var (at, about) = (AnyNode(), AnyNode());
        if (at == about || !about.Alive) return;
        at.Tell(new LinkDown(about.Self));
        at.Tell(new LinkUp(about.Self, about.Directory, about.Run));
    }

    private SimDisk NewDisk() => new(NextSeed()) { JournalMicros = Plan.SlowDisk ? (500, 8_000) : (50, 400) };

    private void Wipe()
    {
        // Only where the others are a quorum without it: more is no fault that anybody promises to survive.
        var node = AnyNode();
        if (Plan.Membership > 0 || Leader() is not { } leader || leader == node || leader.Core.Configuration.VoterCount < 3) return;
        EndNode(node, power: true, restartAfter: 50_000 + _prng.Below(300_000));
        node.Disk = NewDisk();
    }

    private void Heal()
    {
        _healed = true;
        SayWorld("*** healed");
        _network.Heal();
        _network.Loss = _network.Double = _network.Late = 0;
        int voters = 0, left = 0;
        foreach (var node in _nodes)
        {
            node.PausedUntil = 0;
            if (node.Number <= Plan.Members) voters++;
        }
        // A minority may stay down for ever.
        bool leaveOne = voters >= 3 && Plan.Membership == 0 && Plan.Wipe == 0 && _prng.Chance(0.3);
        foreach (var node in _nodes)
        {
            if (node.Alive) continue;
            if (leaveOne && left++ == 0)
            {
                node.StayDown();
                continue;
            }
            Restart(node);
        }
        foreach (var node in _nodes)
            if (node.Alive) TellLinks(node);
        foreach (var client in _clients) client.Finish();
    }
}
