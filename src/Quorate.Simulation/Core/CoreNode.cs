using Quorate.Protocols.Raft;
using Quorate.Runtime.Replica;
using Quorate.Simulation.Faults;
using Quorate.Simulation.Time;
using Quorate.Storage;

namespace Quorate.Simulation.Core;

/// <summary>
/// One machine of a core world: the real core and the real storage under the smallest host that keeps the contract (DESIGN §3). A turn reads the inbox, steps the core, lets the storage pump, and reports what became durable, always as a later input.
/// </summary>
internal sealed partial class CoreNode : SimMachine
{
    private readonly CoreWorld _world;
    private readonly Queue<Parcel> _inbox = new();
    private readonly Queue<CoreRequest> _asked = new();
    private readonly Queue<HostMessage> _hostInputs = new();
    private readonly List<(ReplicaId To, ProtocolMessage Message, Ticket After, long Order)> _held = [];
    private readonly List<(long Position, CoreRequest Request)> _reads = [];
    private readonly List<Proposal> _batch = [];
    private Dictionary<long, CoreRequest> _commands = [], _proposals = [];
    private Outbox _outbox = new();
    private PayloadChunks _chunks = new();
    private MemberStore? _store;
    private PartitionLog? _log;
    private RaftCore? _core;
    private Ticket _told;
    private DamagedEntry[] _marked = [];
    private DelayedSends? _delayed;
    private EntryFetch? _applying;
    private long _deliverTo;
    private Role _lastRole;
    private long _heldOrder, _nextProposal, _lastTurn, _gapEnd, _link;
    private ulong _appliedTerm, _ledTerm;
    private long _commitSeen;
    private bool _alive;

    public CoreNode(CoreWorld world, int number, SimClock clock, SimDisk disk, ulong seed) : base(world.Schedule, number, clock, disk)
    {
        _world = world;
        Self = new ReplicaId((byte)number);
        Seed = new SimSeed(seed);
        Machine = new RegisterMachine(world.Plan.Keys);
    }

    public ReplicaId Self { get; }
    public SimSeed Seed { get; }
    public RegisterMachine Machine { get; private set; }
    public override bool Alive => _alive;
    public long Applied { get; private set; }

    /// <summary>Writes and deliveries so far; an idle world's stand still.</summary>
    public long Busy { get; private set; }

    public ulong Run => _store!.Identity.Run;
    public CoreShadow Shadow { get; private set; } = new();

    /// <summary>Whose shadow it is: the directory stands, whether its process runs or not.</summary>
    public ulong ShadowOf { get; private set; }
    public override RaftCore Core => _core!;
    public override MemberStore? Store => _store;
    public PartitionLog Log => _log!;
    public long Link => _link;

    public Standing Standing => _core!.StandingAt(Now);

    public override void Note(int level, string text)
    {
        if (_world.Trace.Verbose) _world.Say(this, text);
    }

    /// <summary>Opens the storage; <see cref="Begin"/> follows. Between the two a world is formed.</summary>
    public void Open()
    {
        BeginLife();
        _store = MemberStore.Open(Disk, new StorageOptions
        {
            DataDirectory = "/data",
            Level = StorageLevel.Disk,
            SegmentBytes = _world.Plan.SegmentBytes,
            SnapshotDueBytes = _world.Plan.SnapshotBytes,
            MaxEntryBytes = CoreWorld.MaxEntryBytes,
            RecentBytes = _world.Plan.RecentBytes,
            Self = Self,
        }, Seed, this);
        SeeDirectory();
    }

    public void Form(ClusterConfiguration list) => _store!.Identity.Save(1, list.Encode(), formed: true);

    /// <summary>Recovers and starts the core.</summary>
    public void Begin()
    {
        _log = _store!.Journal.Partition(0);
        _delayed = new DelayedSends(_log);
        _applying = new EntryFetch(_log);
        var recovered = _log.Recover(Self, _world.NextSeed());
        Machine = new RegisterMachine(_world.Plan.Keys);
        Applied = _deliverTo = 0;
        if (!recovered.Snapshot.IsNone) Restore(_store.Snapshots.Newest(0), recovered.Snapshot);
        recovered = WithFormation(recovered);
        if (ShadowOf != Directory) Shadow = new CoreShadow();
        ShadowOf = Directory;
        Shadow.OnRecovered(Number, recovered.Log, recovered.Promise, recovered.Snapshot);
        _world.Global.Started(Self, Applied);
        _ledTerm = 0;
        _marked = [.. recovered.Mark];
        _core = new RaftCore(_world.RaftOptions);
        _outbox = new Outbox();
        _chunks = new PayloadChunks();
        _told = default;
        _lastRole = Role.Follower;
        _link++;
        _alive = true;
        _lastTurn = Now.Micros;
        _gapEnd = 0;
        _core.Start(Now, recovered, _outbox);
        Stepped();
        WakeAfter(0);
        WatchDisk();
    }

    protected override void Boot()
    {
        Open();
        Begin();
    }

    protected override void Forget(bool silent)
    {
        _alive = false;
        _inbox.Clear();
        _asked.Clear();
        _hostInputs.Clear();
        _held.Clear();
        _reads.Clear();
        _commands = [];
        _proposals = [];
        _receiving = null;
        _bodies.Clear();
        _outgoing.Clear();
        _writing = null;
        _snapshotPending = false;
        _core = null;
        _log = null;
        _store = null;
    }

    public void Arrive(Parcel parcel)
    {
        if (!Alive) return;
        _inbox.Enqueue(parcel);
        WakeAfter(1);
    }

    public void Ask(CoreRequest request)
    {
        if (!Alive) return;
        _asked.Enqueue(request);
        WakeAfter(1);
    }

    public void Tell(HostMessage message)
    {
        if (!Alive) return;
        _hostInputs.Enqueue(message);
        WakeAfter(1);
    }

    protected override void Turn()
    {
        long gap = Now.Micros - _lastTurn;
        _lastTurn = Now.Micros;
        // DESIGN §3, Time: what was sent before the gap's end is handed over as old; the world knows what a ping would find out.
        if (gap > Limits.MaxJudgedGapMicros) _gapEnd = _world.Schedule.NowMicros;
        Feed();
        while (_inbox.TryDequeue(out var parcel)) Receive(parcel);
        Propose();
        if (_core!.NextWake <= Now.Micros)
        {
            _core.Wake(Now, _outbox);
            Stepped();
        }
        do
        {
            _store!.Pump(Now);
            if (_store.Failed is { } failed)
            {
                // storage.md §2.5: a failed write stops the member.
                Note(3, $"stops: {failed.Message}");
                _world.OnStopped(this);
                return;
            }
            ApplyDelivered();
            SendDelayed();
            SendBodies();
            HearSnapshots();
        }
        while (HearDurable());
        WriteSnapshot();
        // A turn takes its time, also when there is more to do at once.
        WakeAt(Math.Max(_world.Schedule.NowMicros + 5, Clock.WorldOf(Math.Min(_core!.NextWake, _store.NextWake))));
        WatchDisk();
    }

    private bool HearDurable()
    {
        var durable = _log!.Durable;
        if (durable <= _told) return false;
        _told = durable;
        // Each held message is judged by what was durable when its own ticket became so: later writes of the same batch may have overwritten what it claims.
        var released = _held.FindAll(h => h.After <= durable);
        _held.RemoveAll(h => h.After <= durable);
        released.Sort((a, b) => a.After != b.After ? a.After.CompareTo(b.After) : a.Order.CompareTo(b.Order));
        foreach (var held in released)
        {
            Shadow.OnDurable(held.After);
            _world.Global.Leaves(Self, Directory, held.To, held.Message);
        }
        Shadow.OnDurable(durable);
        foreach (var held in released) Send(held.To, held.Message);
        _core!.Durable(Now, durable, _outbox);
        Stepped();
        return true;
    }

    private void Receive(Parcel parcel)
    {
        if (parcel.Body is not null)
        {
            BeginReceiving(parcel);
            return;
        }
        if (_world.Codec.Decode(parcel.Bytes, _chunks, default) is { } message) Hand(parcel, message);
    }

    private void Hand(Parcel parcel, ProtocolMessage message)
    {
        if (_world.Trace.Verbose) _world.Say(this, $"<- n{parcel.From} {Describe(message)}");
        var from = new Sender(new ReplicaId((byte)parcel.From), parcel.Directory, parcel.Link, parcel.SentMicros <= _gapEnd);
        _core!.Receive(Now, from, message, _outbox);
        Stepped();
    }

    private void Propose()
    {
        if (_asked.Count == 0) return;
        int room = Standing.MayPropose;
        while (_asked.TryDequeue(out var request))
        {
            long id = ++_nextProposal;
            switch (request.Kind)
            {
                case RequestKind.Command:
                    var payload = request.Command.Encode(_world.Plan.ValueBytes);
                    if (payload.Length > room)
                    {
                        request.Answered?.Invoke(Reply.Refused, 0);
                        continue;
                    }
                    room -= payload.Length;
                    _commands[request.Command.Operation] = request;
                    _batch.Add(new Proposal(id, ProposalKind.Command, payload));
                    continue;
                case RequestKind.Read:
                    _proposals[id] = request;
                    _batch.Add(new Proposal(id, ProposalKind.Read));
                    continue;
                case RequestKind.Configuration:
                    _proposals[id] = request;
                    _batch.Add(new Proposal(id, ProposalKind.Configuration, Configuration: request.Configuration));
                    continue;
                default:
                    _proposals[id] = request;
                    _batch.Add(new Proposal(id, ProposalKind.Transfer, Target: request.Target));
                    continue;
            }
        }
        if (_batch.Count == 0) return;
        _core!.Propose(Now, _batch.ToArray(), _outbox);
        _batch.Clear();
        Stepped();
    }

    private void Feed()
    {
        while (_hostInputs.TryDequeue(out var message))
        {
            _core!.Receive(Now, Sender.Host, message, _outbox);
            Checked();
            Process();
        }
    }

    // After every step: promises, then what the core wants, then what the host has to say to that.
    private void Stepped()
    {
        Checked();
        Process();
        Feed();
    }

    private void Checked()
    {
        _core!.CheckInvariants();
        if (Core.State.Mark.Count != _marked.Length)
        {
            foreach (var d in _marked)
                if (!Core.State.Mark.Contains(d)) _world.Global.Unmarked(Self, Core.State.Log, d);
            _marked = [.. Core.State.Mark];
        }
        var role = Standing.Role;
        if (role == Role.Leader && Standing.Term != _ledTerm)
        {
            _ledTerm = Standing.Term;
            _commitSeen = Core.State.Commit;
            _world.Global.Led(Core.State);
            _world.OnNewLeader();
        }
        if (role == Role.Leader && Core.State.Commit > _commitSeen)
        {
            _commitSeen = Core.State.Commit;
            _world.Global.Committed(Core.State);
        }
        if (role == _lastRole) return;
        _lastRole = role;
        if (_world.Trace.Verbose) _world.Say(this, $"is {role} of term {Standing.Term}");
    }

    private Recovered WithFormation(Recovered recovered)
    {
        // The formed list, then what the snapshot says, then the log's: as the member's own host does it.
        var configurations = new List<ConfigurationAt>();
        if (ClusterConfiguration.Decode(_store!.Identity.Formation.Span) is { Members.Length: > 0 } formed) configurations.Add(new ConfigurationAt(0, formed));
        if (Machine.Configuration is { } snapshots) configurations.Add(snapshots);
        foreach (var c in recovered.Configurations)
            if (configurations.Count == 0 || c.Index > configurations[^1].Index) configurations.Add(c);
        return new Recovered
        {
            Self = recovered.Self,
            Directory = recovered.Directory,
            Run = recovered.Run,
            Seed = recovered.Seed,
            Promise = recovered.Promise,
            Log = recovered.Log,
            Configurations = configurations,
            Mark = recovered.Mark,
            Snapshot = recovered.Snapshot,
        };
    }

    private static string Describe(ProtocolMessage message) => message switch
    {
        Append a => $"Append t{a.Term} prev {a.PrevIndex}/{a.PrevTerm} last {a.Last} commit {a.Commit}",
        AppendReply r => r.Ok ? $"AppendReply t{r.Term} match {r.Match}" : $"AppendReply t{r.Term} no at {r.RejectedPrev}, hint {r.HintIndex}/{r.HintTerm}",
        RequestVote v => $"RequestVote t{v.Term} last {v.LastIndex}/{v.LastTerm}",
        VoteReply v => $"VoteReply t{v.Term} {v.Granted}",
        PreVote v => $"PreVote t{v.NextTerm} last {v.LastIndex}/{v.LastTerm}",
        PreVoteReply v => $"PreVoteReply t{v.Term} {v.Granted}",
        InstallSnapshot s => $"InstallSnapshot t{s.Term} at {s.Body.Snapshot.Index}",
        _ => message.GetType().Name,
    };
}
