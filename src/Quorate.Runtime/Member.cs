using Quorate.Protocols.Raft;
using Quorate.Runtime.Faces;
using Quorate.Runtime.Replica;
using Quorate.Runtime.Sessions;
using Quorate.Storage;
using Quorate.Transport;

namespace Quorate.Runtime;

/// <summary>Everything that a member is told at its start.</summary>
public sealed class MemberOptions
{
    public required ReplicaId Self { get; init; }

    /// <summary>Every member with its mesh address, this one too. After formation it only says where to dial.</summary>
    public required IReadOnlyList<(ReplicaId Id, string Address)> Members { get; init; }

    /// <summary>Where the mesh listens; null when this member is alone.</summary>
    public string? PeerAddress { get; init; }

    /// <summary>Where clients connect; null for none.</summary>
    public string? ClientAddress { get; init; }

    /// <summary>Where operators ask this member, told to the others; empty: nowhere.</summary>
    public string HttpAddress { get; init; } = "";

    public string ClusterName { get; init; } = "quorate";

    /// <summary>Form when a majority of the listed members is there. It risks a second cluster of the rest, should they ever form without this one.</summary>
    public bool FormWithQuorum { get; init; }

    public required StorageOptions Storage { get; init; }
    public RaftOptions Raft { get; init; } = new();
    public SessionOptions Sessions { get; init; } = new();

    /// <summary>Check every local promise after every step (simulation and debug builds).</summary>
    public bool CheckInvariants { get; init; }
}

/// <summary>Makes the state machine of the partition and the face in front of it.</summary>
public interface IFaceFactory
{
    IStateMachine CreateMachine();

    IFace CreateFace(IStateMachine machine, ISessions sessions, Member member);
}

/// <summary>
/// One member, whole, behind the five doors: mesh, storage, formation, replica host, sessions, face. It has no thread of its own: in production the strand pumps it, in simulation a seeded scheduler pumps the very same object.
/// </summary>
public sealed class Member : IMeshHandler, Formation.IFormationStore, IDisposable
{
    private readonly MemberOptions _options;
    private readonly IDisk _disk;
    private readonly INetwork _network;
    private readonly ISeed _seed;
    private readonly INotes _notes;
    private readonly IFaceFactory _faces;
    private MemberStore? _store;
    private Mesh? _mesh;
    private Formation.Formation? _formation;
    private SessionHost? _sessions;
    private IFace? _face;
    private Membership.Membership? _membership;
    private Membership.Farewell? _farewell;
    private ReplicaHost? _host;
    private Instant _now;
    private long _peersOf = -1, _wakeAsked;
    private readonly (ulong Directory, ulong Run)[] _linked = new (ulong, ulong)[256];
    private DiskException? _unsaved;
    private bool _stopping, _closing, _dialled, _listCompared;

    public Member(MemberOptions options, IDisk disk, INetwork network, ISeed seed, INotes notes, IFaceFactory faces)
    {
        _options = options;
        _disk = disk;
        _network = network;
        _seed = seed;
        _notes = notes;
        _faces = faces;
    }

    public MemberOptions Options => _options;
    public SessionHost Sessions => _sessions!;
    public MemberStore Store => _store!;
    public Mesh Mesh => _mesh!;

    /// <summary>Null before formation.</summary>
    public ReplicaHost? Host => _host;

    public IFace Face => _face!;
    public Membership.Membership Membership => _membership!;
    public Standing Standing => _host?.Standing ?? default;
    public bool Formed => _formation?.Formed is not null;

    /// <summary>Where clients connect, with the port that was bound.</summary>
    public string ClientAddress { get; private set; } = "";

    public string PeerAddress { get; private set; } = "";

    /// <summary>A write of the journal or of the identity failed: the member must stop (storage.md §2.5, §6.1).</summary>
    public DiskException? Failed => _unsaved ?? _store?.Failed;

    /// <summary>Opens the store, listens, and begins. Throws StorageRefusal, DiskException or NetworkException with one clear line; nothing was served then.</summary>
    public void Start(Instant now)
    {
        _now = now;
        var room = new Membership.WindowRoom(_options.Sessions.StreamWindowBytes, _options.Sessions.MaxEntryBytes, _options.Storage.SegmentBytes);
        if (room.Why(_options.Members.Count) is { } wrong) throw new StorageRefusal(wrong);
        _store = MemberStore.Open(_disk, _options.Storage, _seed, _notes);
        var identity = _store.Identity;
        _mesh = new Mesh(_network, _notes, new MeshIdentity(_options.Self, identity.Directory, identity.Run, identity.Formed ? identity.ClusterId : 0, 1, _options.PeerAddress ?? "", _options.HttpAddress), this);
        var machine = _faces.CreateMachine();
        _sessions = new SessionHost(_options.Self, identity.Directory, identity.Run, _options.Sessions, machine, _mesh, _seed, _notes);
        _face = _faces.CreateFace(machine, _sessions, this);
        _sessions.UseFace(_face);
        _membership = new Membership.Membership(_sessions, _notes, room, _store);
        _farewell = new Membership.Farewell(_sessions, _mesh, _notes);
        _formation = new Formation.Formation(_options.Self, identity.Directory, _options.ClusterName, _options.Members, _options.FormWithQuorum, _mesh, this, _notes);
        if (_options.PeerAddress is { } peers) PeerAddress = _mesh.Listen(peers);
        _mesh.SetPeers(Others(_options.Members));
        _formation.Start(Formation.FormedList.Decode(identity.Formation.Span), identity.Formed);
        if (_unsaved is { } unsaved) throw unsaved;
        StartReplicaWhenFormed();
        if (room.Why(_sessions.Configuration.Members.Length) is { } tooMany) throw new StorageRefusal(tooMany);
        if (_options.ClientAddress is { } clients) ClientAddress = _network.Listen(clients, _face.Accept);
    }

    /// <summary>
    /// Before the doors give this turn's first byte: after a gap every link is pinged, and what comes before the answer is old (DESIGN §3, Time).
    /// </summary>
    public void BeginTurn(Instant now)
    {
        if (_host is not null && now.Micros - _now.Micros > Limits.MaxJudgedGapMicros && now.Micros - _wakeAsked > Limits.MaxJudgedGapMicros) _mesh!.AfterGap();
        _now = now;
        if (_host is not null) _sessions!.BeginTurn(now, _host.Standing);
    }

    /// <summary>One turn, after the doors gave their bytes. Returns the monotone micros of the next thing to do.</summary>
    public long Pump(Instant now)
    {
        _now = now;
        if (_closing)
        {
            _store!.Pump(now);
            return _store.NextWake;
        }
        if (_unsaved is null) _formation!.Pump(now);
        if (_unsaved is not null) return Instant.Never; // whoever pumps sees that it Failed
        StartReplicaWhenFormed();
        if (_host is null) _store!.Pump(_now);
        else
        {
            _sessions!.BeginTurn(now, _host.Standing);
            _host.Pump(now);
            _membership!.Pump(now);
            if (_farewell!.Pump(now)) _dialled = false;
            DialConfigured();
            NoteDifference();
        }
        _face!.Pump(now);
        _mesh!.Pump(now); // last: chunks of bodies stand behind the turn's urgent frames
        return _wakeAsked = NextWake;
    }

    private long NextWake
    {
        get
        {
            long wake = Math.Min(Math.Min(_mesh!.NextWake, _formation!.NextWake), _face!.NextWake);
            return Math.Min(wake, _host is null ? _store!.NextWake : Math.Min(_host.NextWake, Math.Min(_membership!.NextWake, _farewell!.NextWake)));
        }
    }

    /// <summary>Begins to stop: leadership is handed over when this member has it. Go on pumping until <see cref="Retired"/>.</summary>
    public void Retire()
    {
        if (_stopping) return;
        _stopping = true;
        _host?.Tell(_now, new Retire());
    }

    /// <summary>Nothing of this member is needed any more: it does not lead, or nobody else could.</summary>
    public bool Retired => _stopping && (_host is null || _host.Standing.Role != Role.Leader || _sessions!.Configuration.VoterCount <= 1);

    /// <summary>Hangs every client up; what was gathered goes to the disk, and the empty batch behind it (storage.md §1.6). Go on pumping until <see cref="Closed"/>.</summary>
    public void BeginClose()
    {
        if (_closing) return;
        _closing = true;
        if (_host is not null) _sessions!.Stop();
        _store!.BeginClose();
    }

    public bool Closed => _closing && _store!.IsClosed;

    /// <summary>Hangs every client up and lets the files go; a clean stop calls <see cref="BeginClose"/> before.</summary>
    public void Dispose()
    {
        if (_host is not null) _sessions!.Stop();
        _store?.Dispose();
        _store = null;
    }

    public void OnLinkUp(ReplicaId peer, ulong directory, ulong run, long link)
    {
        _linked[peer.Value] = (directory, run);
        _formation!.OnLinkUp(peer, directory);
        _membership!.OnLinkUp(peer, directory);
        _host?.DropHeld(peer);
        _host?.Tell(_now, new LinkUp(peer, directory, run));
        LinkChanged(peer);
        if (_host is not null) _farewell!.OnLinkUp(peer);
    }

    public void OnLinkDown(ReplicaId peer)
    {
        _formation!.OnLinkDown(peer);
        _membership!.OnLinkDown(peer);
        _host?.DropHeld(peer);
        _host?.Tell(_now, new LinkDown(peer));
        LinkChanged(peer);
        _farewell!.OnLinkDown(peer);
    }

    /// <summary>What was reported to the leader may be lost with the link: the core hears of it before the next frame of the same turn makes an acknowledgement that claims it (sessions.md §6.1, decision 0005).</summary>
    private void LinkChanged(ReplicaId peer)
    {
        if (_host is null) return;
        _sessions!.OnLink(peer);
        if (peer == _host.Standing.Leader) _host.Tell(_now, new Answered(0));
    }

    public void OnFrame(Sender from, FrameKind kind, ReadOnlySpan<byte> body)
    {
        if (_closing || _unsaved is not null) return;
        switch (kind)
        {
            case FrameKind.Formation when !body.IsEmpty && body[0] == Runtime.Membership.Farewell.Frame:
                if (_host is not null) _farewell!.OnFrame(from, body);
                break;
            case FrameKind.Formation: _formation!.OnFrame(from, body, _sessions!.Configuration); break;
            case FrameKind.Protocol: _host?.OnFrame(_now, from, body); break;
            case FrameKind.Session when _host is not null:
                _sessions!.NoteStanding(_host.Standing);
                _sessions.OnFrame(from, body);
                break;
        }
    }

    public void OnBulkBegin(Sender from, ReadOnlySpan<byte> header, long length) => _host?.OnBulkBegin(_now, from, header, length);

    public void OnBulkBytes(Sender from, ReadOnlySpan<byte> bytes) => _host?.OnBulkBytes(from, bytes);

    public void OnBulkEnd(Sender from, bool whole) => _host?.OnBulkEnd(from, whole);

    public long BulkBacklog(ReplicaId from) => _host?.BulkBacklog(from) ?? 0;

    public void OnRefused(ReplicaId peer, string reason) => _notes.Note(2, $"member {peer.Value}: {reason}");

    bool Formation.IFormationStore.Save(ulong clusterId, ReadOnlySpan<byte> list, bool formed)
    {
        try
        {
            _store!.Identity.Save(clusterId, list, formed);
            return true;
        }
        catch (DiskException no)
        {
            _unsaved = no;
            _notes.Note(3, $"the identity could not be written: {no.Message}; this member stops");
            return false;
        }
    }

    private void StartReplicaWhenFormed()
    {
        if (_host is not null || _formation!.Formed is not { } list) return;
        var seed = new byte[8];
        _seed.Fill(seed);
        var core = new RaftCore(_options.Raft);
        _host = new ReplicaHost(core, new RaftCodec(), _network, _mesh!, _store!, _sessions!, _notes) { CheckInvariants = _options.CheckInvariants };
        _membership!.Host = _host;
        _host.Start(_now, _options.Self, BitConverter.ToUInt64(seed), new ClusterConfiguration(list.Members));
        foreach (var m in list.Members)
            if (m.Id != _options.Self && _mesh!.IsUp(m.Id)) _host.Tell(_now, new LinkUp(m.Id, _linked[m.Id.Value].Directory, _linked[m.Id.Value].Run));
        DialConfigured();
    }

    /// <summary>The recorded configuration says whom to dial, and where; the list of the command line adds who is not recorded. Who left lately is dialled for a while, to be told.</summary>
    private void DialConfigured()
    {
        // After a start the one in the own log counts until what is applied has passed it: a member that was formed alone and lists itself alone
        // would else never meet those who joined it, apply nothing, and learn of nobody.
        long applied = _sessions!.ConfigurationIndex;
        var logged = _host!.Recorded is { } r && r.Index > applied ? r : null;
        long index = logged?.Index ?? applied;
        if (_dialled && _peersOf == index) return;
        _dialled = true;
        _peersOf = index;
        var peers = new List<(ReplicaId Id, string Address)>(Others(_options.Members));
        foreach (var m in (logged?.Configuration ?? _sessions.Configuration).Members) Name(peers, m);
        foreach (var (m, _) in _farewell!.Gone) Name(peers, m);
        _mesh!.SetPeers(peers);
    }

    private void Name(List<(ReplicaId Id, string Address)> peers, ConfiguredMember m)
    {
        if (m.Id == _options.Self) return;
        int at = peers.FindIndex(p => p.Id == m.Id);
        if (at < 0) peers.Add((m.Id, m.Address));
        else peers[at] = (m.Id, m.Address);
    }

    /// <summary>The recorded configuration wins; that the list of the command line says something else is one warning (storage.md §6.4). Said once this member has caught up: before, it may not know what is recorded.</summary>
    private void NoteDifference()
    {
        if (_listCompared || !_sessions!.Serving) return;
        _listCompared = true;
        var recorded = _sessions.Configuration.Members;
        bool same = recorded.Length == _options.Members.Count && recorded.All(m => _options.Members.Any(l => l.Id == m.Id && l.Address == m.Address));
        if (!same) _notes.Note(2, $"members: the list of this member's settings is {string.Join(",", _options.Members.OrderBy(m => m.Id).Select(m => $"{m.Id.Value}={m.Address}"))}, the recorded configuration is {_sessions.Configuration}: the recorded one holds, the list only says where to dial");
    }

    private (ReplicaId Id, string Address)[] Others(IReadOnlyList<(ReplicaId Id, string Address)> members) => [.. members.Where(m => m.Id != _options.Self)];
}
