using Quorate.Primitives.Tree;
using Quorate.Protocols.Raft;
using Quorate.Runtime;
using Quorate.Runtime.Faces;
using Quorate.Runtime.Replica;
using Quorate.Runtime.Sessions;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;
using Quorate.Storage;
using Quorate.ZooKeeper;

namespace Quorate.Simulation.Served;

/// <summary>One machine with the real member on it. A turn is the strand's: what came is told, the member is pumped, what it wrote leaves.</summary>
internal sealed class SimMember : INotes, IFaceFactory, IApplyObserver
{
    public const int MaxEntryBytes = 48 * 1024;

    // Under half of the smallest session time-out (sessions.md §6.2).
    private const long ServeMicros = 400_000;
    private const int PeerPort = 7101, ClientPort = 2181;
    private readonly IMemberWorld _world;
    private readonly SimSeed _seed;
    private long _turnAt = Instant.Never;
    private Member? _member;
    private bool _observed;

    public SimMember(IMemberWorld world, int number, SimClock clock, SimDisk disk, ulong seed)
    {
        _world = world;
        Number = number;
        Clock = clock;
        Disk = disk;
        _seed = new SimSeed(seed);
        Network = world.Fabric.AddMachine(() => WakeAt(world.Schedule.NowMicros + 3));
    }

    /// <summary>1 and up; the machine's number is one less.</summary>
    public int Number { get; }
    public SimClock Clock { get; }
    public SimDisk Disk { get; set; }
    public SimNetwork Network { get; }
    public bool Alive => _member is not null;
    public Member Member => _member!;
    public RaftCore? Core => _member?.Host?.Core as RaftCore;
    public int Life { get; private set; }
    public long PausedUntil { get; set; }
    public long DiskWatched { get; set; } = Instant.Never;
    public ulong LedTerm { get; set; }
    public long SeenApplied { get; set; }
    public string ClientAddress => SimFabric.AddressOf(Network.Number, ClientPort);
    public string PeerAddress => SimFabric.AddressOf(Network.Number, PeerPort);

    public void Note(int level, string text) => _world.Noted(this, level, text);

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

    /// <summary>Starts the process; throws what its opening throws.</summary>
    public void Start()
    {
        Life++;
        var member = new Member(Options(), Disk, Network, _seed, this, this);
        member.Start(Clock.At(_world.Schedule.NowMicros));
        _member = member;
        _observed = false;
        LedTerm = 0;
        SeenApplied = 0;
        WakeAt(_world.Schedule.NowMicros);
        _world.WatchDisk(this);
    }

    /// <summary>The process is no more; the world deals with its disk and its connections.</summary>
    public void End()
    {
        Life++;
        _member = null;
        PausedUntil = 0;
        _turnAt = DiskWatched = Instant.Never;
    }

    public void WakeAt(long micros)
    {
        if (_member is null || micros >= _turnAt) return;
        _turnAt = micros;
        int life = Life;
        _world.Schedule.At(micros, () =>
        {
            if (Life != life || _turnAt != micros) return;
            _turnAt = Instant.Never;
            if (_world.Schedule.NowMicros < PausedUntil) WakeAt(PausedUntil);
            else Turn();
        });
    }

    private void Turn()
    {
        var now = Clock.At(_world.Schedule.NowMicros);
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
        if (!_observed && member.Host is { } host)
        {
            host.Observe(this);
            _observed = true;
        }
        _world.OnTurn(this);
        WakeAt(Math.Max(_world.Schedule.NowMicros + 10, Clock.WorldOf(wake)));
        _world.WatchDisk(this);
    }

    private MemberOptions Options() => new()
    {
        Self = new ReplicaId((byte)Number),
        Members = _world.ListedFor(this),
        PeerAddress = PeerAddress,
        ClientAddress = ClientAddress,
        ClusterName = "world",
        CheckInvariants = true,
        Storage = new StorageOptions { DataDirectory = "/data", Self = new ReplicaId((byte)Number), SegmentBytes = 256 * 1024, SnapshotDueBytes = _world.SnapshotBytes, MaxEntryBytes = MaxEntryBytes, MayBeginAnew = Runtime.Membership.Membership.OthersAreAQuorum },
        Raft = new RaftOptions { ServeWithoutLeaderMicros = ServeMicros, MaxEntryBytes = MaxEntryBytes, TrailingBytes = _world.TrailingBytes },
        Sessions = new SessionOptions { ServeWithoutLeaderMicros = ServeMicros, MaxEntryBytes = MaxEntryBytes, StreamWindowBytes = MaxEntryBytes + 4096 },
    };
}
