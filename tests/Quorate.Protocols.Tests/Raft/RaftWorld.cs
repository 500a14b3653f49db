using Quorate.Protocols.Raft;

namespace Quorate.Protocols.Tests.Raft;

/// <summary>What a seed's world may do.</summary>
internal sealed record WorldShape
{
    public int Members { get; init; } = 3;
    public int Spares { get; init; }
    public double Loss { get; init; } = 0.02;
    public double Duplicate { get; init; } = 0.02;

    /// <summary>A message that comes much later than the rest.</summary>
    public double Straggle { get; init; } = 0.03;
    public long DiskMicros { get; init; } = 8_000;
    public double DiskStall { get; init; } = 0.02;
    public long FaultMicros { get; init; } = 120_000;
    public long ProposeMicros { get; init; } = 12_000;
    public bool Snapshots { get; init; }
    public bool Membership { get; init; }
    public bool Wipes { get; init; }
    public bool Damage { get; init; }
    public bool FalseHints { get; init; } = true;
    public long ChaosMicros { get; init; } = 2_500_000;

    public static WorldShape Of(ulong seed)
    {
        var chance = new Prng(seed * 7919 + 17);
        int members = (int)(seed % 8) switch { 0 => 5, 1 => 1, 2 => 2, 3 => 4, _ => 3 };
        bool membership = chance.Chance(0.5);
        return new WorldShape
        {
            Members = members,
            Spares = membership ? (int)chance.Between(1, 3) : 0,
            Membership = membership,
            Snapshots = chance.Chance(0.5),
            Wipes = membership && chance.Chance(0.3),
            Damage = chance.Chance(0.3),
            FalseHints = chance.Chance(0.5),
            Loss = chance.Chance(0.5) ? 0 : chance.Below(10) * 0.01,
            Straggle = chance.Below(10) * 0.01,
            Duplicate = chance.Below(6) * 0.01,
            DiskMicros = chance.Between(500, 30_000),
            DiskStall = chance.Below(6) * 0.02,
            FaultMicros = chance.Between(40_000, 300_000),
            ProposeMicros = chance.Between(2_000, 30_000),
        };
    }
}

/// <summary>
/// A seeded world of real cores: a network that loses, delays, doubles and reorders, disks that are slow and lose what was not synced, stopped processes, lying hints, changes of membership, snapshots. One thread, virtual time; the same seed gives the same trace.
/// Global promises are checked at every step; at the end everything heals and progress is demanded.
/// </summary>
internal sealed class RaftWorld : IRaftTheatre, IRaftWitness
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly Dictionary<SnapshotIdentity, ConfigurationAt> _snapshots = [];
    private readonly Dictionary<(ReplicaId, long), long> _reads = []; // by asker: what was delivered anywhere when it asked
    private readonly List<(ulong Term, long At)> _led = [];
    private readonly HashSet<ulong> _ledTerms = [];
    private readonly HashSet<long> _promised = []; // commands that Standing offered to take
    private readonly WorldShape _shape;
    private readonly RaftCodec _codec = new();
    private readonly ByteWriter _bytes = new();
    private readonly RaftNode[] _nodes;
    private readonly long[] _offset, _stalledUntil, _wakeAt, _permission;
    private readonly bool[] _syncing;
    private readonly bool[,] _cut;
    private Prng _chance;
    private long _now, _order, _nextId;
    private bool _healed;

    public RaftWorld(ulong seed, WorldShape shape)
    {
        _shape = shape;
        _chance = new Prng(seed);
        Ghost = new RaftGlobalInvariants(this);
        int count = shape.Members + shape.Spares;
        var options = new RaftOptions
        {
            TrailingBytes = _chance.Below(400),
            MaxAppendBytes = (int)_chance.Between(1, 200),
            MaxInflightMessages = (int)_chance.Between(1, 12),
            MaxInflightBytes = _chance.Between(1, 1_000),
            MaxUncommittedBytes = _chance.Between(100, 2_000),
            MaxEntryBytes = 100,
            MaxPendingReads = 20,
        };
        _nodes = [.. Enumerable.Range(1, count).Select(i => new RaftNode(new ReplicaId((byte)i), (ulong)i * 1000, options, this))];
        _offset = new long[count];
        _stalledUntil = new long[count];
        _wakeAt = new long[count];
        Array.Fill(_wakeAt, Instant.Never);
        _permission = new long[count];
        _syncing = new bool[count];
        _cut = new bool[count, count];
        var formed = new ConfigurationAt(0, new ClusterConfiguration(_nodes.Take(shape.Members).Select(n => new ConfiguredMember(n.Id, n.Directory, true, $"{n.Id}"))));
        for (int i = 0; i < count; i++)
        {
            if (i < shape.Members) _nodes[i].Formed = formed;
            _offset[i] = _chance.Below(1_000_000_000);
            int n = i;
            At(_chance.Below(50_000), () => Restart(n));
        }
    }

    public RaftGlobalInvariants Ghost { get; }

    /// <summary>A print of everything that left anybody.</summary>
    public Fingerprint Trace;

    public int Steps { get; private set; }

    public static RaftWorld Run(ulong seed, WorldShape? shape = null)
    {
        var world = new RaftWorld(seed, shape ?? WorldShape.Of(seed));
        world.RunChaos();
        world.RunHealed();
        return world;
    }

    // ---- Phases

    private void RunChaos()
    {
        At(_shape.FaultMicros, Fault);
        At(_shape.ProposeMicros, ProposeSomething);
        RunUntil(_shape.ChaosMicros);
    }

    /// <summary>Safety was demanded so far; now a healed world owes progress.</summary>
    private void RunHealed()
    {
        _healed = true;
        Array.Clear(_cut);
        for (int i = 0; i < _nodes.Length; i++)
        {
            _stalledUntil[i] = Math.Min(_stalledUntil[i], _now);
            if (!_nodes[i].Up) Restart(i);
        }
        bool links = _chance.Chance(0.5); // progress must not hang on them: what was lost on a link that stayed has no other sign
        for (int i = 0; i < _nodes.Length && links; i++)
            for (int j = 0; j < _nodes.Length; j++)
                if (i != j) LinkUp(i, j);
        RunUntil(_now + 3_000_000);
        if (!CanElect()) return;
        var leader = Leader() ?? throw new InvariantException("Progress", $"no leader though a quorum is well:\n  {string.Join("\n  ", _nodes.AsEnumerable())}");
        ulong term = leader.Core.State.Term;
        for (int k = 0; k < 3; k++)
        {
            Propose(leader.Id.Value - 1, Command());
            RunUntil(_now + 300_000);
        }
        Invariant.That(Leader() == leader && leader.Core.State.Term == term, "StableLeader", $"{leader.Id} led term {term} and nothing failed");
        Invariant.That(leader.Core.State.Commit == leader.Core.State.Log.Last, "Progress", $"commit {leader.Core.State.Commit} of {leader.Core.State.Log.Last}:\n  {string.Join("\n  ", _nodes.AsEnumerable())}");
        foreach (var m in leader.Core.Configuration.Members)
        {
            var node = Node(m.Id);
            if (node.Directory != m.Directory) continue;
            Invariant.That(node.Delivered == leader.Delivered && node.Digest == leader.Digest, "Progress", $"{node.Id} delivered {node.Delivered}, its leader {leader.Delivered}:\n  {string.Join("\n  ", _nodes.AsEnumerable())}");
            Invariant.That(node.Core.State.MayServeUntil > Local(node).Micros || leader.Core.State.SoleVoter, "Progress", $"{node.Id} may not serve, by {Local(node).Micros - node.Core.State.MayServeUntil} micros:\n  {string.Join("\n  ", _nodes.AsEnumerable())}\n  {string.Join("\n  ", leader.Core.State.Peers.Select(p => $"{p.Id} {p.State} match {p.Match} next {p.Next} round {p.AckedRound} run {p.Run} of {Node(p.Id).Run} newest {p.NewestSent} proven {p.Proven}"))}\n  rounds {leader.Core.State.ConfirmedRound} of {leader.Core.State.Round}");
        }
    }

    /// <summary>Some configuration that may rule can gather its voters: a wiped directory never votes again, and a mark forbids to stand.</summary>
    private bool CanElect()
    {
        foreach (var node in _nodes)
        {
            var c = node.Core.Configuration;
            int voters = c.VoterCount, well = c.Members.Count(m => m.Voter && Node(m.Id).Directory == m.Directory && Node(m.Id).Mark.Count == 0);
            if (voters > 0 && well < Quorums.Majorities.Of(voters)) return false;
        }
        return true;
    }

    private void RunUntil(long end)
    {
        while (_events.TryPeek(out var action, out var key) && key.At <= end)
        {
            _events.Dequeue();
            _now = key.At;
            if (++Steps > 400_000) throw new InvariantException("Progress", $"livelock at {_now} micros");
            action();
        }
        _now = end;
    }

    // ---- Faults

    private void Fault()
    {
        if (_healed) return;
        At(_now + _chance.Between(_shape.FaultMicros / 4, _shape.FaultMicros * 2), Fault);
        int n = (int)_chance.Below(_nodes.Length);
        switch (_chance.Below(12))
        {
            case 0 or 1 or 2: Crash(n); break;
            case 3: Stall(n); break;
            case 4:
                for (int i = 0; i < _nodes.Length; i++) _cut[n, i] = _cut[i, n] = true;
                break;
            case 5: _cut[n, _chance.Below(_nodes.Length)] = true; break;
            case 6 or 7: Array.Clear(_cut); break;
            case 8: CrashLeader(); break;
            case 9: Propose(n, new Proposal(++_nextId, ProposalKind.Transfer)); break;
            case 10 when _shape.FalseHints: Hear(n, new LinkDown(Other(n))); break;
            case 11 when _shape.FalseHints: Hear(n, new Undelivered(Other(n))); break;
            default: TakeSnapshot(n); break;
        }
        if (_shape.Snapshots && _chance.Chance(0.5)) TakeSnapshot((int)_chance.Below(_nodes.Length));
        if (_shape.Membership && _chance.Chance(0.5)) ChangeMembership();
    }

    private void CrashLeader()
    {
        if (Leader() is { } leader) Crash(leader.Id.Value - 1);
    }

    private void Crash(int n)
    {
        var node = _nodes[n];
        if (!node.Up) return;
        node.Crash((int)_chance.Below(node.Pending + 1));
        _wakeAt[n] = Instant.Never;
        for (int i = 0; i < _nodes.Length; i++)
        {
            int other = i;
            if (i != n && _chance.Chance(0.8)) At(_now + _chance.Below(5_000), () => Hear(other, new LinkDown(node.Id)));
        }
        if (_shape.Wipes && _chance.Chance(0.15) && MayLose(node))
        {
            node.Wipe(node.Directory + 1);
        }
        else if (_shape.Damage && _chance.Chance(0.3) && _nodes.All(x => x.Directory % 1000 == 0) && node.Core.Configuration.VoterCount >= 2)
        {
            // Any number of members at a time: what is marked may stop them, and must not make them forget.
            long first = Math.Max(1, node.Disk.Map.Last - _chance.Below(5));
            node.Damage(first, first + _chance.Below(3));
        }
        At(_now + _chance.Below(400_000), () => Restart(n));
    }

    /// <summary>At most one directory is ever lost or damaged: more is more than the protocol bears.</summary>
    private bool MayLose(RaftNode node) => _nodes.All(x => x == node || (x.Directory % 1000 == 0 && x.Mark.Count == 0)) && node.Directory % 1000 == 0 && node.Core.Configuration.VoterCount >= 3;

    private void Restart(int n)
    {
        var node = _nodes[n];
        if (node.Up) return;
        _permission[n] = 0;
        _syncing[n] = false;
        node.Start(Local(node), _chance.Next());
        After(n);
        for (int i = 0; i < _nodes.Length; i++)
            if (i != n)
            {
                LinkUp(i, n);
                LinkUp(n, i);
            }
    }

    private void LinkUp(int at, int peer)
    {
        var node = _nodes[peer];
        if (node.Up && !_cut[peer, at]) At(_now + _chance.Below(3_000), () => { if (node.Up) Hear(at, new LinkUp(node.Id, node.Directory, node.Run)); });
    }

    private void Stall(int n) => _stalledUntil[n] = _now + _chance.Between(50_000, 600_000);

    private void TakeSnapshot(int n)
    {
        var node = _nodes[n];
        if (!node.Up || node.Delivered <= node.Core.State.Snapshot.Index || node.Delivered > node.Disk.Map.Last) return;
        node.Memory.Map.TryTermOf(node.Delivered, out ulong term);
        var identity = new SnapshotIdentity(node.Delivered, term, node.Digest);
        _snapshots[identity] = node.DeliveredConfiguration;
        ulong run = node.Run;
        At(_now + _chance.Below(60_000), () => { if (node.Run == run) Hear(n, new SnapshotStored(identity)); });
    }

    private void ChangeMembership()
    {
        if (Leader() is not { } leader) return;
        var c = leader.Core.Configuration;
        var node = _nodes[_chance.Below(_nodes.Length)];
        var known = c.Find(node.Id);
        ClusterConfiguration next;
        if (known is null || known.Directory != node.Directory) next = c.With(new ConfiguredMember(node.Id, node.Directory, false, $"{node.Id}"));
        else if (!known.Voter) next = _chance.Chance(0.8) ? c.With(known with { Voter = true }) : c.Without(node.Id);
        else if (c.VoterCount > 2) next = _chance.Chance(0.5) ? c.Without(node.Id) : c.With(known with { Voter = false });
        else return;
        Propose(leader.Id.Value - 1, new Proposal(++_nextId, ProposalKind.Configuration, Configuration: next));
    }

    // ---- Clients

    private void ProposeSomething()
    {
        if (_healed) return;
        At(_now + _chance.Between(1, _shape.ProposeMicros * 2), ProposeSomething);
        int n = (int)_chance.Below(_nodes.Length);
        var node = _nodes[n];
        if (!node.Up) return;
        if (_chance.Chance(0.4))
        {
            var read = new Proposal(++_nextId, ProposalKind.Read);
            _reads[(node.Id, read.Id)] = Ghost.DecidedLast;
            Propose(n, read);
            return;
        }
        for (int i = 0; i < _nodes.Length; i++)
            if (_nodes[i].Up && _nodes[i].Core.StandingAt(Local(_nodes[i])).MayPropose >= 100)
                Propose(i, [.. Enumerable.Range(0, (int)_chance.Between(1, 4)).Select(_ => Command())]);
    }

    private Proposal Command()
    {
        long id = ++_nextId;
        var bytes = new byte[8 + _chance.Below(20)];
        BitConverter.TryWriteBytes(bytes, id);
        return new Proposal(id, ProposalKind.Command, Payload.Of(bytes));
    }

    private void Propose(int n, params Proposal[] proposals)
    {
        var node = _nodes[n];
        if (!node.Up || _stalledUntil[n] > _now) return;
        int may = node.Core.StandingAt(Local(node)).MayPropose;
        int bytes = proposals.Sum(p => p.Payload.Length);
        foreach (var p in proposals)
            if (p.Kind == ProposalKind.Command && bytes <= may) _promised.Add(p.Id);
        node.Propose(Local(node), proposals);
        After(n);
    }

    // ---- What nodes do

    public void Answered(RaftNode node, in Verb answer)
    {
        if (answer.Answer == AnswerKind.ReadAt && _reads.Remove((node.Id, answer.Proposal), out long least))
            Invariant.That(answer.A >= least, "ReadIndexFresh", $"{node.Id} reads at {answer.A}, {least} was delivered before it asked");
        Invariant.That(!_promised.Contains(answer.Proposal), "UncommittedBounded", "refused what Standing offered");
    }

    /// <summary>Entries that left a mark because the voters never had them.</summary>
    public int Denied { get; private set; }

    public void Noted(RaftNode node, in Verb note)
    {
        if (note.Text!.StartsWith("damaged entry leaves the mark", StringComparison.Ordinal)) Denied++;
    }

    public ConfigurationAt SnapshotConfiguration(in SnapshotIdentity snapshot) => _snapshots[snapshot];

    public void Leave(RaftNode from, ReplicaId to, ProtocolMessage message)
    {
        Ghost.Leaves(from.Id, from.Directory, to, message);
        _bytes.Clear();
        if (_codec.Encode(message, from.Memory, _bytes) != EntryRead.Here)
        {
            HearLater(from, new Undelivered(to));
            return;
        }
        Trace.Add(_bytes.Written);
        Trace.Add((ulong)to.Value);
        int n = from.Id.Value - 1, target = to.Value - 1;
        bool lost = _cut[n, target] || (!_healed && _chance.Chance(_shape.Loss));
        if (lost)
        {
            if (message is BodyMessage || _chance.Chance(0.3)) HearLater(from, new Undelivered(to));
            return;
        }
        var bytes = _bytes.Written.ToArray();
        var body = message is BodyMessage b ? b.Body with { Token = 1 } : default;
        var sender = new Sender(from.Id, from.Directory, (long)from.Run);
        Travel(target, bytes, body, sender);
        if (!_healed && message is not BodyMessage && _chance.Chance(_shape.Duplicate)) Travel(target, bytes, body, sender);
    }

    private void Travel(int target, byte[] bytes, BodyHandle body, Sender sender)
    {
        long delay = _chance.Between(200, 3_000);
        if (!_healed && _chance.Chance(_shape.Straggle)) delay = _chance.Between(3_000, 400_000);
        At(_now + delay, () => Arrive(target, bytes, body, sender));
    }

    private void Arrive(int target, byte[] bytes, BodyHandle body, Sender sender)
    {
        var node = _nodes[target];
        if (!node.Up)
        {
            if (body.Token != 0) HearLater(Node(sender.Id), new Undelivered(node.Id));
            return;
        }
        if (_stalledUntil[target] > _now)
        {
            At(_stalledUntil[target], () => Arrive(target, bytes, body, sender with { Old = true }));
            return;
        }
        var message = _codec.Decode(bytes, node.Chunks, body) ?? throw new InvalidOperationException("what was encoded cannot be decoded");
        node.Receive(Local(node), sender, message);
        After(target);
    }

    private void HearLater(RaftNode node, HostMessage message) => At(_now + _chance.Below(2_000), () => Hear(node.Id.Value - 1, message));

    private void Hear(int n, HostMessage message)
    {
        var node = _nodes[n];
        if (!node.Up) return;
        if (_stalledUntil[n] > _now)
        {
            ulong run = node.Run;
            At(_stalledUntil[n], () => { if (node.Run == run) Hear(n, message); });
            return;
        }
        if (message is SnapshotStored s && s.Snapshot.Index <= node.Core.State.Snapshot.Index) return;
        node.Receive(Local(node), Sender.Host, message);
        After(n);
    }

    /// <summary>After each step: timers, disk, permissions; and now and then a fork takes the place of its original.</summary>
    private void After(int n)
    {
        var node = _nodes[n];
        var s = node.Core.State;
        bool fork = _chance.Chance(0.01); // drawn in every build, so that a seed is the same world in all of them
#if MUTANTS
        fork = false; // some planted bugs remember things beside the state
#endif
        if (fork)
        {
            Fingerprint a = default, b = default;
            node.Core.AddTo(ref a, Local(node), node.Durable);
            node.Core = (RaftCore)node.Core.Fork();
            node.Core.AddTo(ref b, Local(node), node.Durable);
            Assert.Equal(a.Value, b.Value);
            s = node.Core.State;
        }
        if (s.Role == Role.Leader && _ledTerms.Add(s.Term)) _led.Add((s.Term, _now));
        CheckPermission(n, s);
        ScheduleWake(n);
        if (node.Pending > 0 && !_syncing[n]) BeginSync(n);
    }

    private void CheckPermission(int n, RaftState s)
    {
        if (s.MayServeUntil <= _permission[n]) return;
        _permission[n] = s.MayServeUntil;
        long sentAt = s.MayServeUntil - Limits.ServeWithoutLeaderMicros - _offset[n];
        Assert.True(sentAt <= _now, "a proof from the future");
        foreach (var (term, at) in _led) RaftGlobalInvariants.Permitted(_nodes[n].Id, s.Term, sentAt, term, at);
    }

    private void ScheduleWake(int n)
    {
        long wake = _nodes[n].Core.NextWake;
        if (wake == Instant.Never || wake - _offset[n] >= _wakeAt[n]) return;
        long at = Math.Max(_now, wake - _offset[n]);
        _wakeAt[n] = at;
        At(at, () => Awake(n, at));
    }

    private void Awake(int n, long at)
    {
        if (_wakeAt[n] != at) return;
        if (_stalledUntil[n] > _now)
        {
            long later = _wakeAt[n] = _stalledUntil[n] + 1; // the inbox first
            At(later, () => Awake(n, later));
            return;
        }
        _wakeAt[n] = Instant.Never;
        var node = _nodes[n];
        if (!node.Up) return;
        if (node.Core.NextWake <= Local(node).Micros) node.Wake(Local(node));
        After(n);
    }

    private void BeginSync(int n)
    {
        var node = _nodes[n];
        _syncing[n] = true;
        int count = _healed ? node.Pending : (int)_chance.Between(1, node.Pending + 1);
        long delay = _chance.Between(100, _healed ? 2_000 : _shape.DiskMicros);
        if (!_healed && _chance.Chance(_shape.DiskStall)) delay = _chance.Between(50_000, 700_000);
        ulong run = node.Run;
        At(_now + delay, () => EndSync(n, run, count));
    }

    private void EndSync(int n, ulong run, int count)
    {
        var node = _nodes[n];
        if (!node.Up || node.Run != run) return;
        if (_stalledUntil[n] > _now)
        {
            At(_stalledUntil[n], () => EndSync(n, run, count));
            return;
        }
        _syncing[n] = false;
        node.Sync(Local(node), count);
        After(n);
    }

    // ---- Witness

    public LogMap? DurableLog(ReplicaId id, ulong directory) => Node(id).Directory == directory ? Node(id).Disk.Map : null;

    public Promise DurablePromise(ReplicaId id) => Node(id).Disk.Promise;

    public LogMap? LogOfLeader(ulong term) => _nodes.FirstOrDefault(n => n.Up && n.Core.State.Role == Role.Leader && n.Core.State.Term == term)?.Core.State.Log;

    public bool IsMarked(ReplicaId id, long index) => Node(id).Mark.Any(d => d.Index == index);

    private RaftNode? Leader() => _nodes.Where(n => n.Up && n.Core.State.Role == Role.Leader).MaxBy(n => n.Core.State.Term);

    private RaftNode Node(ReplicaId id) => _nodes[id.Value - 1];

    private ReplicaId Other(int n) => _nodes[(n + 1 + (int)_chance.Below(Math.Max(1, _nodes.Length - 1))) % _nodes.Length].Id;

    private Instant Local(RaftNode node) => new(_now + _offset[node.Id.Value - 1], 0);

    private void At(long at, Action action) => _events.Enqueue(action, (at, _order++));
}
