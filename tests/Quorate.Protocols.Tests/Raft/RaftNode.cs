using Quorate.Protocols.Raft;

namespace Quorate.Protocols.Tests.Raft;

/// <summary>Where a node's doings go: the seeded world, or a stage that plays a script.</summary>
internal interface IRaftTheatre
{
    void Leave(RaftNode from, ReplicaId to, ProtocolMessage message);
    void Answered(RaftNode node, in Verb answer);
    void Noted(RaftNode node, in Verb note);
    RaftGlobalInvariants Ghost { get; }
    ConfigurationAt SnapshotConfiguration(in SnapshotIdentity snapshot);
}

/// <summary>A core with the least host that honours the contract: a journal whose writes are durable later, in order; held messages; deliveries into a digest.</summary>
internal sealed class RaftNode(ReplicaId id, ulong directory, RaftOptions options, IRaftTheatre theatre)
{
    private readonly List<(Ticket Ticket, JournalRecord Record)> _pending = [];
    private readonly List<(ReplicaId To, ProtocolMessage Message, Ticket After)> _held = [];
    private readonly Outbox _outbox = new();

    public ReplicaId Id { get; } = id;
    public ulong Directory { get; set; } = directory;
    public ulong Run { get; private set; }
    public bool Up { get; private set; }
    public RaftCore Core { get; set; } = new(options);
    public JournalImage Memory { get; private set; } = new();
    public JournalImage Disk { get; private set; } = new();

    /// <summary>What a start now would be told.</summary>
    public IReadOnlyList<DamagedEntry> Mark => Disk.Mark;
    public PayloadChunks Chunks { get; } = new();
    public Ticket Durable { get; private set; }
    public Ticket LastTicket => _outbox.LastTicket;
    public int Pending => _pending.Count;
    public int Held => _held.Count;

    /// <summary>Nothing of this list is in any log: the formed list, of first members.</summary>
    public ConfigurationAt? Formed { get; set; }

    public long Delivered { get; private set; }

    /// <summary>The state: a chain over everything delivered.</summary>
    public ulong Digest { get; private set; }

    public ConfigurationAt DeliveredConfiguration { get; private set; } = new(0, ClusterConfiguration.None);

    public void Start(Instant now, ulong seed)
    {
        Run++;
        Up = true;
        Core = new RaftCore(options);
        Memory = Disk.Copy();
        _outbox.LastTicket = Durable = default;
        Delivered = Disk.Snapshot.Index;
        Digest = Disk.Snapshot.Digest;
        var configurations = Configurations();
        DeliveredConfiguration = configurations.LastOrDefault(c => c.Index <= Delivered) ?? new ConfigurationAt(0, ClusterConfiguration.None);
        theatre.Ghost.Started(Id, Delivered);
        Core.Start(now, new Recovered
        {
            Self = Id,
            Directory = Directory,
            Run = Run,
            Seed = seed,
            Promise = Disk.Promise,
            Log = Disk.Map,
            Snapshot = Disk.Snapshot,
            Configurations = configurations,
            Mark = [.. Mark],
        }, _outbox);
        Process();
    }

    /// <summary>Of the writes under way the first <paramref name="survive"/> made it.</summary>
    public void Crash(int survive)
    {
        for (int i = 0; i < survive && i < _pending.Count; i++) Disk.Apply(_pending[i].Record);
        _pending.Clear();
        _held.Clear();
        Up = false;
    }

    /// <summary>An empty directory in its place.</summary>
    public void Wipe(ulong directory)
    {
        Directory = directory;
        Disk = new JournalImage();
        Formed = null;
    }

    /// <summary>Durable entries rot; their headers survive (storage.md §2.4). What a snapshot holds whole is no loss.</summary>
    public void Damage(long first, long last)
    {
        first = Math.Max(first, Math.Max(Disk.Snapshot.Index, Disk.Map.BeginIndex) + 1);
        Disk.Damage(first, Math.Min(last, Disk.Map.Last));
    }

    public void Receive(Instant now, Sender from, ProtocolMessage message) => Step(() => Core.Receive(now, from, message, _outbox), message is AcceptLoss);

    public void Wake(Instant now) => Step(() => Core.Wake(now, _outbox));

    public void Propose(Instant now, params Proposal[] proposals) => Step(() => Core.Propose(now, proposals, _outbox));

    /// <summary>The first <paramref name="count"/> pending writes are durable: held messages leave, then the core hears of it.</summary>
    public void Sync(Instant now, int count)
    {
        count = Math.Min(count, _pending.Count);
        if (count == 0) return;
        for (int i = 0; i < count; i++)
        {
            Disk.Apply(_pending[i].Record);
            Durable = _pending[i].Ticket;
            Release(); // write by write, so that what a message claims is checked against the very write that it waited for
        }
        _pending.RemoveRange(0, count);
        Step(() => Core.Durable(now, Durable, _outbox));
    }

    private void Release()
    {
        for (int i = 0; i < _held.Count;)
        {
            if (_held[i].After > Durable)
            {
                i++;
                continue;
            }
            var (to, message, _) = _held[i];
            _held.RemoveAt(i);
            theatre.Leave(this, to, message);
        }
    }

    public override string ToString()
    {
        var s = Core.State;
        return $"{Id}{(Up ? "" : " down")} {s.Role} term {s.Term} vote {s.VotedFor} leader {s.Leader} log ({s.Log.BeginIndex},{s.Log.Last}:{s.Log.LastTerm}] commit {s.Commit} configuration {s.Latest.Index}:[{s.Configuration}] votes {s.SelfVotes} mark {s.Mark.Count} deadline {(s.ElectionDeadline == Instant.Never ? -1 : s.ElectionDeadline - s.Judged)} pending {Pending}";
    }

    private void Step(Action step, bool operators = false)
    {
        DamagedEntry[] before = [.. Core.State.Mark];
        step();
        if (!operators)
            foreach (var d in before)
                if (!Core.State.Mark.Contains(d)) theatre.Ghost.Unmarked(Id, Core.State.Log, d);
        Process();
    }

    private void Process()
    {
        var commit = Core.State.Commit;
        foreach (ref readonly var v in _outbox.Verbs)
        {
            switch (v.Kind)
            {
                case VerbKind.Persist: Persist(v); break;
                case VerbKind.Send:
                    if (v.Ticket <= Durable) theatre.Leave(this, v.To, v.Message!);
                    else _held.Add((v.To, v.Message!, v.Ticket));
                    break;
                case VerbKind.Deliver: Deliver(v.First, v.Last); break;
                case VerbKind.Install:
                    theatre.Ghost.Installed(Id, v.Body.Snapshot);
                    Delivered = v.Body.Snapshot.Index;
                    Digest = v.Body.Snapshot.Digest;
                    DeliveredConfiguration = theatre.SnapshotConfiguration(v.Body.Snapshot);
                    break;
                case VerbKind.Answer: theatre.Answered(this, v); break;
                case VerbKind.Note: theatre.Noted(this, v); break;
            }
        }
        _outbox.Clear();
        Core.CheckInvariants();
        var s = Core.State;
        Invariant.That(s.Commit == Delivered && commit == s.Commit, "StateMachineSafety", $"{Id}: commit {s.Commit}, delivered {Delivered}");
        if (s.Role == Role.Leader) theatre.Ghost.Led(s);
    }

    private void Persist(in Verb v)
    {
        var record = new JournalRecord(v, v.Persist is PersistKind.Append or PersistKind.Put ? _outbox.EntriesOf(v).ToArray() : []);
        Memory.Apply(record);
        _pending.Add((v.Ticket, record));
        if (v.Persist != PersistKind.Append) return;
        for (int i = 0; i < record.Entries.Length; i++)
        {
            Memory.Map.TryTermOf(v.First + i - 1, out ulong prevTerm);
            theatre.Ghost.Appended(v.First + i, v.Term, prevTerm, record.Entries[i].Kind, record.Entries[i].Payload.Checksum);
        }
    }

    private void Deliver(long first, long last)
    {
        if (Core.State.Role == Role.Leader) theatre.Ghost.Committed(Core.State);
        for (long i = first; i <= last; i++)
        {
            Assert.True(Memory.Read(i, out var e) == EntryRead.Here, $"{Id} delivers {i}, which its journal does not hold");
            theatre.Ghost.Delivered(Id, Core.State.Term, i, e.Term, e.Kind, e.Checksum);
            Digest = (Digest ^ e.Checksum ^ e.Term << 40) * 0x9E3779B97F4A7C15 + (ulong)i;
            if (e.Kind == EntryKind.Configuration) DeliveredConfiguration = new ConfigurationAt(i, ClusterConfiguration.Decode(e.Payload)!);
        }
        Delivered = last;
    }

    private List<ConfigurationAt> Configurations()
    {
        var list = new List<ConfigurationAt>();
        if (!Disk.Snapshot.IsNone) list.Add(theatre.SnapshotConfiguration(Disk.Snapshot));
        else if (Formed is not null) list.Add(Formed);
        long above = list.Count == 0 ? -1 : list[0].Index;
        for (long i = Disk.Map.First; i <= Disk.Map.Last; i++)
            if (Disk[i].Kind == EntryKind.Configuration && i > above) list.Add(new ConfigurationAt(i, ClusterConfiguration.Decode(Disk[i].Payload.Span)!));
        return list;
    }
}
