using Quorate.Runtime.Faces;
using Quorate.Runtime.Sessions;
using Quorate.Storage;

namespace Quorate.Runtime.Tests.Harness;

/// <summary>Whole members over the street, at level memory: a member that starts again has lost its directory, which is what the stories of storage.md §6 are about.</summary>
public sealed class MemberStage
{
    private readonly List<(byte Id, string Address)> _listed;

    public MemberStage(int listed, bool withQuorum = false)
    {
        _listed = [.. Enumerable.Range(1, listed).Select(i => ((byte)i, $"m{i}:1"))];
        WithQuorum = withQuorum;
    }

    public Street Street { get; } = new();
    public List<Resident> Residents { get; } = [];
    public bool WithQuorum { get; }
    public int SegmentBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Seeds the next one's directory and passwords.</summary>
    public int Starts { get; set; } = 1;

    public Resident Leader => Residents.Find(r => r.Door.Alive && r.Member.Formed && r.Member.Sessions.Leading) ?? throw new InvalidOperationException("nobody leads");
    public bool HasLeader => Residents.Exists(r => r.Door.Alive && !r.Door.Stopped && r.Member.Formed && r.Member.Sessions.Leading);

    /// <summary>Starts a member with an empty directory, whatever it was before.</summary>
    public Resident Start(byte id, bool joins = false)
    {
        Residents.RemoveAll(r => r.Id == id);
        var resident = new Resident(this, id, joins ? [.. _listed, (id, $"m{id}:1")] : _listed);
        Residents.Add(resident);
        return resident;
    }

    public void StartAll(params byte[] ids)
    {
        foreach (byte id in ids) Start(id);
    }

    public Client Welcome(Resident at)
    {
        Street.Until(() => at.Member.Sessions.Serving);
        var client = Client.Open(at.Member.Sessions);
        Street.Until(() => client.Welcomed);
        return client;
    }

    public string? Change(Membership.MembershipChange change, byte id)
    {
        string? answer = "none";
        Leader.Member.Membership.Change(change, new ReplicaId(id), $"m{id}:1", a => answer = a);
        Street.Until(() => answer != "none");
        return answer;
    }
}

public sealed class Resident : IResident, INotes, ISeed, IFaceFactory
{
    public const int EntryBytes = 256 * 1024;
    private Prng _chance;

    public Resident(MemberStage stage, byte id, IReadOnlyList<(byte Id, string Address)> members)
    {
        Id = id;
        _chance = new Prng((ulong)(stage.Starts++ * 7919 + id));
        Door = stage.Street.Open($"m{id}:1", this);
        Member = new Member(new MemberOptions
        {
            Self = new ReplicaId(id),
            Members = [.. members.Select(m => (new ReplicaId(m.Id), m.Address))],
            PeerAddress = $"m{id}:1",
            FormWithQuorum = stage.WithQuorum,
            CheckInvariants = true,
            Storage = new StorageOptions { DataDirectory = "nowhere", Self = new ReplicaId(id), Level = StorageLevel.Memory, SegmentBytes = stage.SegmentBytes, MaxEntryBytes = EntryBytes },
            Raft = new Protocols.Raft.RaftOptions { MaxEntryBytes = EntryBytes },
            Sessions = new SessionOptions { MaxEntryBytes = EntryBytes, StreamWindowBytes = EntryBytes },
        }, null!, Door, this, this, this);
        Member.Start(stage.Street.Now);
    }

    public byte Id { get; }
    public Door Door { get; }
    public Member Member { get; }
    public ListMachine Machine { get; } = new();
    public List<string> Notes { get; } = [];

    public void BeginTurn(Instant now) => Member.BeginTurn(now);
    public void Pump(Instant now) => Member.Pump(now);
    public void Note(int level, string text) => Notes.Add(text);

    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)_chance.Next();
    }

    public IStateMachine CreateMachine() => Machine;
    public IFace CreateFace(IStateMachine machine, ISessions sessions, Member member) => new Faceless();

    private sealed class Faceless : IFace
    {
        public long NextWake => Instant.Never;
        public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access) { }
        public IConnectionOwner? Accept(Connection connection) => null;
        public void HangUpAll(string reason) { }
        public void Pump(Instant now) { }
        public void WindowOpened() { }
    }
}
