using Quorate.Transport;

namespace Quorate.Runtime.Sessions;

/// <summary>The leader's side: each member's queue, the judgement, beats with their echoes and verdicts, expiry (sessions.md §2, §4.3, §6).</summary>
public sealed partial class SessionHost
{
    private readonly SessionPrepare _prepare;
    private readonly MemberStream?[] _streams = new MemberStream?[256];
    private readonly List<byte[]> _sweeps = [];
    private readonly ByteWriter _scratch = new(1024);

    /// <summary>Verdicts of one beat to one member; what is over waits for the next report.</summary>
    private const int MaxVerdicts = 10_000;

    private long _ownNext, _nextBeat, _nextExpiry, _nextSweep;
    private bool _epochProposed;

    /// <summary>What this leadership knows of one member's stream and reports. Forgotten with the term.</summary>
    private sealed class MemberStream(ReplicaId member)
    {
        public readonly ReplicaId Member = member;
        public readonly RequestRing Queue = new();
        public StreamPosition Received;
        public long Echo, ReportEcho, Link;
        public bool LowSpace;
        public long HeardAt;
        public long Applied;
        public long ServeMicros;
        public readonly List<(long Session, ulong Run, long Connection)> Verdicts = [];
        private long _report;
        private int _nextPart;
        private bool _judged;

        /// <summary>A part came. True: it ends a report all of whose parts came in order and were judged, so that it may be echoed.</summary>
        public bool Completes(in Report part, bool judged)
        {
            if (part.Part == 0) (_report, _nextPart, _judged) = (part.Number, 0, true);
            _judged &= judged && part.Number == _report && part.Part == _nextPart++;
#if MUTANTS
            if (Mutants.On(Mutant.ReportEchoedByPart)) return judged;
#endif
            return part.Last && _judged;
        }

        public void ForgetReports()
        {
            ReportEcho = 0;
            _judged = false;
        }
    }

    /// <summary>This member's journal is short of room (storage.md §3.1); set by the host.</summary>
    public bool LowSpace { get; set; }

    /// <summary>False with the first spare segment used up (sessions.md §2.4); set by the host.</summary>
    public bool MayPrepare { get; set; } = true;

    /// <summary>New writes are refused while the leader has no room, or fewer voters than a majority have.</summary>
    private bool ClusterLow
    {
        get
        {
            if (LowSpace) return true;
            int voters = 0, roomy = 0;
            foreach (var m in Configuration.Members)
            {
                if (!m.Voter) continue;
                voters++;
                if (m.Id == Self || _streams[m.Id.Value] is not { LowSpace: true }) roomy++;
            }
            return roomy <= voters / 2;
        }
    }

    private void OpenLeadership(ulong term)
    {
        _prepare.Open(term);
#if MUTANTS
        if (!Mutants.On(Mutant.QueueKeptAcrossTerms))
#endif
        Array.Clear(_streams);
        _ownNext = _window.FirstNumber;
        _nextBeat = Now.Micros;
        _nextExpiry = 0;
        _nextSweep = Now.Micros + _options.SweepMicros;
        _epochProposed = false;
#if MUTANTS
        if (!Mutants.On(Mutant.SpanKeptAcrossLeaders))
#endif
        foreach (var s in Table.Sessions) s.TouchedAt = _judgeMicros; // the whole span begins anew (sessions.md §6.1)
        _notes.Note(1, $"leading: term {term} open at index {AppliedIndex}");
        ForgetSyncs();
    }

    private void CloseLeadership()
    {
        _notes.Note(1, $"no longer leading: term {_prepare.Term}");
        _prepare.Close();
#if MUTANTS
        if (!Mutants.On(Mutant.QueueKeptAcrossTerms))
#endif
        Array.Clear(_streams);
        _proposals.Clear();
        ForgetSyncs();
    }

    /// <summary>Numbers of another member: what comes in order is queued, at most a window; the rest is dropped and comes again (sessions.md §4.3).</summary>
    private void OnStream(in Sender from, ref ByteReader r)
    {
        long frame = r.Int64();
        ulong term = r.UInt64(), run = r.UInt64();
        long first = r.Int64();
        int count = r.Count(4);
        if (r.Failed || !_prepare.IsOpen || term != _prepare.Term || from.Id == Self) return;
        var stream = StreamOf(from, run);
        if (stream is null) return;
        for (long n = first; n < first + count; n++)
        {
            var bytes = r.Sized();
            if (r.Failed || bytes.IsEmpty) return;
            if ((CommandKind)bytes[0] == CommandKind.Attach) TouchByAttach(bytes);
#if MUTANTS
            if (Mutants.On(Mutant.StreamNumberTwice) && n <= stream.Received.Number && stream.Queue.Count == 0) stream.Received = stream.Received with { Number = n - 1 };
#endif
            if (n != stream.Received.Number + 1 || (stream.Queue.Count > 0 && stream.Queue.Bytes + bytes.Length > _options.StreamWindowBytes)) continue;
            if (stream.Queue.Count == 0) stream.Queue.Reset(n);
            stream.Queue.Add((CommandKind)bytes[0], bytes, default, null);
            stream.Received = stream.Received with { Number = n };
        }
        Heard(stream, from, frame);
    }

    /// <summary>The member's stream of its present directory and run; null for one that is older than what is known, or a directory that the configuration does not name.</summary>
    private MemberStream? StreamOf(in Sender from, ulong run)
    {
        if (!Configuration.Names(from.Id, from.Directory)) return null;
        var stream = _streams[from.Id.Value] ??= NewStream(from.Id);
        if (stream.Received.Directory == from.Directory && stream.Received.Run == run) return stream;
        if (stream.Received.Directory == from.Directory && run < stream.Received.Run) return null;
        stream.Received = new StreamPosition(from.Directory, run, 0); // another directory or run counts as 0
        stream.Queue.Reset(1);
        stream.Verdicts.Clear();
        stream.ForgetReports();
        stream.Echo = 0; // another run counts its frames and its links anew
        return stream;
    }

    /// <summary>The queue is empty when prepare opens, and the name then begins at the last n applied, or taken since.</summary>
    private MemberStream NewStream(ReplicaId member) => new(member) { Received = _prepare.TakenOf(member.Value) };

    private void Heard(MemberStream stream, in Sender from, long frame)
    {
        if (from.Link != stream.Link)
        {
            stream.Link = from.Link;
            stream.Echo = 0;
        }
        stream.Echo = Math.Max(stream.Echo, frame);
        stream.HeardAt = Now.Micros;
    }

    private void OnReport(in Sender from, ref ByteReader r)
    {
        var report = Report.Read(ref r);
        int count = r.Count(16);
        if (r.Failed || !_prepare.IsOpen || report.Term != _prepare.Term) return;
        var stream = StreamOf(from, report.Run);
        if (stream is null) return;
        bool judged = true;
        for (int i = 0; i < count; i++) judged &= TakeTouch(stream, r.Int64(), report.Run, r.Int64(), report.Applied);
        Heard(stream, from, report.Frame);
        stream.Applied = report.Applied;
        stream.ServeMicros = report.ServeMicros;
        stream.LowSpace = report.LowSpace;
        bool old = from.Old;
#if MUTANTS
        if (Mutants.On(Mutant.OldReportEchoed)) old = false;
#endif
        if (stream.Completes(report, judged && !old)) stream.ReportEcho = Math.Max(stream.ReportEcho, report.Number);
    }

    /// <summary>False when it cannot be judged yet: its report is not echoed, so that it comes again (sessions.md §6.2).</summary>
    private bool TakeTouch(MemberStream stream, long session, ulong run, long connection, long reporterApplied)
    {
        var known = Table.Find(session);
        if (known is not null && known.Attached == new Attachment(stream.Member.Value, run, Math.Abs(connection)))
        {
            known.TouchedAt = _judgeMicros;
            return true;
        }
        if (connection < 0) return true; // gone: nothing to close, and nothing that an Attach which is not applied here yet would lose (its own apply touches)
#if MUTANTS
        if (Mutants.On(Mutant.VerdictsLeftOut)) return true;
        if (Mutants.On(Mutant.VerdictOfWhoLags)) reporterApplied = 0;
#endif
        if (AppliedIndex < reporterApplied || stream.Verdicts.Count >= MaxVerdicts) return false;
        stream.Verdicts.Add((session, run, connection));
        return true;
    }

    /// <summary>A beat to this member may be lost, and its verdicts with it: its touches are asked for again, so that they are judged again (sessions.md §6.2).</summary>
    private void JudgeTouchesAgain(ReplicaId member)
    {
        _streams[member.Value]?.ForgetReports();
    }

    /// <summary>An arriving Attach whose password fits touches, taken or not (sessions.md §6.1).</summary>
    private void TouchByAttach(ReadOnlySpan<byte> bytes)
    {
        if (!StreamRequest.TryRead(bytes, out var request)) return;
#if MUTANTS
        if (Mutants.On(Mutant.AttachDoesNotTouch)) return;
#endif
        var r = new ByteReader(request.Body);
        r.Int32();
        ulong low = r.UInt64(), high = r.UInt64();
        if (Table.Find(request.Session) is { } s && s.Password == new UInt128(high, low)) s.TouchedAt = _judgeMicros;
    }

    /// <summary>Takes what waits, while the core offers room for a whole entry (sessions.md §2.4). Called before the host acts, and again after apply made room.</summary>
    public void TakeNumbers()
    {
        if (!_prepare.IsOpen || !MayPrepare) return;
        long budget = _standing.MayPropose;
#if MUTANTS
        if (Mutants.On(Mutant.ExpireBeforeQueuedAttach)) Judge(ref budget);
        if (!Mutants.On(Mutant.PreparedOverConfiguration))
#endif
        if (_standing.ConfigurationIndex > AppliedIndex) return;
        bool more = TakeOwn(ref budget);
        foreach (var stream in _streams)
            if (stream is not null && stream.Queue.Count > 0) more |= TakeQueue(stream, ref budget);
        if (!more) Judge(ref budget);
    }

    /// <summary>The leader's own stream stands in its window.</summary>
    private bool TakeOwn(ref long budget)
    {
        if (_ownNext < _window.FirstNumber) _ownNext = _window.FirstNumber;
        while (_ownNext < _window.NextNumber)
        {
            if (budget < _options.MaxEntryBytes) return true;
            ref var slot = ref _window[_ownNext];
            MakeEmptyWhenGone(ref slot);
            if (!_prepare.Counts(Self.Value, _origin with { Number = _ownNext }, Configuration)) return false;
            budget -= PrepareNumber(Self.Value, _origin with { Number = _ownNext }, _window.BytesOf(slot));
            _ownNext++;
        }
        return false;
    }

    private bool TakeQueue(MemberStream stream, ref long budget)
    {
        while (stream.Queue.Count > 0)
        {
            if (budget < _options.MaxEntryBytes) return true;
            long n = stream.Queue.FirstNumber;
            if (!_prepare.Counts(stream.Member.Value, stream.Received with { Number = n }, Configuration))
            {
                DropQueue(stream);
                return false;
            }
            budget -= PrepareNumber(stream.Member.Value, stream.Received with { Number = n }, stream.Queue.BytesOf(stream.Queue[n]));
            stream.Queue.RemoveFirst();
        }
        return false;
    }

    /// <summary>What leaves the queue without being taken lowers the name to the last n taken (sessions.md §4.3), or a member that is named again later never sends it again.</summary>
    private void DropQueue(MemberStream stream)
    {
        var taken = _prepare.TakenOf(stream.Member.Value);
        bool same = taken.Directory == stream.Received.Directory && taken.Run == stream.Received.Run;
        stream.Received = stream.Received with { Number = same ? taken.Number : 0 };
        stream.Queue.Reset(stream.Received.Number + 1);
    }

    private int PrepareNumber(byte member, in StreamPosition position, ReadOnlySpan<byte> bytes)
    {
        if (!StreamRequest.TryRead(bytes, out var request)) request = new StreamRequest { Kind = CommandKind.Empty };
        _scratch.Clear();
        _prepare.Prepare(member, position, request, Now.WallMillis, _scratch);
        return ProposeScratch();
    }

    private int ProposeScratch()
    {
        _proposals.Add(new Proposal(0, ProposalKind.Command, _chunks.Copy(_scratch.Written)));
        return _scratch.Length;
    }

    /// <summary>Expiry, epochs and sweeps: the leader's own transactions, when no number waits (queued Attaches are taken before any Expire).</summary>
    private void Judge(ref long budget)
    {
        if (budget < _options.MaxEntryBytes) return;
        if (Table.Counter >= _options.EpochCounterLimit && !_epochProposed)
        {
            _epochProposed = true;
            _scratch.Clear();
            _prepare.PrepareEpoch(Now.WallMillis, _scratch);
            budget -= ProposeScratch();
        }
        if (Now.Micros >= _nextExpiry) Expire(ref budget);
        if (Now.Micros >= _nextSweep) Sweep(ref budget);
    }

    /// <summary>Sessions that this member, leading, let expire since its start.</summary>
    public long Expired { get; private set; }

    private void Expire(ref long budget)
    {
        _nextExpiry = Now.Micros + 4 * _options.BeatMicros;
        TouchOwn();
        long extra = Configuration.Members.Length == 1 ? 0 : 2 * LongestServing; // nobody else serves: nothing to wait for
#if MUTANTS
        if (Mutants.On(Mutant.ExpireWithoutExtraSpan)) extra = -1_000_000;
#endif
        foreach (var s in Table.Sessions)
        {
            if (budget < _options.MaxEntryBytes) return;
            if (_judgeMicros - s.TouchedAt <= s.TimeoutMillis * Instant.MicrosPerMilli + extra) continue;
            _scratch.Clear();
            if (!_prepare.PrepareExpire(s, Now.WallMillis, _scratch)) continue;
            Expired++;
            _notes.Note(1, $"session 0x{s.Id:x} expires");
            budget -= ProposeScratch();
        }
    }

    /// <summary>The largest ServeWithoutLeader that a member announced.</summary>
    private long LongestServing
    {
        get
        {
            long longest = _options.ServeWithoutLeaderMicros;
            foreach (var stream in _streams) longest = Math.Max(longest, stream?.ServeMicros ?? 0);
            return longest;
        }
    }

    private void Sweep(ref long budget)
    {
        _nextSweep = Now.Micros + _options.SweepMicros;
        if (Machine is not ISweepingMachine machine) return;
        _sweeps.Clear();
        machine.CollectSweep(Math.Max(Table.LogTimeMillis, Now.WallMillis), _options.SweepCount, _sweeps);
        foreach (var request in _sweeps)
        {
            if (budget < _options.MaxEntryBytes) return;
            _scratch.Clear();
            _prepare.PrepareSweep(request, Now.WallMillis, _scratch);
            budget -= ProposeScratch();
        }
    }

    /// <summary>The leader's own clients need no report.</summary>
    private void TouchOwn()
    {
        foreach (var c in _touched)
        {
            c.InTouched = false;
            if (Table.Find(c.Session) is { } s && s.Attached == new Attachment(Self.Value, _origin.Run, c.Number)) s.TouchedAt = _judgeMicros;
            else if (!c.IsGone) _stale.Add(c);
        }
        _touched.Clear();
        foreach (var c in _stale) HangUp(c, "the session is not attached here any more");
        _stale.Clear();
    }

    private readonly List<Faces.SessionConnection> _stale = [];

    /// <summary>Beats to every member of the configuration, each interval.</summary>
    private void Lead()
    {
        if (Now.Micros < _nextBeat) return;
        _nextBeat = Now.Micros + _options.BeatMicros;
        TouchOwn();
        bool low = ClusterLow;
        foreach (var m in Configuration.Members)
            if (m.Id != Self) SendBeat(m, low);
    }

    private void SendBeat(ConfiguredMember member, bool low)
    {
        var w = _mesh.Begin(member.Id, FrameKind.Session);
        if (w is null) return;
        var stream = _streams[member.Id.Value] ??= NewStream(member.Id);
        new Beat { Term = _prepare.Term, Echo = stream.Echo, ReportEcho = stream.ReportEcho, Received = stream.Received, LowSpace = low }.Write(w);
        w.Int32(stream.Verdicts.Count);
        foreach (var (session, run, connection) in stream.Verdicts)
        {
            w.Int64(session);
            w.UInt64(run);
            w.Int64(connection);
        }
        stream.Verdicts.Clear();
        _mesh.End(member.Id);
    }

    /// <summary>The position that a member reported last, and when it was heard; for promotions.</summary>
    public (long Applied, long HeardAt) ReportOf(ReplicaId member) => _streams[member.Value] is { } s ? (s.Applied, s.HeardAt) : (0, 0);
}
