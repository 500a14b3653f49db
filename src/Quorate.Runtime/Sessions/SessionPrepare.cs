namespace Quorate.Runtime.Sessions;

/// <summary>
/// The leader's judgement (sessions.md §2): every number becomes exactly one entry that counts, decided here, in log order, over the applied table and the pending changes. Apply checks nothing but the fence.
/// </summary>
public sealed class SessionPrepare(SessionTable table, IStateMachine machine, int maxEntryBytes)
{
    private readonly Dictionary<long, PendingSession> _pending = [];
    private readonly Queue<(long Sequence, long Session)> _order = new();
    private readonly StreamPosition[] _taken = new StreamPosition[256];
    private long _sequence, _applied, _stamp, _opened;

    private struct PendingSession
    {
        public long Sequence;
        public bool Ended;
        public Attachment Attached;
        public UInt128 Password;
    }

    public bool IsOpen { get; private set; }

    /// <summary>The term that it prepares for.</summary>
    public ulong Term { get; private set; }

    /// <summary>Transactions prepared and not applied yet.</summary>
    public long InFlight => _sequence - _applied;

    /// <summary>Opens when the first entry of the own term was applied (sessions.md §2.5): nothing is pending then.</summary>
    public void Open(ulong term)
    {
        Close();
        IsOpen = true;
        Term = term;
        _stamp = table.LogTimeMillis;
        _opened = table.SessionCounter;
        for (int m = 0; m < _taken.Length; m++) _taken[m] = table.PositionOf((byte)m);
    }

    /// <summary>Leaving leadership throws all pending changes away.</summary>
    public void Close()
    {
        if (!IsOpen) return;
        IsOpen = false;
        _sequence = _applied = 0;
#if MUTANTS
        if (Mutants.On(Mutant.PendingKeptAcrossTerms)) return;
#endif
        _pending.Clear();
        _order.Clear();
        machine.ResetPending();
    }

    /// <summary>The position up to which a stream's numbers were taken.</summary>
    public StreamPosition TakenOf(byte member) => _taken[member];

    /// <summary>Whether this number is the next of its stream and counts (sessions.md §4.2). A stream that is not its member's present one never does.</summary>
    public bool Counts(byte member, in StreamPosition position, ClusterConfiguration configuration)
    {
        if (!configuration.Names(new ReplicaId(member), position.Directory)) return false;
        var taken = _taken[member];
#if MUTANTS
        if (Mutants.On(Mutant.StreamNumberTwice)) return position.Number <= taken.Number + 1;
#endif
        if (position.Directory != taken.Directory) return position.Number == 1;
        if (position.Run < taken.Run) return false;
        return position.Run > taken.Run ? position.Number == 1 : position.Number == taken.Number + 1;
    }

    /// <summary>Turns a number that counts into its one entry.</summary>
    public void Prepare(byte member, in StreamPosition position, in StreamRequest request, long wallMillis, ByteWriter into)
    {
        _taken[member] = position;
        var command = Begin(request.Kind, wallMillis);
        command.Member = member;
        command.Position = position;
        command.Session = request.Session;
        command.Connection = request.Connection;
        var connection = new Attachment(member, position.Run, request.Connection);
        switch (request.Kind)
        {
            case CommandKind.Open:
                command.WriteHeader(into);
                into.Bytes(request.Body);
                RememberOpen(request.Body, connection);
                return;
            case CommandKind.Attach:
                PrepareAttach(ref command, request, connection, into);
                return;
            case CommandKind.Write when IsAttached(request.Session, connection):
                command.WriteHeader(into);
                machine.Prepare(new PrepareContext(_sequence, request.Session, command.Stamp, maxEntryBytes - Command.HeaderBytes), request.Body, into);
                return;
            case CommandKind.Close when IsAttached(request.Session, connection):
                command.WriteHeader(into);
                End(request.Session);
                return;
            case CommandKind.Write or CommandKind.Close:
                command.Kind = CommandKind.Stale;
                command.WriteHeader(into);
                return;
            default:
                command.Kind = CommandKind.Empty;
                command.WriteHeader(into);
                return;
        }
    }

    /// <summary>False when the session was attached again since, pending attachments included, or is gone (sessions.md §6.1).</summary>
    public bool PrepareExpire(Session session, long wallMillis, ByteWriter into)
    {
        if (!IsAttached(session.Id, session.Attached)) return false;
        var command = Begin(CommandKind.Expire, wallMillis);
        command.Session = session.Id;
        command.WriteHeader(into);
        End(session.Id);
        return true;
    }

    public void PrepareEpoch(long wallMillis, ByteWriter into) => Begin(CommandKind.Epoch, wallMillis).WriteHeader(into);

    public void PrepareSweep(ReadOnlySpan<byte> request, long wallMillis, ByteWriter into)
    {
        var command = Begin(CommandKind.Sweep, wallMillis);
        command.WriteHeader(into);
        machine.Prepare(new PrepareContext(_sequence, 0, command.Stamp, maxEntryBytes - Command.HeaderBytes), request, into);
    }

    /// <summary>The oldest of its transactions was applied: what only it had pending is in the state now.</summary>
    public void Applied()
    {
        _applied++;
        machine.ReleasePending(_applied);
        while (_order.Count > 0 && _order.Peek().Sequence <= _applied)
        {
            var (sequence, session) = _order.Dequeue();
            if (_pending.TryGetValue(session, out var p) && p.Sequence == sequence) _pending.Remove(session);
        }
    }

    private Command Begin(CommandKind kind, long wallMillis)
    {
        _sequence++;
        _stamp = Math.Max(Math.Max(_stamp, table.LogTimeMillis), wallMillis);
        return new Command { Kind = kind, Term = Term, Stamp = _stamp };
    }

    private void PrepareAttach(ref Command command, in StreamRequest request, in Attachment connection, ByteWriter into)
    {
        var r = new ByteReader(request.Body);
        int timeout = r.Int32();
        ulong low = r.UInt64(), high = r.UInt64();
        var session = table.Find(request.Session);
        bool pending = _pending.TryGetValue(request.Session, out var p);
        bool ended = pending ? p.Ended : session is null;
        var password = session?.Password ?? p.Password;
        var verdict = ended ? Faces.HandshakeVerdict.UnknownSession
            : password != new UInt128(high, low) ? Faces.HandshakeVerdict.WrongPassword
            : Faces.HandshakeVerdict.Attached;
        command.WriteHeader(into);
        into.Byte((byte)verdict);
        into.Int32(timeout);
        if (verdict == Faces.HandshakeVerdict.Attached) Remember(request.Session, new PendingSession { Attached = connection, Password = password });
    }

    /// <summary>
    /// An open is pending like any other change, under the id that apply will give it: a member that applied it before this leader did may already serve its client, whose write or
    /// next Attach must not find the session unknown (sessions.md §2.2).
    /// </summary>
    private void RememberOpen(ReadOnlySpan<byte> body, in Attachment connection)
    {
        var r = new ByteReader(body);
        r.Int32();
        ulong low = r.UInt64(), high = r.UInt64();
        Remember(SessionTable.IdOf(connection.Member, ++_opened), new PendingSession { Attached = connection, Password = new UInt128(high, low) });
    }

    private bool IsAttached(long session, in Attachment connection)
    {
        if (_pending.TryGetValue(session, out var p)) return !p.Ended && p.Attached == connection;
#if MUTANTS
        if (Mutants.On(Mutant.StaleAttachmentServed)) return table.Find(session) is not null;
#endif
        return table.Find(session) is { } s && s.Attached == connection;
    }

    private void End(long session)
    {
        machine.PrepareSessionEnd(_sequence, session);
        Remember(session, new PendingSession { Ended = true });
    }

    private void Remember(long session, PendingSession pending)
    {
        pending.Sequence = _sequence;
        _pending[session] = pending;
        _order.Enqueue((_sequence, session));
    }
}
