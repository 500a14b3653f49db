using Quorate.Protocols.Raft;
using Quorate.Simulation.Checkers;
using Quorate.Simulation.Time;

namespace Quorate.Simulation.Core;

/// <summary>
/// A world of cores: real Raft and real storage, one message at a time, everything from one seed. First faults and load (safety is checked after every step), then a quorum is healed and everything outstanding must complete, then the world must become quiet.
/// </summary>
internal sealed partial class CoreWorld : IRaftWitness
{
    public const int MaxEntryBytes = 6 * 1024;

    private readonly SimOptions _options;
    private readonly List<CoreNode> _nodes = [];
    private readonly List<CoreClient> _clients = [];
    private readonly List<Operation> _history = [];
    private readonly LossyNetwork _network;
    private readonly CoreFaults _faults;
    private Prng _prng, _seeds;
    private long _order, _nextValue;

    public CoreWorld(ulong seed, SimOptions options)
    {
        _options = options;
        Global = new RaftGlobalInvariants(this);
        Trace = new Trace(options.Line);
        _prng = new Prng(seed);
        _seeds = new Prng(seed ^ 0x5EED);
        Plan = new CorePlan(ref _prng);
        _network = new LossyNetwork(Schedule, NextSeed(), Plan.Members + Plan.Spares + 1)
        {
            Loss = Plan.Loss,
            Double = Plan.Double,
            Late = Plan.Late,
            LateMicros = Plan.LateMicros,
        };
        _faults = new CoreFaults(this, _network, _nodes, NextSeed());
        RaftOptions = new RaftOptions
        {
            TrailingBytes = Plan.TrailingBytes,
            MaxEntryBytes = MaxEntryBytes,
            MaxInflightMessages = Plan.SmallWindows ? 3 : Limits.MaxInflightMessages,
            MaxInflightBytes = Plan.SmallWindows ? 8_000 : Limits.MaxInflightBytes,
            MaxAppendBytes = Plan.SmallWindows ? 3_000 : Limits.MaxAppendBytes,
            MaxUncommittedBytes = Plan.SmallWindows ? 40_000 : Limits.MaxUncommittedBytes,
        };
    }

    public CorePlan Plan { get; }
    public Schedule Schedule { get; } = new();
    public Trace Trace { get; }
    public CoreGhost Ghost { get; } = new();
    public RaftGlobalInvariants Global { get; }
    public RaftOptions RaftOptions { get; }
    public RaftCodec Codec { get; } = new();
    public long Faults => _faults.Struck;
    public long Operations => _history.Count;
    public int Undecided { get; private set; }

    /// <summary>Messages that waited for entries from a disk.</summary>
    public int Delays { get; set; }

    /// <summary>False once the world is to become quiet.</summary>
    public bool Loaded { get; private set; } = true;

    public ulong NextSeed() => _seeds.Next();

    public void Run()
    {
        Form();
        for (int i = 0; i < Plan.Clients; i++) _clients.Add(new CoreClient(this, i + 1, NextSeed()));
        foreach (var client in _clients) client.Begin();
        _faults.Arrange();
        RunUntil(_options.FaultMicros);
        _faults.Heal();
        foreach (var client in _clients) client.Finish();
        if (RunUntilDone()) BecomeQuiet();
        Judge();
    }

    public void Say(CoreNode node, string what) => Trace.Line(Schedule.NowMicros, "n" + node.Number, what);

    /// <summary>Order numbers of calls and returns.</summary>
    public long NextOrder() => ++_order;

    public long NextValue() => ++_nextValue;

    public void Record(Operation operation) => _history.Add(operation);

    public CoreNode? NodeAt(int number) => number >= 1 && number <= _nodes.Count ? _nodes[number - 1] : null;

    public int NodeCount => _nodes.Count;

    public void OnStopped(CoreNode node) => _faults.OnStopped(node);

    public void Transmit(CoreNode from, ReplicaId to, Parcel parcel)
    {
        if (NodeAt(to.Value) is not { } target) return;
        Trace.Add(Schedule.NowMicros, 1, from.Number * 16 + to.Value, Crc32C.Of(parcel.Bytes));
        if (parcel.Body is null)
        {
            _network.Send(from.Number, to.Value, parcel, target.Arrive);
            return;
        }
        // A body that does not arrive is undelivered, and its link says so.
        int life = from.Life;
        bool arrived = false;
        _network.Send(from.Number, to.Value, parcel, p =>
        {
            arrived = target.Alive;
            target.Arrive(p);
        });
        Schedule.After(200_000, () =>
        {
            if (!arrived && from.Life == life) from.Tell(new Undelivered(to));
        });
    }

    LogMap? IRaftWitness.DurableLog(ReplicaId id, ulong directory) => NodeAt(id.Value) is { } node && node.ShadowOf == directory ? node.Shadow.Log : null;

    Promise IRaftWitness.DurablePromise(ReplicaId id) => NodeAt(id.Value)!.Shadow.Promise;

    LogMap? IRaftWitness.LogOfLeader(ulong term)
    {
        foreach (var node in _nodes)
            if (node.Alive && node.Standing.Role == Role.Leader && node.Standing.Term == term) return node.Core.State.Log;
        return null;
    }

    bool IRaftWitness.IsMarked(ReplicaId id, long index) => NodeAt(id.Value) is { Alive: true } node && node.Core.State.IsMarked(index);

    private void Form()
    {
        for (int i = 1; i <= Plan.Members + Plan.Spares; i++) _nodes.Add(NewNode(i));
        var list = new List<ConfiguredMember>();
        foreach (var node in _nodes)
        {
            node.Open();
            if (node.Number <= Plan.Members) list.Add(new ConfiguredMember(node.Self, node.Directory, true, "n" + node.Number));
        }
        foreach (var node in _nodes)
        {
            node.Form(node.Number <= Plan.Members ? new ClusterConfiguration(list) : ClusterConfiguration.None);
            node.Begin();
        }
        foreach (var node in _nodes) TellLinks(node);
    }

    private CoreNode NewNode(int number)
    {
        var clock = new SimClock(_prng.Below(1L << 40), (int)_prng.Between(-300, 300), 1_700_000_000_000 + _prng.Below(1_000_000));
        return new CoreNode(this, number, clock, Plan.NewDisk(NextSeed()), NextSeed());
    }

    /// <summary>A node that has just begun hears of everybody, and everybody of it.</summary>
    public void TellLinks(CoreNode node)
    {
        foreach (var other in _nodes)
        {
            if (other == node || !other.Alive) continue;
            other.Tell(new LinkUp(node.Self, node.Directory, node.Run));
            node.Tell(new LinkUp(other.Self, other.Directory, other.Run));
        }
    }

    private void RunUntil(long until)
    {
        while (Schedule.Step(until))
        {
        }
    }

    // False when so much rotted that nobody may lead.
    private bool RunUntilDone()
    {
        long deadline = Schedule.NowMicros + _options.HealMicros;
        while (!AllDone())
        {
            if (Schedule.NowMicros >= deadline && MarksForbidALeader()) return false;
            if (Schedule.NowMicros >= deadline)
                throw new BreachException("Progress", $"healed at {deadline - _options.HealMicros} us, and {_clients.Count(c => !c.Done)} clients still wait {_options.HealMicros} us later; {Standings()}");
            RunUntil(Math.Min(deadline, Schedule.NowMicros + 50_000));
        }
        return true;
    }

    // Those without a mark are no majority, and each of them lacks something that a marked one would have to vote against: an operator's word is needed (storage.md §2.4).
    private bool MarksForbidALeader()
    {
        if (Plan.Rot == 0 || Leader() is not null) return false;
        var whole = _nodes.FindAll(n => n.Number <= Plan.Members && n.Alive && n.Core.State.Mark.Count == 0);
        if (whole.Count > Plan.Members / 2) return false;
        foreach (var node in whole)
            if (_nodes.Count(n => n.Number <= Plan.Members && n.Alive && !IsBehind(node.Core.State.Log, n.Core.State.Log)) > Plan.Members / 2) return false;
        if (Trace.Verbose) Trace.Line(Schedule.NowMicros, "", "*** so much rotted that nobody may lead");
        return true;
    }

    private static bool IsBehind(LogMap log, LogMap other) => log.LastTerm < other.LastTerm || (log.LastTerm == other.LastTerm && log.Last < other.Last);

    private bool AllDone()
    {
        foreach (var client in _clients)
            if (!client.Done) return false;
        _faults.Calm();
        return Level();
    }

    // Every replica that lives and is configured has reached the end of what is decided.
    private bool Level()
    {
        long end = Global.DecidedLast;
        foreach (var node in _nodes)
            if (node.Alive && Configuration()?.Find(node.Self) is { } me && me.Directory == node.Directory && node.Applied < end) return false;
        return true;
    }

    /// <summary>What the leader of the highest term believes, if anybody leads.</summary>
    private ClusterConfiguration? Configuration() => Leader()?.Core.Configuration;

    public CoreNode? Leader()
    {
        CoreNode? best = null;
        foreach (var node in _nodes)
            if (node.Alive && node.Standing.Role == Role.Leader && (best is null || node.Standing.Term > best.Standing.Term)) best = node;
        return best;
    }

    // DESIGN §3: an idle group costs beats and nothing else.
    private void BecomeQuiet()
    {
        Loaded = false;
        RunUntil(Schedule.NowMicros + 1_500_000);
        var before = _nodes.ConvertAll(n => n.Busy);
        RunUntil(Schedule.NowMicros + 1_000_000);
        for (int i = 0; i < _nodes.Count; i++)
            if (_nodes[i].Busy != before[i]) throw new BreachException("IdleIsQuiet", $"n{i + 1} wrote or delivered {_nodes[i].Busy - before[i]} times in an idle second; {Standings()}");
    }

    private void Judge()
    {
        switch (Linearizability.Check(new RegisterModel(), _history, out var broken))
        {
            case Verdict.Broken:
                throw new BreachException("Linearizable", string.Join("\n  ", broken.Prepend((object)$"no order explains key {broken[0].Key}:")));
            case Verdict.Undecided:
                Undecided++;
                break;
            default:
                break;
        }
    }

    private string Standings() => string.Join("; ", _nodes.Select(n => n.Alive ? $"n{n.Number} {n.Standing.Role} t{n.Standing.Term} applied {n.Applied} log {n.Log.Map.BeginIndex}..{n.Log.Map.Last} of [{n.Core.Configuration}]" : $"n{n.Number} down"));
}
