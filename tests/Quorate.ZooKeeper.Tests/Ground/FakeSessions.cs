using Quorate.Primitives.Tree;
using Quorate.Runtime.Faces;

namespace Quorate.ZooKeeper.Tests.Ground;

/// <summary>The sessions of one lonely member over a real tree: what is numbered is prepared at once and applied when the test says so (or at once).</summary>
public sealed class FakeSessions(DataTree tree) : ISessions
{
    private enum Kind { Open, Attach, Write, Close }

    private sealed record Numbered(Kind Kind, SessionConnection Connection, long Session, byte[] Body, int Timeout, byte[] Transaction, long Sequence);

    private readonly Queue<Numbered> _log = new();
    private readonly Dictionary<long, (byte[] Password, SessionConnection? Holder)> _sessions = [];
    private readonly Dictionary<SessionConnection, long> _attached = [];
    private readonly List<(SessionConnection Connection, long Token)> _syncs = [];
    private readonly ByteWriter _result = new();
    private long _sequence, _ids, _tokens;

    public IFace Face { get; set; } = null!;

    /// <summary>Applied in the call that numbers it: as early as anything can be.</summary>
    public bool AtOnce { get; set; } = true;

    public int InLog => _log.Count;
    public List<SessionConnection> Touched { get; } = [];
    public List<SessionConnection> Left { get; } = [];
    public List<long> Tokens => [.. _syncs.Select(s => s.Token)];

    public ReplicaId Self => new(1);
    public bool Serving { get; set; } = true;
    public bool Leading => true;
    public bool Alone => true;
    public bool HasRoom { get; set; } = true;
    public bool WindowOpen => _log.Count < WindowSize;
    public int WindowSize { get; set; } = int.MaxValue;
    public long LastZxid { get; set; }
    public int SessionCount => _sessions.Count;
    public int MaxRequestBytes { get; set; } = 4 * 1024 * 1024 - 1024;
    public Instant Now { get; set; } = new(1_000_000, 1_700_000_000_000);

    public void Open(SessionConnection connection, int timeoutMillis) => Number(new(Kind.Open, connection, 0, [], timeoutMillis, [], 0));

    public void Attach(SessionConnection connection, long session, ReadOnlySpan<byte> password, int timeoutMillis) =>
        Number(new(Kind.Attach, connection, session, password.ToArray(), timeoutMillis, [], 0));

    public void Write(SessionConnection connection, ReadOnlySpan<byte> request)
    {
        var transaction = new ByteWriter();
        long session = _attached[connection];
        tree.Prepare(new PrepareContext(++_sequence, session, Now.WallMillis, Limits.MaxEntryBytes), request, transaction);
        Number(new(Kind.Write, connection, session, [], 0, transaction.Written.ToArray(), _sequence));
    }

    public void CloseSession(SessionConnection connection)
    {
        tree.PrepareSessionEnd(++_sequence, _attached[connection]);
        Number(new(Kind.Close, connection, _attached[connection], [], 0, [], _sequence));
    }

    public long Sync(SessionConnection connection)
    {
        _syncs.Add((connection, ++_tokens));
        return _tokens;
    }

    public void AnswerSyncs()
    {
        var due = _syncs.ToArray();
        _syncs.Clear();
        foreach (var (connection, token) in due)
            if (!Left.Contains(connection)) connection.OnSynced(token);
    }

    /// <summary>Keeps no list of touches, for those who count bytes.</summary>
    public bool Forgetful { get; set; }

    public void Touch(SessionConnection connection)
    {
        if (!Forgetful) Touched.Add(connection);
    }

    public void Gone(SessionConnection connection)
    {
        if (!Left.Contains(connection)) Left.Add(connection);
        if (_attached.Remove(connection, out long session) && _sessions.TryGetValue(session, out var s)) _sessions[session] = (s.Password, null);
    }

    public void ApplyAll()
    {
        while (_log.Count > 0) ApplyOne();
    }

    public void ApplyOne()
    {
        var n = _log.Dequeue();
        bool waits = !Left.Contains(n.Connection);
        switch (n.Kind)
        {
            case Kind.Open:
                LastZxid++;
                long id = (1L << 56) + ++_ids;
                byte[] password = new byte[16];
                BitConverter.TryWriteBytes(password, id * 31);
                password[15] = 7;
                _sessions[id] = (password, null);
                if (waits) Welcome(n, id, password);
                break;
            case Kind.Attach:
                ApplyAttach(n, waits);
                break;
            case Kind.Write:
                if (waits) n.Connection.BeforeApply();
                _result.Clear();
                tree.Apply(new ApplyContext(++_index, LastZxid + 1, Now.WallMillis, n.Session, waits), n.Transaction, Face, _result);
                tree.ReleasePending(n.Sequence);
                LastZxid++;
                if (waits && !Left.Contains(n.Connection)) n.Connection.OnApplied(LastZxid, _result.Written);
                break;
            default:
                if (waits) n.Connection.BeforeApply();
                End(n.Session);
                if (waits && !Left.Contains(n.Connection)) n.Connection.OnApplied(LastZxid, default);
                break;
        }
        Face.WindowOpened();
    }

    private long _index;

    /// <summary>The session is over, for whatever reason.</summary>
    public void Expire(long session)
    {
        var holder = _sessions[session].Holder;
        End(session);
        holder?.HangUp("expired");
    }

    private void End(long session)
    {
        tree.ApplySessionEnd(new ApplyContext(++_index, LastZxid + 1, Now.WallMillis, session, false), session, Face);
        tree.ReleasePending(_sequence);
        LastZxid++;
        _sessions.Remove(session);
    }

    private void ApplyAttach(Numbered n, bool waits)
    {
        bool known = _sessions.TryGetValue(n.Session, out var s);
        bool right = known && s.Password.AsSpan().SequenceEqual(n.Body);
        if (right && s.Holder is { } older && !ReferenceEquals(older, n.Connection))
        {
            Gone(older);
            older.HangUp("moved");
        }
        if (!waits) return;
        if (right) Welcome(n, n.Session, s.Password);
        else n.Connection.OnHandshake(new HandshakeResult { Verdict = known ? HandshakeVerdict.WrongPassword : HandshakeVerdict.UnknownSession, Zxid = LastZxid });
    }

    private void Welcome(Numbered n, long id, byte[] password)
    {
        _sessions[id] = (password, n.Connection);
        _attached[n.Connection] = id;
        n.Connection.OnHandshake(new HandshakeResult { Verdict = HandshakeVerdict.Attached, Session = id, Password = password, TimeoutMillis = n.Timeout, Zxid = LastZxid });
    }

    private void Number(Numbered n)
    {
        _log.Enqueue(n);
        if (AtOnce) ApplyAll();
    }
}
