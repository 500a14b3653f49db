using Quorate.Transport;

namespace Quorate.Runtime.Formation;

/// <summary>What formation keeps in the identity file: the list with everybody's directory. An offer until it is formed.</summary>
public sealed record FormedList(long Number, ConfiguredMember[] Members)
{
    public byte[] Encode()
    {
        var w = new ByteWriter(256);
        w.Byte(1);
        w.Int64(Number);
        w.Sized(new ClusterConfiguration(Members).Encode());
        return w.Written.ToArray();
    }

    /// <summary>Null when the bytes are no list.</summary>
    public static FormedList? Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() != 1) return null;
        long number = r.Int64();
        var members = ClusterConfiguration.Decode(r.Sized());
        return r.Ok && members is not null ? new FormedList(number, members.Members) : null;
    }

    /// <summary>The cluster's id: the hash of the list with its directories, so that a cluster formed a second time is another one (storage.md §6.2). Never 0.</summary>
    public ulong ClusterId
    {
        get
        {
            var print = new Fingerprint();
            print.Add(Encode());
            return print.Value | 1;
        }
    }

    public bool Names(ReplicaId id, ulong directory) => Members.Any(m => m.Id == id && m.Directory == directory);
}

/// <summary>Where formation keeps what it promised: synced before it returns (at level memory: held).</summary>
public interface IFormationStore
{
    /// <summary>False when the disk said no: the member stops with this turn, and nothing may follow from what was to be saved (storage.md §2.5, §6.1).</summary>
    bool Save(ulong clusterId, ReadOnlySpan<byte> list, bool formed);
}

/// <summary>
/// First formation (storage.md §6.2): members compare hash(name, list); the lowest id proposes the list with all directories; every listed member syncs it; formed, for ever, is who knows that all did.
/// A synced list is an offer: a later one of the lowest id replaces it, and nobody votes on it. A formed member answers an unformed one with its own list, which that one adopts.
/// </summary>
public sealed class Formation
{
    private enum Frame : byte { Announce = 1, Offer = 2, Accept = 3, Formed = 4 }

    private readonly ReplicaId _self;
    private readonly ulong _directory;
    private readonly (ReplicaId Id, string Address)[] _listed;
    private readonly ulong _listHash;
    private readonly bool _withQuorum;
    private readonly Mesh _mesh;
    private readonly IFormationStore _store;
    private readonly INotes _notes;
    private readonly Heard[] _heard = new Heard[256];
    private FormedList? _offer;
    private long _next;
    private bool _differenceNoted;

    private struct Heard
    {
        public bool Up, SameList, Accepted;
        public ulong Directory;
    }

    public Formation(ReplicaId self, ulong directory, string name, IReadOnlyList<(ReplicaId Id, string Address)> listed, bool withQuorum, Mesh mesh, IFormationStore store, INotes notes)
    {
        _self = self;
        _directory = directory;
        _listed = [.. listed.OrderBy(m => m.Id)];
        _withQuorum = withQuorum;
        _mesh = mesh;
        _store = store;
        _notes = notes;
        var print = new Fingerprint();
        print.Add(System.Text.Encoding.UTF8.GetBytes(name));
        foreach (var (id, address) in _listed)
        {
            print.Add((ulong)id.Value);
            print.Add(System.Text.Encoding.UTF8.GetBytes(address));
        }
        _listHash = print.Value;
    }

    /// <summary>The formed list; null until this member knows that all synced it.</summary>
    public FormedList? Formed { get; private set; }

    public long NextWake => Formed is null ? _next : Instant.Never;

    /// <summary>What the identity file held. A list of one forms by itself.</summary>
    public void Start(FormedList? stored, bool formed)
    {
        if (formed) Formed = stored;
        else _offer = stored;
        if (Formed is null && _listed.Length == 1 && _listed[0].Id == _self) Form(new FormedList((_offer?.Number ?? 0) + 1, [new ConfiguredMember(_self, _directory, true, _listed[0].Address)]));
    }

    public void OnLinkUp(ReplicaId peer, ulong directory)
    {
        ref var h = ref _heard[peer.Value];
        if (h.Directory != directory) h = default;
        h.Up = true;
        h.Directory = directory;
        if (Formed is null) Announce(peer);
    }

    public void OnLinkDown(ReplicaId peer) => _heard[peer.Value] = default;

    /// <summary>Unformed members announce themselves and, at the lowest id, the offer goes out again.</summary>
    public void Pump(Instant now)
    {
        if (Formed is not null || now.Micros < _next) return;
        _next = now.Micros + 100_000;
        foreach (var (id, _) in _listed)
            if (id != _self) Announce(id);
        if (_listed.Length > 0 && _listed[0].Id == _self) Propose();
    }

    /// <summary>A formation frame. <paramref name="present"/> is the configuration that this member has applied.</summary>
    public void OnFrame(in Sender from, ReadOnlySpan<byte> body, ClusterConfiguration present)
    {
        var r = new ByteReader(body);
        switch ((Frame)r.Byte())
        {
            case Frame.Announce: OnAnnounce(from, r.UInt64(), present); break;
            case Frame.Offer: OnOffer(from, r.Sized(), present); break;
            case Frame.Accept: OnAccept(from, r.Int64()); break;
            case Frame.Formed: OnFormed(from, r.Sized()); break;
            default: r.Fail(); break;
        }
        if (r.Failed) _notes.Note(2, $"unreadable formation frame from {from.Id}: ignored");
    }

    private void OnAnnounce(in Sender from, ulong listHash, ClusterConfiguration present)
    {
        if (Formed is not null)
        {
            Answer(from, Formed, present);
            return;
        }
        ref var h = ref _heard[from.Id.Value];
        h.Up = true;
        h.Directory = from.Directory;
        h.SameList = listHash == _listHash;
        if (h.SameList || _differenceNoted) return;
        _differenceNoted = true;
        _notes.Note(2, $"member {from.Id.Value} was started with another --members list or cluster name: no cluster can form until they are the same");
    }

    private static Func<ConfiguredMember, bool> IsSender(Sender from) => m => m.Id == from.Id;

    /// <summary>The lowest id's part: an offer when everybody is there with the same list, forming when everybody accepted.</summary>
    private void Propose()
    {
        int present = 1;
        var members = new ConfiguredMember[_listed.Length];
        for (int i = 0; i < members.Length; i++)
        {
            var (id, address) = _listed[i];
            ref var h = ref _heard[id.Value];
            bool here = id == _self || (h.Up && h.SameList);
            if (id != _self && here) present++;
            members[i] = new ConfiguredMember(id, id == _self ? _directory : here ? h.Directory : 0, true, address);
        }
        if (present < (_withQuorum ? _listed.Length / 2 + 1 : _listed.Length)) return;
        if ((_offer is null || !_offer.Members.SequenceEqual(members)) && !Offer(new FormedList((_offer?.Number ?? 0) + 1, members))) return;
        foreach (var (id, _) in _listed)
            if (id != _self && !_heard[id.Value].Accepted) SendList(id, Frame.Offer, _offer!);
    }

    private bool Offer(FormedList offer)
    {
        if (!_store.Save(0, offer.Encode(), false)) return false;
        _offer = offer;
        for (int i = 0; i < _heard.Length; i++) _heard[i].Accepted = false;
        return true;
    }

    /// <summary>The own list, to who stands in it or in the configuration: anybody else is no member of this cluster (storage.md §6.4).</summary>
    private void Answer(in Sender from, FormedList formed, ClusterConfiguration present)
    {
        if (formed.Members.Any(IsSender(from)) || present.Find(from.Id) is not null) SendList(from.Id, Frame.Formed, formed);
    }

    private void OnOffer(in Sender from, ReadOnlySpan<byte> bytes, ClusterConfiguration present)
    {
        if (FormedList.Decode(bytes) is not { } offer) return;
        if (Formed is not null)
        {
            Answer(from, Formed, present);
            return;
        }
        if (_listed.Length == 0 || from.Id != _listed[0].Id || from.Id == _self || !offer.Names(_self, _directory) || !offer.Names(from.Id, from.Directory)) return;
        if (_offer is null || offer.Number != _offer.Number || !offer.Members.SequenceEqual(_offer.Members))
        {
            if (!_store.Save(0, offer.Encode(), false)) return;
            _offer = offer;
        }
        var w = _mesh.Begin(from.Id, FrameKind.Formation);
        if (w is null) return;
        w.Byte((byte)Frame.Accept);
        w.Int64(offer.Number);
        _mesh.End(from.Id);
    }

    private void OnAccept(in Sender from, long number)
    {
        if (Formed is not null || _offer is null || number != _offer.Number || !_offer.Names(from.Id, from.Directory)) return;
        _heard[from.Id.Value].Accepted = true;
        int accepted = 1;
        foreach (var m in _offer.Members)
            if (m.Id != _self && m.Directory != 0 && _heard[m.Id.Value] is { Accepted: true, Up: true } h && h.Directory == m.Directory) accepted++;
        if (accepted < _offer.Members.Count(m => m.Directory != 0)) return;
        if (!Form(_offer)) return;
        foreach (var m in _offer.Members)
            if (m.Id != _self) SendList(m.Id, Frame.Formed, _offer);
    }

    private void OnFormed(in Sender from, ReadOnlySpan<byte> bytes)
    {
        if (Formed is not null || FormedList.Decode(bytes) is not { } list) return;
        _notes.Note(1, $"member {from.Id.Value} belongs to a formed cluster: joining it");
        Form(list);
    }

    private bool Form(FormedList list)
    {
        if (!_store.Save(list.ClusterId, list.Encode(), true)) return false;
        Formed = list;
        _mesh.Formed(list.ClusterId);
        _notes.Note(1, $"cluster 0x{list.ClusterId:x} formed: {new ClusterConfiguration(list.Members)}");
        return true;
    }

    private void Announce(ReplicaId to)
    {
        var w = _mesh.Begin(to, FrameKind.Formation);
        if (w is null) return;
        w.Byte((byte)Frame.Announce);
        w.UInt64(_listHash);
        _mesh.End(to);
    }

    private void SendList(ReplicaId to, Frame frame, FormedList list)
    {
        var w = _mesh.Begin(to, FrameKind.Formation);
        if (w is null) return;
        w.Byte((byte)frame);
        w.Sized(list.Encode());
        _mesh.End(to);
    }
}
