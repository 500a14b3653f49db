using Quorate.Runtime.Sessions;
using Quorate.Storage;
using Quorate.Transport;

namespace Quorate.Runtime.Replica;

/// <summary>Sees what a replica applies, in order. It must change nothing.</summary>
public interface IApplyObserver
{
    /// <summary>After the entry was applied; the payload's span may be gone by then, checksum and position stand.</summary>
    void OnApplied(in EntryView entry, SessionHost sessions);

    void OnInstalled(in SnapshotIdentity snapshot, SessionHost sessions);
}

/// <summary>
/// Owns one replica: the only code that touches its core (DESIGN §1). Feeds it many inputs, then acts once: gathers what it persists, sends (before the own disk), hands the batch to the journal, applies what was decided.
/// Pumped; on the strand only.
/// </summary>
public sealed partial class ReplicaHost
{
    private readonly IProtocolCore _core;
    private readonly IProtocolCodec _codec;
    private readonly INetwork _network;
    private readonly Mesh _mesh;
    private readonly MemberStore _store;
    private readonly PartitionLog _log;
    private readonly SessionHost _sessions;
    private readonly INotes _notes;
    private readonly Outbox _outbox = new();
    private readonly PayloadChunks _chunks = new();
    private readonly List<HeldSend> _held = [];
    private readonly List<ReplicaId> _undelivered = [];
    private readonly Dictionary<long, Action<AnswerKind, string?>> _asked = [];
    private readonly List<Proposal> _control = [];
    private IApplyObserver? _observer;
    private Instant _now;
    private long _deliverTo, _lastProposal, _answeredUpTo;
    private Ticket _durable;
    private bool _lowSpace, _lowSent;

    /// <summary>Entries applied in one turn at most, so that a long catch-up does not hold up beats.</summary>
    private const int TurnEntries = 20_000;

    private readonly record struct HeldSend(ReplicaId To, ProtocolMessage Message, Ticket After);

    public ReplicaHost(IProtocolCore core, IProtocolCodec codec, INetwork network, Mesh mesh, MemberStore store, SessionHost sessions, INotes notes)
    {
        _core = core;
        _codec = codec;
        _network = network;
        _mesh = mesh;
        _store = store;
        _log = store.Journal.Partition(0);
        _delayed = new DelayedSends(_log);
        _applying = new EntryFetch(_log);
        _sessions = sessions;
        _notes = notes;
    }

    public IProtocolCore Core => _core;

    /// <summary>Checks local invariants after every step: on in simulation and in debug builds.</summary>
    public bool CheckInvariants { get; init; }

    public Standing Standing { get; private set; }

    /// <summary>Bytes of the payloads of the entries that this run has applied.</summary>
    public long AppliedBytes { get; private set; }

    /// <summary>The newest configuration that stood in the own log at the start: applied later, but who is in it must be dialled at once (storage.md §6.4).</summary>
    public ConfigurationAt? Recorded { get; private set; }

    /// <summary>Delivered and not applied yet.</summary>
    public long Unapplied => Math.Max(0, _deliverTo - _sessions.AppliedIndex);

    /// <summary>Restores the newest whole snapshot, then starts the core on what storage recovered and the formed list.</summary>
    public void Start(Instant now, ReplicaId self, ulong seed, ClusterConfiguration formed)
    {
        _now = now;
        var recovered = _log.Recover(self, seed);
        var configurations = new List<ConfigurationAt> { new(0, formed) };
        _sessions.Begin(formed);
        if (!recovered.Snapshot.IsNone && RestoreAtStart(recovered.Snapshot) is { Index: > 0 } restored) configurations.Add(restored);
        foreach (var c in recovered.Configurations)
            if (c.Index > configurations[^1].Index) configurations.Add(c);
        // Nobody else holds what is damaged here: a lone voter stops before anything is delivered (storage.md §2.4).
        if (configurations[^1].Configuration is { VoterCount: 1 } last && last.Find(self) is { Voter: true } && _store.RefusalAlone(0) is { } refusal) throw refusal;
        Recorded = configurations[^1];
        _deliverTo = _sessions.AppliedIndex;
        _core.Start(now, With(recovered, configurations), _outbox);
        Tell(now, new Answered(0)); // nothing was reported to anybody yet
    }

    /// <summary>Somebody who sees every entry as it was applied: the simulator.</summary>
    public void Observe(IApplyObserver observer) => _observer = observer;

    /// <summary>A protocol frame of a peer.</summary>
    public void OnFrame(Instant now, in Sender from, ReadOnlySpan<byte> body)
    {
        _now = now;
        var message = _codec.Decode(body, _chunks, default);
        if (message is null)
        {
            _notes.Note(2, $"unreadable protocol frame from {from.Id}: ignored");
            return;
        }
        _core.Receive(now, from, message, _outbox);
        Stepped();
    }

    /// <summary>The link to a peer changed: what was held for it was meant for the old one (and claims what only that one carried).</summary>
    public void DropHeld(ReplicaId peer)
    {
        int kept = 0;
        for (int i = 0; i < _held.Count; i++)
            if (_held[i].To != peer) _held[kept++] = _held[i];
        _held.RemoveRange(kept, _held.Count - kept);
        _delayed.Drop(peer);
    }

    /// <summary>The host's own word to the core.</summary>
    public void Tell(Instant now, HostMessage message)
    {
        _now = now;
        _core.Receive(now, Sender.Host, message, _outbox);
        Stepped();
    }

    /// <summary>A configuration change or a transfer; the answer comes once.</summary>
    public void Ask(ProposalKind kind, ClusterConfiguration? configuration, ReplicaId target, Action<AnswerKind, string?> answer)
    {
        long id = ++_lastProposal;
        _asked.Add(id, answer);
        _control.Add(new Proposal(id, kind, default, configuration, target));
    }

    /// <summary>An operator accepts that these damaged entries are lost (storage.md §2.4); the answer comes once, when it is durable or refused.</summary>
    public void AcceptLoss(Instant now, long[] indexes, Action<AnswerKind, string?> answer)
    {
        long id = ++_lastProposal;
        _asked.Add(id, answer);
        Tell(now, new AcceptLoss(id, indexes));
    }

    /// <summary>One turn: completions, deadlines, proposals, acting, applying, snapshots. The session layer's turn was begun by the member.</summary>
    public void Pump(Instant now)
    {
        _now = now;
        _store.Pump(now);
        TakeDurable();
        TakeSnapshotEvents();
        TakeSpace();
        if (_core.NextWake <= now.Micros)
        {
            _core.Wake(now, _outbox);
            Stepped();
        }
        Act();
        PumpSnapshot();
        _sessions.NoteStanding(Standing);
        _sessions.EndTurn();
        Act();
    }

    /// <summary>Monotone micros of the next deadline; the past when something is left to do.</summary>
    public long NextWake
    {
        get
        {
            if ((Unapplied > 0 && !ApplyWaits) || SnapshotWantsTurn || !_outbox.IsEmpty || _undelivered.Count > 0) return _now.Micros;
            return Math.Min(Math.Min(_core.NextWake, _sessions.NextWake), _store.NextWake);
        }
    }

    /// <summary>Proposes, processes the outbox, submits the batch, applies; until nothing moves any more.</summary>
    private void Act()
    {
        int applied = 0;
        for (int round = 0; round < 16; round++)
        {
            TellAnswered();
            ProposeAll();
            bool sent = ProcessOutbox();
            if (sent) _network.FlushPeers();
            _store.Pump(_now);
            if (SendDelayed()) _network.FlushPeers();
            int before = applied;
            if (applied < TurnEntries) applied += ApplyDelivered(TurnEntries - applied);
            bool durable = TakeDurable();
            TellUndelivered();
            TellDelayed();
            if (applied == before && !durable && _outbox.IsEmpty && _sessions.Proposals.Count == 0) return;
        }
    }

    private void ProposeAll()
    {
        _sessions.NoteStanding(Standing);
        _sessions.TakeNumbers();
        // First what was prepared: a transfer or a configuration before it would have it refused, and its numbers were taken (sessions.md §2.4).
        if (_sessions.Proposals.Count > 0) ProposeThese(_sessions.Proposals);
        if (_control.Count > 0) ProposeThese(_control);
    }

    private void ProposeThese(List<Proposal> proposals)
    {
        _core.Propose(_now, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(proposals), _outbox);
        proposals.Clear();
        Stepped();
    }

    /// <summary>After every step: the standing that the host acts on, and in simulation the promises.</summary>
    private void Stepped()
    {
        int marked = Standing.Marked;
        Standing = _core.StandingAt(_now);
        if (Standing.Marked != marked) NoteMark(marked);
        if (CheckInvariants) _core.CheckInvariants();
    }

    private void NoteMark(int before)
    {
        if (Standing.Marked == 0) _notes.Note(1, $"no damaged entry is left of {before}: this member votes and stands again");
        else if (before == 0) _notes.Note(2, $"this member is marked: {Standing.Marked} damaged entries, the highest {Standing.MarkedHighest}; it neither votes for shorter logs nor stands until a leader has brought it past them");
    }

    /// <summary>The verbs of all steps since the last time: writes are gathered first, because ranges are copied from them.</summary>
    private bool ProcessOutbox()
    {
        if (_outbox.IsEmpty) return false;
        bool sent = false;
        foreach (ref readonly var v in _outbox.Verbs)
            if (v.Kind == VerbKind.Persist) _log.Gather(v, _outbox.EntriesOf(v));
        foreach (ref readonly var v in _outbox.Verbs)
        {
            switch (v.Kind)
            {
                case VerbKind.Send when v.Ticket <= _durable: sent |= Send(v.To, v.Message!); break;
                case VerbKind.Send: _held.Add(new HeldSend(v.To, v.Message!, v.Ticket)); break;
                case VerbKind.Deliver: _deliverTo = Math.Max(_deliverTo, v.Last); break;
                case VerbKind.Install: Install(v.Body); break;
                case VerbKind.Answer: TakeAnswer(v); break;
                case VerbKind.Note: _notes.Note(v.Level, $"{v.Text} {v.A} {v.B} {v.C}"); break;
            }
        }
        _outbox.Clear();
        return sent;
    }

    private bool Send(ReplicaId to, ProtocolMessage message)
    {
        if (message is BodyMessage body) return SendBody(to, body);
        if (!_delayed.HoldsUp(to, message)) return Write(to, message, _log);
        _delayed.Add(to, message);
        return false;
    }

    private bool Write(ReplicaId to, ProtocolMessage message, IEntrySource entries)
    {
        var w = _mesh.Begin(to, FrameKind.Protocol);
        if (w is null)
        {
            NoteUndelivered(to);
            return false;
        }
        switch (_codec.Encode(message, entries, w))
        {
            case EntryRead.Here:
                _mesh.End(to);
                return true;
            case EntryRead.Later:
                _mesh.Cancel(to);
                _delayed.Add(to, message);
                return false;
            default:
                _mesh.Cancel(to);
                NoteUndelivered(to);
                return false;
        }
    }

    private void NoteUndelivered(ReplicaId to)
    {
        _delayed.Drop(to); // the core begins anew behind what the peer has acknowledged
        if (!_undelivered.Contains(to)) _undelivered.Add(to);
    }

    /// <summary>Told once an act, and only while a link stands: without one LinkDown said it already.</summary>
    private void TellUndelivered()
    {
        if (_undelivered.Count == 0) return;
        foreach (var to in _undelivered)
            if (_mesh.IsUp(to)) Tell(_now, new Undelivered(to));
        _undelivered.Clear();
    }

    /// <summary>A later input, always: never inside Persist (DESIGN §3, Tickets). Releases what was held.</summary>
    private bool TakeDurable()
    {
        var durable = _log.Durable;
        if (durable <= _durable) return false;
        _durable = durable;
        int kept = 0;
        bool sent = false;
        for (int i = 0; i < _held.Count; i++)
        {
            var h = _held[i];
            if (h.After <= durable) sent |= Send(h.To, h.Message);
            else _held[kept++] = h;
        }
        _held.RemoveRange(kept, _held.Count - kept);
        if (sent) _network.FlushPeers();
        _core.Durable(_now, durable, _outbox);
        Stepped();
        return true;
    }

    private int ApplyDelivered(int most)
    {
        int count = 0;
        while (count < most && _sessions.AppliedIndex < _deliverTo)
        {
            if (!TryNext(out var entry)) break;
            _sessions.Apply(entry);
            AppliedBytes += entry.Payload.Length;
            _observer?.OnApplied(entry, _sessions);
            count++;
        }
        if (count == 0) return 0;
        _sessions.EndApply();
        Tell(_now, new Applied(_sessions.AppliedIndex));
        return count;
    }

    private void TakeAnswer(in Verb v)
    {
        Invariant.That(v.Proposal != 0, "PreparedNeverRefused", $"a prepared command was answered {v.Answer}: {v.Text}"); // it would leave pending changes of a transaction that is in no log
        if (v.Proposal < 0) _sessions.OnReadAnswer(v.Proposal, v.Answer, v.A);
        else if (v.Proposal > 0 && _asked.Remove(v.Proposal, out var answer)) answer(v.Answer, v.Text);
    }

    private void TellAnswered()
    {
        if (_sessions.AnsweredUpTo == _answeredUpTo) return;
        _answeredUpTo = _sessions.AnsweredUpTo;
        Tell(_now, new Answered(_answeredUpTo));
    }

    private void TakeSpace()
    {
        _lowSpace = _log.LowSpace;
        _sessions.LowSpace = _lowSpace;
        _sessions.MayPrepare = !_log.FirstSpareUsedUp;
        if (_lowSpace == _lowSent) return;
        _lowSent = _lowSpace;
        _notes.Note(_lowSpace ? 2 : 1, _lowSpace ? "the journal is short of room: new writes are refused" : "the journal has room again");
        Tell(_now, new LogSpace(_lowSpace));
    }

    private static Recovered With(Recovered r, IReadOnlyList<ConfigurationAt> configurations) => new()
    {
        Self = r.Self,
        Directory = r.Directory,
        Run = r.Run,
        Seed = r.Seed,
        Promise = r.Promise,
        Log = r.Log,
        Configurations = configurations,
        Mark = r.Mark,
        Snapshot = r.Snapshot,
    };
}
