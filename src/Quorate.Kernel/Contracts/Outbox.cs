namespace Quorate.Kernel;

public enum VerbKind : byte { Persist, Send, Deliver, Install, Answer, Note }

/// <summary>The kinds of durable record (storage.md §1.4). A core uses those that it needs.</summary>
public enum PersistKind : byte
{
    /// <summary>Vote, ballot, epoch, ring: <see cref="Verb.Promise"/>.</summary>
    Promise = 1,

    /// <summary>Entries from First on, of one term; forgets what was above (Raft's).</summary>
    Append = 2,

    /// <summary>Entries that overwrite and keep what is above.</summary>
    Put = 3,

    /// <summary>A new term for bytes that lie elsewhere.</summary>
    Stamp = 4,

    /// <summary>Forgets everything above First - 1.</summary>
    Cut = 5,

    /// <summary>Entries that are live and not yet in the log.</summary>
    Stage = 6,

    /// <summary>Adopt: the installed snapshot <see cref="Verb.Snapshot"/> becomes the begin; when KeepTail is not set the log is emptied.</summary>
    Switch = 7,

    /// <summary>The log begins behind <see cref="Verb.Snapshot"/> from now on.</summary>
    LogBegin = 8,

    /// <summary>Written again at the head by the journal itself.</summary>
    Moved = 9,
}

/// <summary>One thing that a core wants; read only the fields of its kind.</summary>
public struct Verb
{
    public VerbKind Kind;
    public PersistKind Persist;
    public bool KeepTail;
    public Ticket Ticket;        // Persist: its own. Send: held until this one is durable
    public Promise Promise;
    public ulong Term;
    public long First;           // Persist: first index. Deliver: first index
    public long Last;            // Deliver: last index
    public int EntryOffset;      // Persist: where its entries stand in Outbox.Entries
    public int EntryCount;
    public SnapshotIdentity Snapshot;
    public BodyHandle Body;      // Install
    public ReplicaId To;
    public ProtocolMessage? Message;
    public long Proposal;        // Answer
    public AnswerKind Answer;
    public string? Text;         // Answer: reason. Note: the fact
    public long A, B, C;         // Note; Answer: A is the read position
    public int Level;            // Note: as INotes counts them
}

/// <summary>
/// What a step asks of its host, recorded into reused buffers in the order of asking. The host processes it after the step and clears it; nothing in it outlives that, but payloads and messages.
/// </summary>
public sealed class Outbox
{
    private Verb[] _verbs = new Verb[32];
    private Entry[] _entries = new Entry[64];
    private int _count, _entryCount;

    /// <summary>The last ticket handed out. Part of the replica's state, so that a fork goes on with its own.</summary>
    public Ticket LastTicket { get; set; }

    public ReadOnlySpan<Verb> Verbs => _verbs.AsSpan(0, _count);

    public ReadOnlySpan<Entry> EntriesOf(in Verb verb) => _entries.AsSpan(verb.EntryOffset, verb.EntryCount);

    public bool IsEmpty => _count == 0;

    public void Clear()
    {
        Array.Clear(_verbs, 0, _count);
        Array.Clear(_entries, 0, _entryCount);
        _count = _entryCount = 0;
    }

    public Ticket PersistPromise(in Promise promise)
    {
        ref var v = ref Add(VerbKind.Persist);
        v.Persist = PersistKind.Promise;
        v.Promise = promise;
        return v.Ticket = NextTicket();
    }

    /// <summary>Appends entries of one term from <paramref name="first"/> on and forgets what stood at or above it.</summary>
    public Ticket PersistAppend(long first, ulong term, ReadOnlySpan<Entry> entries) => PersistRun(PersistKind.Append, first, term, entries);

    /// <summary>Writes entries of one term over what stands at their places and keeps what is above: how a damaged entry is repaired (storage.md §2.1).</summary>
    public Ticket PersistPut(long first, ulong term, ReadOnlySpan<Entry> entries) => PersistRun(PersistKind.Put, first, term, entries);

    private Ticket PersistRun(PersistKind kind, long first, ulong term, ReadOnlySpan<Entry> entries)
    {
        ref var v = ref Add(VerbKind.Persist);
        v.Persist = kind;
        v.First = first;
        v.Term = term;
        v.EntryOffset = _entryCount;
        v.EntryCount = entries.Length;
        while (_entries.Length - _entryCount < entries.Length) Array.Resize(ref _entries, _entries.Length * 2);
        entries.CopyTo(_entries.AsSpan(_entryCount));
        _entryCount += entries.Length;
        return v.Ticket = NextTicket();
    }

    /// <summary>Forgets everything above <paramref name="last"/>.</summary>
    public Ticket PersistCut(long last)
    {
        ref var v = ref Add(VerbKind.Persist);
        v.Persist = PersistKind.Cut;
        v.First = last + 1;
        return v.Ticket = NextTicket();
    }

    /// <summary>Adopts an installed snapshot as the begin of the log; with <paramref name="keepTail"/> the entries above it stay (they match it), else the log is emptied. One record (storage.md §4.4).</summary>
    public Ticket PersistSwitch(in BodyHandle body, bool keepTail)
    {
        ref var v = ref Add(VerbKind.Persist);
        v.Persist = PersistKind.Switch;
        v.Snapshot = body.Snapshot;
        v.Body = body;
        v.KeepTail = keepTail;
        return v.Ticket = NextTicket();
    }

    /// <summary>Lets the log begin behind a stored snapshot, or (index, term) below it that the snapshot covers, for followers that lag.</summary>
    public Ticket PersistLogBegin(long index, ulong term, in SnapshotIdentity snapshot)
    {
        ref var v = ref Add(VerbKind.Persist);
        v.Persist = PersistKind.LogBegin;
        v.First = index;
        v.Term = term;
        v.Snapshot = snapshot;
        return v.Ticket = NextTicket();
    }

    /// <summary>Sends at once, or, with <paramref name="after"/>, when that ticket is durable.</summary>
    public void Send(ReplicaId to, ProtocolMessage message, Ticket after = default)
    {
        ref var v = ref Add(VerbKind.Send);
        v.To = to;
        v.Message = message;
        v.Ticket = after;
    }

    /// <summary>Entries first to last are decided; their bytes and kinds are in the journal. In order, gap-free, once.</summary>
    public void Deliver(long first, long last)
    {
        ref var v = ref Add(VerbKind.Deliver);
        v.First = first;
        v.Last = last;
    }

    /// <summary>Replace the state by this snapshot, in line with deliveries; the next delivery begins behind it.</summary>
    public void DeliverInstall(in BodyHandle body)
    {
        ref var v = ref Add(VerbKind.Install);
        v.Body = body;
    }

    public void Answer(long proposal, AnswerKind answer, long position = 0, string? reason = null)
    {
        ref var v = ref Add(VerbKind.Answer);
        v.Proposal = proposal;
        v.Answer = answer;
        v.A = position;
        v.Text = reason;
    }

    /// <summary>A fact for logs, metrics and traces; may be dropped and nothing changes. Level 0 is for traces, 2 and up for an operator's eyes (<see cref="INotes"/>).</summary>
    public void Note(string fact, long a = 0, long b = 0, long c = 0, int level = 0)
    {
        ref var v = ref Add(VerbKind.Note);
        v.Text = fact;
        v.A = a;
        v.B = b;
        v.C = c;
        v.Level = level;
    }

    private Ticket NextTicket() => LastTicket = new Ticket(LastTicket.Value + 1);

    private ref Verb Add(VerbKind kind)
    {
        if (_count == _verbs.Length) Array.Resize(ref _verbs, _count * 2);
        ref var v = ref _verbs[_count++];
        v.Kind = kind;
        return ref v;
    }
}
