using Quorate.Runtime.Faces;
using Quorate.Transport;

namespace Quorate.Runtime.Sessions;

/// <summary>Settings of the session layer.</summary>
public sealed class SessionOptions
{
    public int MaxEntryBytes { get; init; } = Limits.MaxEntryBytes;
    public int StreamWindowBytes { get; init; } = Limits.StreamWindowBytes;
    public long ServeWithoutLeaderMicros { get; init; } = Limits.ServeWithoutLeaderMicros;
    public long MaxApplyLagMicros { get; init; } = Limits.MaxApplyLagMicros;
    public long BeatMicros { get; init; } = Limits.HeartbeatMicros;

    /// <summary>Microseconds between two sweeps of container and TTL nodes (znode.container.checkIntervalMs).</summary>
    public long SweepMicros { get; init; } = 60_000_000;

    /// <summary>Nodes that one sweep may remove at most.</summary>
    public int SweepCount { get; init; } = 10_000;

    /// <summary>The counter at which a new epoch is proposed.</summary>
    public uint EpochCounterLimit { get; init; } = Limits.EpochCounterLimit;
}

/// <summary>
/// The session layer of one partition at one member (design/sessions.md): the window of its own clients' numbered writes, the leader's queues and judgement, expiry, serving, and apply's answers.
/// Partials by concern: Clients (what a face asks), Stream (numbers on their way to the leader), Leader (queues, prepare, beats, expiry), Apply, Serving.
/// On the strand only; pumped by the replica host.
/// </summary>
public sealed partial class SessionHost : ISessions
{
    private readonly SessionOptions _options;
    private readonly Mesh _mesh;
    private readonly ISeed _seed;
    private readonly INotes _notes;
    private readonly StreamPosition _origin; // directory and run of this member's stream
    private readonly PayloadChunks _chunks = new();
    private readonly List<Proposal> _proposals = [];
    private IFace _face = NoFace.Instance;
    private Standing _standing;

    public SessionHost(ReplicaId self, ulong directory, ulong run, SessionOptions options, IStateMachine machine, Mesh mesh, ISeed seed, INotes notes)
    {
        Self = self;
        _options = options;
        _mesh = mesh;
        _seed = seed;
        _notes = notes;
        _origin = new StreamPosition(directory, run, 0);
        Machine = machine;
        _prepare = new SessionPrepare(Table, machine, options.MaxEntryBytes);
    }

    public ReplicaId Self { get; }
    public SessionTable Table { get; } = new();
    public IStateMachine Machine { get; }

    /// <summary>The state's position in the log.</summary>
    public long AppliedIndex { get; private set; }

    public ulong AppliedTerm { get; private set; }

    /// <summary>The latest applied configuration.</summary>
    public ClusterConfiguration Configuration { get; private set; } = ClusterConfiguration.None;

    /// <summary>The index that it stands at; 0 for the formed list.</summary>
    public long ConfigurationIndex { get; private set; }

    public Instant Now { get; private set; }

    /// <summary>What the core is to be asked this turn; the host takes and clears it.</summary>
    public List<Proposal> Proposals => _proposals;

    /// <summary>Every touch up to here was reported to the present leader on the present link; the host tells the core (<see cref="Answered"/>).</summary>
    public long AnsweredUpTo { get; private set; }

    /// <summary>Clock for judging others: a gap between two pumps counts 200 ms at most (DESIGN §3, Time).</summary>
    private long _judgeMicros;

    public void UseFace(IFace face) => _face = face;

    /// <summary>The formed list, before anything is applied.</summary>
    public void Begin(ClusterConfiguration formed) => Configuration = formed;

    /// <summary>A turn's beginning: time and standing; leaves or keeps leadership accordingly.</summary>
    public void BeginTurn(Instant now, in Standing standing)
    {
        if (Now.Micros != 0) _judgeMicros += Math.Min(now.Micros - Now.Micros, Limits.MaxJudgedGapMicros);
        Now = now;
        NoteStanding(standing);
        UpdateServing(); // before the first byte of a client is read: who slept past its permission must not answer (sessions.md §6.2)
    }

    /// <summary>The core's standing changed within a turn, or may have.</summary>
    public void NoteStanding(in Standing standing)
    {
        bool moved = standing.Term != _standing.Term || standing.Leader != _standing.Leader || standing.Role != _standing.Role;
        _standing = standing;
        if (!moved) return;
        if (_prepare.IsOpen && (standing.Role != Role.Leader || standing.Term != _prepare.Term)) CloseLeadership();
        LeaderMoved();
    }

    /// <summary>A turn's end, after apply: frames to peers, timers.</summary>
    public void EndTurn()
    {
        UpdateServing();
        if (_prepare.IsOpen) Lead();
        else SendStream();
        AskSyncs();
    }

    /// <summary>Monotone micros of the next thing to do.</summary>
    public long NextWake
    {
        get
        {
            long wake = _prepare.IsOpen ? _nextBeat : Instant.Never;
            if (Serving) wake = Math.Min(wake, Math.Min(_standing.MayServeUntilMicros, Now.Micros + _options.MaxApplyLagMicros / 4));
            if (_syncs.Count > 0) wake = Math.Min(wake, Now.Micros + _options.BeatMicros);
            return wake;
        }
    }

    /// <summary>A frame of another member's session layer.</summary>
    public void OnFrame(in Sender from, ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        switch ((SessionFrame)r.Byte())
        {
            case SessionFrame.Stream: OnStream(from, ref r); break;
            case SessionFrame.Report: OnReport(from, ref r); break;
            case SessionFrame.Beat: OnBeat(from, ref r); break;
            default: r.Fail(); break;
        }
        if (r.Failed) _notes.Note(2, $"unreadable session frame from {from.Id}: ignored");
    }

    /// <summary>Before formation and in tests nobody is there.</summary>
    private sealed class NoFace : IFace
    {
        public static readonly NoFace Instance = new();
        public long NextWake => Instant.Never;
        public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access) { }
        public IConnectionOwner? Accept(Connection connection) => null;
        public void HangUpAll(string reason) { }
        public void Pump(Instant now) { }
        public void WindowOpened() { }
    }
}
