using Quorate.Primitives.Tree;
using Quorate.Protocols.Raft;
using Quorate.Runtime;
using Quorate.Runtime.Faces;
using Quorate.Runtime.Replica;
using Quorate.Runtime.Sessions;
using Quorate.Simulation.Faults;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;
using Quorate.Storage;
using Quorate.ZooKeeper;

namespace Quorate.Simulation.Served;

/// <summary>One machine with the real member on it. A turn is the strand's: what came is told, the member is pumped, what it wrote leaves.</summary>
internal sealed class SimMember : SimMachine, IFaceFactory, IApplyObserver
{
    public const int MaxEntryBytes = 24 * 1024;

    // Under half of the smallest session time-out (sessions.md §6.2).
    private const long ServeMicros = 400_000;
    private const long HandOverMicros = 2_000_000, CloseMicros = 1_000_000;
    private const int PeerPort = 7101, ClientPort = 2181;
    private readonly IMemberWorld _world;
    private readonly SimSeed _seed;
    private Member? _member;
    private bool _observed;
    private long _retiringUntil, _closingUntil;

    public SimMember(IMemberWorld world, int number, SimClock clock, SimDisk disk, ulong seed) : base(world.Schedule, number, clock, disk)
    {
        _world = world;
        _seed = new SimSeed(seed);
        Network = world.Fabric.AddMachine(() => WakeAfter(3));
    }

    public SimNetwork Network { get; }
    public override bool Alive => _member is not null;
    public Member Member => _member!;
    public override MemberStore? Store => _member?.Store;
    public override RaftCore? Core => _member?.Host?.Core as RaftCore;
    public ulong LedTerm { get; set; }
    public long SeenApplied { get; set; }
    public string ClientAddress => SimFabric.AddressOf(Network.Number, ClientPort);
    public string PeerAddress => SimFabric.AddressOf(Network.Number, PeerPort);

    public override void Note(int level, string text) => _world.Noted(this, level, text);

    public IStateMachine CreateMachine() => new DataTree();

    public IFace CreateFace(IStateMachine machine, ISessions sessions, Member member) =>
        new ZooKeeperFace((DataTree)machine, sessions, new FaceOptions { TickTimeMillis = 500, MinSessionTimeoutMillis = 1_400, MaxSessionTimeoutMillis = 20_000, MaxRequestBytes = 16 * 1024, HandshakeMillis = 3_000, ClientAddress = ClientAddress }, this);

    /// <summary>At each index: the same entry and the same state as everywhere.</summary>
    public void OnApplied(in EntryView entry, SessionHost sessions)
    {
        _world.Digests.Applied(entry.Index, entry.Term, entry.Checksum, Number);
        _world.Digests.At(entry.Index, StateSnapshots.DigestOf(sessions), Number);
    }

    public void OnInstalled(in SnapshotIdentity snapshot, SessionHost sessions) => _world.Digests.At(snapshot.Index, StateSnapshots.DigestOf(sessions), Number);

    /// <summary>Told to stop, as by SIGTERM: it hands leadership over, hangs up, writes what it gathered, and its process ends, as <c>MemberTurn</c> has it.</summary>
    public void Retire()
    {
        if (_retiringUntil != 0) return;
        Note(1, "is told to stop");
        _retiringUntil = Now.Micros + HandOverMicros;
        Member.Retire();
        WakeAfter(1);
    }

    protected override void Boot()
    {
        if (!Network.Powered) Network.PowerOn();
        var member = new Member(Options(), Disk, Network, _seed, this, this);
        member.Start(Now);
        _member = member;
        _observed = false;
        _retiringUntil = _closingUntil = 0;
        LedTerm = 0;
        SeenApplied = 0;
        WakeAfter(0);
        WatchDisk();
    }

    protected override void Forget(bool silent)
    {
        _member = null;
        if (silent) Network.PowerCut();
        else Network.Kill();
    }

    protected override void Turn()
    {
        var now = Now;
        var member = _member!;
        member.BeginTurn(now);
        Network.Dispatch();
        long wake = member.Pump(now);
        Network.Collect();
        if (member.Failed is { } failed)
        {
            Note(3, $"stops: {failed.Message}");
            _world.OnStopped(this);
            return;
        }
        if (_retiringUntil != 0 && HasStopped(now))
        {
            _world.OnStopped(this);
            return;
        }
        if (!_observed && member.Host is { } host)
        {
            host.Observe(this);
            _observed = true;
        }
        _world.OnTurn(this);
        if (_retiringUntil != 0) wake = Math.Min(wake, _closingUntil != 0 ? _closingUntil : Math.Min(_retiringUntil, now.Micros + 10_000));
        WakeAt(Math.Max(_world.Schedule.NowMicros + 10, Clock.WorldOf(wake)));
        WatchDisk();
    }

    private bool HasStopped(Instant now)
    {
        if (_closingUntil != 0) return _member!.Closed || now.Micros >= _closingUntil;
        if (!_member!.Retired && now.Micros < _retiringUntil) return false;
        _closingUntil = now.Micros + CloseMicros;
        _member.BeginClose();
        WakeAfter(1);
        return false;
    }

    private MemberOptions Options() => new()
    {
        Self = new ReplicaId((byte)Number),
        Members = _world.ListedFor(this),
        PeerAddress = PeerAddress,
        ClientAddress = ClientAddress,
        ClusterName = "world",
        CheckInvariants = true,
        Storage = new StorageOptions { DataDirectory = "/data", Level = _world.Level, Self = new ReplicaId((byte)Number), SegmentBytes = 256 * 1024, SnapshotDueBytes = _world.SnapshotBytes, RecentBytes = _world.RecentBytes, MaxEntryBytes = MaxEntryBytes, MayBeginAnew = Runtime.Membership.Membership.OthersAreAQuorum, IsAlone = Runtime.Membership.Membership.IsAlone },
        Raft = new RaftOptions { ServeWithoutLeaderMicros = ServeMicros, MaxEntryBytes = MaxEntryBytes, TrailingBytes = _world.TrailingBytes },
        Sessions = new SessionOptions { ServeWithoutLeaderMicros = ServeMicros, MaxEntryBytes = MaxEntryBytes, StreamWindowBytes = MaxEntryBytes + 1024 },
    };
}
