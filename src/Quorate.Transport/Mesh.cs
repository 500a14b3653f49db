using System.Buffers.Binary;

namespace Quorate.Transport;

/// <summary>
/// Links between members, pumped: no I/O, no clock. Each member dials every peer, and its outgoing connection carries all its frames to that peer, so that there is one ordered channel a direction
/// with a link number that its sender counts. README.md tells the order of things; this file is what the member calls, Mesh.Links.cs how links come and go, Mesh.Frames.cs what arrives.
/// </summary>
public sealed partial class Mesh
{
    private readonly INetwork _network;
    private readonly IMeshHandler _handler;
    private readonly RepeatedNotes _notes;
    private readonly Peer?[] _byId = new Peer?[256];
    private readonly List<Peer> _peers = [];                    // sorted by id: what is iterated
    private readonly List<IncomingLink> _strangers = [];
    private MeshIdentity _identity;
    private Prng _jitter;
    private long _links, _now, _nextWake;

    public Mesh(INetwork network, INotes notes, MeshIdentity identity, IMeshHandler handler)
    {
        Invariant.That(identity.Self.Value is > 0 and < 255, "MeshIdentity", "the own id must be 1 to 254");
        _network = network;
        _notes = new RepeatedNotes(notes);
        _identity = identity;
        _handler = handler;
        _jitter = new Prng(identity.Directory ^ (identity.Run * 0x9E3779B97F4A7C15) ^ identity.Self.Value);
    }

    public MeshIdentity Identity => _identity;

    /// <summary>When <see cref="Pump"/> must be called at the latest. Read it after whatever else was called in this turn.</summary>
    public long NextWake => _nextWake;

    /// <summary>Members' frames accepted and whole, since the start.</summary>
    public long FramesReceived { get; private set; }

    public long FramesSent { get; private set; }

    /// <summary>Listens for the other members; returns the bound address. Throws <see cref="NetworkException"/>.</summary>
    public string Listen(string address) => _network.Listen(address, Accept);

    /// <summary>Who belongs to the mesh and where to dial them; without us. Links to whom is not named are closed, an address that changed is dialled anew.</summary>
    public void SetPeers(IReadOnlyList<(ReplicaId Id, string Address)> peers)
    {
        for (int i = _peers.Count - 1; i >= 0; i--)
        {
            var peer = _peers[i];
            string? address = null;
            foreach (var named in peers)
                if (named.Id == peer.Id && named.Id != _identity.Self) address = named.Address;
            if (address == peer.Address) continue;
            peer.Address = address;
            if (peer.Out != null) DropOutgoing(peer);
            if (address == null && peer.In != null) BreakOffIncoming(peer.In);
            peer.RedialAt = address == null ? Instant.Never : Peer.Soon;
        }
        foreach (var (id, address) in peers)
        {
            if (id == _identity.Self) continue;
            Invariant.That(id.Value is > 0 and < 255, "PeerId", "ids are 1 to 254");
            if (_byId[id.Value] != null) continue;
            var peer = Known(id);
            peer.Address = address;
            peer.RedialAt = Peer.Soon;
        }
        _nextWake = Peer.Soon;
    }

    /// <summary>The cluster id is known from now on. Links stay: whoever was accepted before had no cluster, or this one.</summary>
    public void Formed(ulong clusterId) => _identity = _identity with { ClusterId = clusterId };

    /// <summary>Our outgoing link to this peer stands.</summary>
    public bool IsUp(ReplicaId peer) => _byId[peer.Value] is { Standing: true };

    /// <summary>Where its operators ask this peer; empty when nowhere, or when it never greeted us.</summary>
    public string HttpOf(ReplicaId peer) => _byId[peer.Value]?.Http ?? "";

    /// <summary>Bytes that wait for this peer.</summary>
    public int Unsent(ReplicaId peer) => _byId[peer.Value]?.Out?.Connection?.Unsent ?? 0;

    /// <summary>
    /// Begins a frame: append the body to what is returned and call <see cref="End"/> or <see cref="Cancel"/> before anything else is called on the mesh.
    /// Null when the link is down or more than <see cref="Limits.MaxPeerQueueBytes"/> wait: the caller tells its core Undelivered.
    /// </summary>
    public ByteWriter? Begin(ReplicaId to, FrameKind kind)
    {
        var link = _byId[to.Value]?.Out;
        if (link is not { Stage: LinkStage.Standing } || link.Connection!.Unsent > Limits.MaxPeerQueueBytes) return null;
        Invariant.That(link.FrameStart < 0, "OneFrameAtATime", "Begin before End");
        Invariant.That(kind is < FrameKind.Ping or > FrameKind.Refusal, "FrameKindOfOthers", "the mesh begins its own frames");
        link.FrameStart = Frame.Begin(link.Connection.Output, kind);
        return link.Connection.Output;
    }

    /// <summary>The frame is whole: its header is written, it leaves at the next FlushPeers or at the end of the turn.</summary>
    public void End(ReplicaId to)
    {
        var link = _byId[to.Value]!.Out!;
        Frame.End(link.Connection!.Output, link.FrameStart);
        link.FrameStart = -1;
        link.Connection.Flush();
        FramesSent++;
    }

    /// <summary>Takes back the frame that was begun.</summary>
    public void Cancel(ReplicaId to)
    {
        var link = _byId[to.Value]!.Out!;
        link.Connection!.Output.Length = link.FrameStart;
        link.FrameStart = -1;
    }

    /// <summary>Streams a body beneath everything urgent; bodies to one peer go one after the other. When the link is down or drops, Done(false) comes at a later pump.</summary>
    public void QueueBulk(ReplicaId to, IBulkSource source)
    {
        Known(to).Sending.Add(source);
        _nextWake = Peer.Soon;
    }

    /// <summary>
    /// This member was away (stopped, suspended, starved) for longer than <see cref="Limits.MaxJudgedGapMicros"/>: what arrives before the return of a ping sent now was perhaps sent before the gap
    /// and is handed over as old. To be called before the turn reads, since what waits in the sockets is what matters.
    /// </summary>
    public void AfterGap()
    {
        foreach (var peer in _peers)
        {
            if (peer.Address == null) continue;
            if (peer.Standing) peer.OldUntil = Ping(peer);
            else
            {
                peer.OldUntil = peer.Pings + 1;
                peer.PingDue = true;
            }
        }
    }

    /// <summary>Dials, pings, judges silence, pulls bodies. Last in the member's pump, so that chunks stand behind the turn's urgent frames.</summary>
    public void Pump(Instant now)
    {
        // Deadlines for judging others count at most 200 ms of a gap (DESIGN §3, Time): the rest is given back to them. A gap is what goes beyond the wake that we asked for.
        long late = _now == 0 ? 0 : now.Micros - Math.Max(_now + Limits.MaxJudgedGapMicros, _nextWake == Instant.Never ? now.Micros : _nextWake);
        _now = now.Micros;
        _nextWake = Instant.Never;
        PumpStrangers(Math.Max(0, late));
        for (int i = 0; i < _peers.Count; i++)
        {
            var peer = _peers[i];
            PumpIncoming(peer, Math.Max(0, late));
            PumpOutgoing(peer, Math.Max(0, late));
            PumpBodies(peer);
        }
    }

    private void WakeAt(long micros) => _nextWake = Math.Min(_nextWake, micros);

    private Peer Known(ReplicaId id)
    {
        var peer = _byId[id.Value];
        if (peer != null) return peer;
        _byId[id.Value] = peer = new Peer(id);
        int at = 0;
        while (at < _peers.Count && _peers[at].Id < id) at++;
        _peers.Insert(at, peer);
        return peer;
    }

    private ulong Ping(Peer peer)
    {
        peer.PingDue = false;
        peer.PingAt = _now + LinkLimits.PingMicros;
        if (peer.UnansweredSince == Instant.Never) peer.UnansweredSince = _now;
        SendNumber(peer, FrameKind.Ping, ++peer.Pings);
        return peer.Pings;
    }

    private void SendNumber(Peer peer, FrameKind kind, ulong number)
    {
        var connection = peer.Out!.Connection!;
        int start = Frame.Begin(connection.Output, kind);
        connection.Output.UInt64(number);
        Frame.End(connection.Output, start);
        connection.Flush();
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> body, out ulong number) => BinaryPrimitives.TryReadUInt64LittleEndian(body, out number) && body.Length == 8;
}
