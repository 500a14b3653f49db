using System.Buffers.Binary;
using Quorate.Runtime.Faces;

namespace Quorate.Runtime.Sessions;

/// <summary>What a face asks: opens, attaches, writes, syncs, touches (sessions.md §4.1, §5, §6.1, §7).</summary>
public sealed partial class SessionHost
{
    private readonly RequestRing _window = new();
    private readonly Dictionary<long, SessionConnection> _attached = [];
    private readonly List<SessionConnection> _live = [];
    private readonly List<SessionConnection> _touched = [];
    private readonly List<SyncWait> _syncs = [];
    private long _connections, _syncTokens, _readProposals;
    private bool _askSyncs, _windowWasFull;

    private struct SyncWait
    {
        public SessionConnection Connection;
        public long Token;
        public long Proposal;      // 0: not asked
        public long First;         // the first that was asked for it; an answer to it, or to any later one, is good
        public long Position;      // -1: unknown
        public long AskedFrame;
        public long AskedAt;
    }

    public bool Leading => _prepare.IsOpen;
    public bool Alone => Configuration.VoterCount == 1 && Configuration.Members.Length == 1;
    public bool HasRoom => !(_prepare.IsOpen ? ClusterLow : _beatLow);
    public bool WindowOpen => _window.Bytes < _options.StreamWindowBytes;
    public long LastZxid => Table.Zxid;
    public int SessionCount => Table.Sessions.Count;
    public int MaxRequestBytes => _options.MaxEntryBytes - Command.HeaderBytes - StreamRequest.HeaderBytes - 1024;
    public int ConnectionCount => _live.Count;

    /// <summary>Connections whose touch no beat has echoed.</summary>
    public int UnechoedTouches => _touched.Count;

    /// <summary>Bytes of this member's numbers that its own apply does not cover.</summary>
    public long WindowBytes => _window.Bytes;

    public void Open(SessionConnection connection, int timeoutMillis)
    {
        Span<byte> request = stackalloc byte[StreamRequest.HeaderBytes + 20];
        BeginHandshake(connection);
        StreamRequest.WriteHeader(request, CommandKind.Open, 0, connection.Number);
        BinaryPrimitives.WriteInt32LittleEndian(request[StreamRequest.HeaderBytes..], timeoutMillis);
        _seed.Fill(request[(StreamRequest.HeaderBytes + 4)..]);
        Number(connection, CommandKind.Open, request, default);
    }

    public void Attach(SessionConnection connection, long session, ReadOnlySpan<byte> password, int timeoutMillis)
    {
#if MUTANTS
        if (Mutants.On(Mutant.AttachJudgedLocally) && Table.Find(session) is null)
        {
            connection.OnHandshake(new HandshakeResult { Verdict = HandshakeVerdict.UnknownSession, Zxid = Table.Zxid });
            return;
        }
#endif
        Span<byte> request = stackalloc byte[StreamRequest.HeaderBytes + 20];
        BeginHandshake(connection);
        StreamRequest.WriteHeader(request, CommandKind.Attach, session, connection.Number);
        BinaryPrimitives.WriteInt32LittleEndian(request[StreamRequest.HeaderBytes..], timeoutMillis);
        var into = request[(StreamRequest.HeaderBytes + 4)..];
        into.Clear();
        if (password.Length == 16) password.CopyTo(into);
        Number(connection, CommandKind.Attach, request, default);
    }

    public void Write(SessionConnection connection, ReadOnlySpan<byte> request)
    {
        Span<byte> header = stackalloc byte[StreamRequest.HeaderBytes];
        StreamRequest.WriteHeader(header, CommandKind.Write, connection.Session, connection.Number);
        Number(connection, CommandKind.Write, header, request);
    }

    public void CloseSession(SessionConnection connection)
    {
        Span<byte> header = stackalloc byte[StreamRequest.HeaderBytes];
        StreamRequest.WriteHeader(header, CommandKind.Close, connection.Session, connection.Number);
        Number(connection, CommandKind.Close, header, default);
    }

    public long Sync(SessionConnection connection)
    {
        _syncs.Add(new SyncWait { Connection = connection, Token = ++_syncTokens, Position = -1 });
        _askSyncs = true;
#if MUTANTS
        if (Mutants.On(Mutant.SyncAnsweredLocally)) System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_syncs)[^1].Position = AppliedIndex;
#endif
        return _syncTokens;
    }

    public void Touch(SessionConnection connection)
    {
        if (connection.Session == 0) return;
        connection.TouchedIn = _reportNumber + 1;
        if (connection.InTouched) return;
        connection.InTouched = true;
        _touched.Add(connection);
    }

    public void Gone(SessionConnection connection)
    {
        if (connection.IsGone) return;
        connection.IsGone = true;
        if (connection.Session != 0 && _attached.TryGetValue(connection.Session, out var holder) && ReferenceEquals(holder, connection)) _attached.Remove(connection.Session);
        if (connection.LiveSlot < 0) return;
        var last = _live[^1];
        _live[connection.LiveSlot] = last;
        last.LiveSlot = connection.LiveSlot;
        _live.RemoveAt(_live.Count - 1);
        connection.LiveSlot = -1;
    }

    /// <summary>The core's answer to a read proposal.</summary>
    public void OnReadAnswer(long proposal, AnswerKind answer, long position)
    {
        var syncs = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_syncs);
        foreach (ref var s in syncs)
        {
            if (s.Position >= 0) continue;
            if (answer == AnswerKind.ReadAt)
            {
                // Numbers fall. Where a round takes longer than a beat's echo, the answer to the newest question alone would never be the one that comes.
                if (s.First != 0 && proposal <= s.First) s.Position = position;
            }
            else if (s.Proposal == proposal) s.Proposal = 0; // refused: asked again with a fresh number
        }
        if (answer != AnswerKind.ReadAt) _retrySyncsAt = Now.Micros + _options.BeatMicros;
        else AnswerSyncs();
    }

    private long _retrySyncsAt;

    /// <summary>Every unasked sync of the turn shares one read index (sessions.md §7.3).</summary>
    private void AskSyncs()
    {
        if (_syncs.Count == 0 || !(_askSyncs || Now.Micros >= _retrySyncsAt)) return;
        _askSyncs = false;
        _retrySyncsAt = Now.Micros + 2 * _options.BeatMicros;
        long proposal = 0;
        foreach (ref var s in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_syncs))
        {
            if (s.Position >= 0) continue;
            bool lost = s.Proposal != 0 && Now.Micros - s.AskedAt > 2 * _options.BeatMicros && (_prepare.IsOpen || _echo >= s.AskedFrame);
            if (s.Proposal != 0 && !lost) continue;
            if (proposal == 0) proposal = NextReadProposal();
            s.Proposal = proposal;
            if (s.First == 0) s.First = proposal;
            s.AskedFrame = _frame + 1;
            s.AskedAt = Now.Micros;
        }
    }

    private long NextReadProposal()
    {
        long id = -(++_readProposals); // negative: reads; positive: configurations and transfers
        _proposals.Add(new Proposal(id, ProposalKind.Read));
        return id;
    }

    private void AnswerSyncs()
    {
        int kept = 0;
        for (int i = 0; i < _syncs.Count; i++)
        {
            var s = _syncs[i];
            if (s.Connection.IsGone) continue;
            if (s.Position >= 0 && s.Position <= AppliedIndex) s.Connection.OnSynced(s.Token);
            else _syncs[kept++] = s;
        }
        _syncs.RemoveRange(kept, _syncs.Count - kept);
    }

    private void ForgetSyncs()
    {
        foreach (ref var s in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_syncs))
            if (s.Position < 0) s.Proposal = 0;
        _askSyncs = _syncs.Count > 0;
    }

    private void BeginHandshake(SessionConnection connection)
    {
        connection.Number = ++_connections;
        connection.Handshaking = true;
        connection.IsGone = false;
        connection.LiveSlot = _live.Count;
        _live.Add(connection);
    }

    private void Number(SessionConnection connection, CommandKind kind, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body)
    {
        _window.Add(kind, header, body, connection);
        connection.Unapplied++;
        if (!WindowOpen) _windowWasFull = true;
    }

    private void HangUp(SessionConnection connection, string reason)
    {
        if (connection.IsGone) return;
        Gone(connection);
        connection.HangUp(reason);
    }

    private void HangUpAll(string reason)
    {
        while (_live.Count > 0) HangUp(_live[^1], reason);
        _face.HangUpAll(reason);
    }
}
