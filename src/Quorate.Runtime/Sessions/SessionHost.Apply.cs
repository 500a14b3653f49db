using Quorate.Runtime.Faces;

namespace Quorate.Runtime.Sessions;

/// <summary>Applies decided entries in order, and answers from them the connections that wait here: one path, nothing is answered before it is applied (DESIGN §3).</summary>
public sealed partial class SessionHost
{
    private readonly ByteWriter _result = new(4096);

    /// <summary>Applies one entry. The host guarantees order and no gap.</summary>
    public void Apply(in EntryView entry)
    {
        Invariant.That(entry.Index == AppliedIndex + 1, "ApplyInOrder", $"entry {entry.Index} after {AppliedIndex}");
        AppliedIndex = entry.Index;
        AppliedTerm = entry.Term;
        switch (entry.Kind)
        {
            case EntryKind.TermOpened:
                bool raises = entry.Payload.Length > 0 && entry.Payload[0] == 1;
#if MUTANTS
                if (Mutants.On(Mutant.EpochBitFromConfiguration)) raises = Configuration.VoterCount > 1;
#endif
                Table.OpenTerm(entry.Term, raises);
                if (_standing.Role == Role.Leader && _standing.Term == entry.Term) OpenLeadership(entry.Term);
                break;
            case EntryKind.Configuration:
                Configuration = ClusterConfiguration.Decode(entry.Payload) ?? throw new InvariantException("ConfigurationReadable", $"index {entry.Index}");
                ConfigurationIndex = entry.Index;
#if MUTANTS
                for (byte m = 1; m < 255 && Mutants.On(Mutant.PositionResetByRemoval); m++)
                    if (Configuration.Find(new ReplicaId(m)) is null) Table.Advance(m, default);
#endif
                _notes.Note(1, $"configuration at {entry.Index}: {Configuration}");
                break;
            default:
                ApplyCommand(entry);
                break;
        }
    }

    /// <summary>Ends a batch of applied entries: answers the syncs whose position was reached, lets waiting connections go on.</summary>
    public void EndApply()
    {
        if (_syncs.Count > 0) AnswerSyncs();
        if (_windowWasFull && WindowOpen)
        {
            _windowWasFull = false;
            _face.WindowOpened();
        }
    }

    private void ApplyCommand(in EntryView entry)
    {
        var command = Command.Read(entry.Payload);
        bool prepared = _prepare.IsOpen && command.Term == _prepare.Term;
#if MUTANTS
        if (!Mutants.On(Mutant.FenceUnchecked))
#endif
        if (command.Term != Table.OpenedTerm) return; // the fence (sessions.md §3.2): skipped by everyone, no zxid, no number
        Table.Stamp(command.Stamp);
        if (command.Kind == CommandKind.Epoch) ApplyEpoch();
        else if (command.Kind is CommandKind.Expire or CommandKind.Sweep) ApplyLeaders(entry.Index, command);
        else ApplyNumber(entry.Index, command);
        if (prepared) _prepare.Applied();
    }

    private void ApplyEpoch()
    {
        Table.RaiseEpoch();
        _epochProposed = false;
    }

    private void ApplyLeaders(long index, in Command command)
    {
        if (command.Kind == CommandKind.Expire) EndSession(index, command.Session, "its session expired", null);
        else ApplyMachine(index, command, false);
    }

    private void ApplyNumber(long index, in Command command)
    {
        Table.Advance(command.Member, command.Position);
        bool mine = command.Member == Self.Value && IsMine(command.Position);
        SessionConnection? connection = null;
        if (mine)
        {
            Invariant.That(_window.Count > 0 && _window.FirstNumber == command.Position.Number, "NumbersInOrder", $"number {command.Position.Number}, the window begins at {_window.FirstNumber}");
            connection = _window[command.Position.Number].Connection;
            if (connection is { IsGone: true }) connection = null;
        }
        switch (command.Kind)
        {
            case CommandKind.Open: ApplyOpen(command, mine, connection); break;
            case CommandKind.Attach: ApplyAttach(command, mine, connection); break;
            case CommandKind.Write: ApplyWrite(index, command, mine, connection); break;
            case CommandKind.Close: ApplyClose(index, command, mine, connection); break;
            default:
                if (mine) _window.RemoveFirst();
                if (connection is not null) HangUp(connection, "the session is not attached here any more");
                break;
        }
    }

    private void ApplyOpen(in Command command, bool mine, SessionConnection? connection)
    {
        var r = new ByteReader(command.Body);
        int timeout = r.Int32();
        ulong low = r.UInt64(), high = r.UInt64();
        var session = Table.Add(command.Member, timeout, new UInt128(high, low), new Attachment(command.Member, command.Position.Run, command.Connection));
        session.TouchedAt = _judgeMicros;
        long zxid = Table.NextZxid();
        if (mine) _window.RemoveFirst();
        if (connection is not null) Welcome(connection, session, zxid);
    }

    private void ApplyAttach(in Command command, bool mine, SessionConnection? connection)
    {
        var r = new ByteReader(command.Body);
        var verdict = (HandshakeVerdict)r.Byte();
        int timeout = r.Int32();
        if (mine) _window.RemoveFirst();
        if (verdict != HandshakeVerdict.Attached)
        {
            if (connection is null) return;
            connection.Unapplied--;
            connection.Handshaking = false;
            connection.OnHandshake(new HandshakeResult { Verdict = verdict, Zxid = Table.Zxid });
            return;
        }
        var session = Table.Find(command.Session);
        Invariant.That(session is not null, "AttachedSessionExists", $"session 0x{command.Session:x}");
        Table.Attach(session!, new Attachment(command.Member, command.Position.Run, command.Connection), timeout);
        session!.TouchedAt = _judgeMicros;
        if (_attached.TryGetValue(session.Id, out var older)) HangUp(older, "its session moved to another connection");
        if (connection is not null) Welcome(connection, session, Table.Zxid);
    }

    private void Welcome(SessionConnection connection, Session session, long zxid)
    {
        connection.Unapplied--;
        connection.Handshaking = false;
        connection.Session = session.Id;
        connection.TimeoutMillis = session.TimeoutMillis;
        _attached[session.Id] = connection;
        Span<byte> password = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(password, (ulong)session.Password);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(password[8..], (ulong)(session.Password >> 64));
        connection.OnHandshake(new HandshakeResult { Verdict = HandshakeVerdict.Attached, Session = session.Id, Password = password, TimeoutMillis = session.TimeoutMillis, Zxid = zxid });
    }

    private void ApplyWrite(long index, in Command command, bool mine, SessionConnection? connection)
    {
        connection?.BeforeApply();
        long zxid = ApplyMachine(index, command, connection is not null);
        if (mine) _window.RemoveFirst();
        if (connection is null || connection.IsGone) return;
        connection.Unapplied--;
        connection.OnApplied(zxid, _result.Written);
    }

    private long ApplyMachine(long index, in Command command, bool wantsResult)
    {
        long zxid = Table.NextZxid();
        _result.Clear();
        Machine.Apply(new ApplyContext(index, zxid, Table.LogTimeMillis, command.Session, wantsResult), command.Body, _face, _result);
        return zxid;
    }

    private void ApplyClose(long index, in Command command, bool mine, SessionConnection? connection)
    {
        connection?.BeforeApply();
        long zxid = EndSession(index, command.Session, "its session was closed", connection);
        if (mine) _window.RemoveFirst();
        if (connection is null || connection.IsGone) return;
        connection.Unapplied--;
        connection.OnApplied(zxid, default);
    }

    /// <summary>Expire and close log the session's id alone: apply deletes what its owner list holds at this position (sessions.md §2.3).</summary>
    private long EndSession(long index, long id, string reason, SessionConnection? closer)
    {
        long zxid = Table.NextZxid();
        var session = Table.Find(id);
        Invariant.That(session is not null, "EndedSessionExists", $"session 0x{id:x} at {index}");
        Table.Remove(session!);
        if (_attached.TryGetValue(id, out var holder) && !ReferenceEquals(holder, closer)) HangUp(holder, reason);
        _attached.Remove(id);
        Machine.ApplySessionEnd(new ApplyContext(index, zxid, Table.LogTimeMillis, id, false), id, _face);
        return zxid;
    }
}
