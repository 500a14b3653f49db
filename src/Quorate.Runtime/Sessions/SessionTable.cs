using System.Buffers.Binary;

namespace Quorate.Runtime.Sessions;

/// <summary>One session as the log knows it.</summary>
public sealed class Session
{
    public required long Id { get; init; }
    public required UInt128 Password { get; init; }
    /// <summary>Changed by <see cref="SessionTable.Attach"/>, which keeps the digest.</summary>
    public int TimeoutMillis { get; internal set; }

    public Attachment Attached { get; internal set; }

    /// <summary>When this leader last heard of it, on its clock for judging others; not replicated.</summary>
    internal long TouchedAt;

    internal int Slot;
}

/// <summary>
/// What is replicated beside the state machine (sessions.md §1): sessions with their attachments, stream positions, the last opened term, epoch and counter of zxids, log time. Changed by apply only.
/// </summary>
public sealed class SessionTable
{
    private readonly Dictionary<long, Session> _byId = [];
    private readonly List<Session> _sessions = [];
    private readonly StreamPosition[] _positions = new StreamPosition[256];
    private ulong _prints; // of all sessions, kept with each change: a snapshot of 100,000 begins in one turn

    /// <summary>The last term that the log opened: the fence.</summary>
    public ulong OpenedTerm { get; private set; }

    public uint Epoch { get; private set; }
    public uint Counter { get; private set; }
    public long LogTimeMillis { get; private set; }
    public long SessionCounter { get; private set; }

    /// <summary>The last zxid assigned.</summary>
    public long Zxid => ((long)Epoch << 32) | Counter;

    /// <summary>In an order that only depends on this replica's history; sort before showing.</summary>
    public IReadOnlyList<Session> Sessions => _sessions;

    public Session? Find(long id) => _byId.GetValueOrDefault(id);

    public StreamPosition PositionOf(byte member) => _positions[member];

    /// <summary>"Term opened" (sessions.md §3.1, §3.3): the epoch rises when the record itself says so; the fence's term is set in either case.</summary>
    public void OpenTerm(ulong term, bool raisesEpoch)
    {
        OpenedTerm = term;
        if (!raisesEpoch) return;
        Epoch = (uint)Math.Max(term, Epoch + 1UL);
        Counter = 0;
    }

    public void RaiseEpoch()
    {
        Epoch++;
        Counter = 0;
    }

    public long NextZxid()
    {
        Counter++;
        return Zxid;
    }

    /// <summary>Log time = max(last log time, stamp) (sessions.md §3.4).</summary>
    public void Stamp(long stamp) => LogTimeMillis = Math.Max(LogTimeMillis, stamp);

    public void Advance(byte member, in StreamPosition position) => _positions[member] = position;

    /// <summary>The member in the top byte, the counter assigned at apply below it.</summary>
    public static long IdOf(byte member, long counter) => ((long)member << 56) | counter;

    public Session Add(byte member, int timeoutMillis, UInt128 password, in Attachment attachment)
    {
        long id = IdOf(member, ++SessionCounter);
        return Insert(new Session { Id = id, Password = password, TimeoutMillis = timeoutMillis, Attached = attachment });
    }

    /// <summary>The session is attached to another connection, with its time-out.</summary>
    public void Attach(Session session, in Attachment attachment, int timeoutMillis)
    {
        _prints -= PrintOf(session);
        session.Attached = attachment;
        session.TimeoutMillis = timeoutMillis;
        _prints += PrintOf(session);
    }

    public void Remove(Session session)
    {
        _prints -= PrintOf(session);
        _byId.Remove(session.Id);
        var last = _sessions[^1];
        _sessions[session.Slot] = last;
        last.Slot = session.Slot;
        _sessions.RemoveAt(_sessions.Count - 1);
    }

    public ulong Digest
    {
        get
        {
            var rest = new Fingerprint();
            rest.Add(OpenedTerm);
            rest.Add((ulong)Zxid);
            rest.Add(LogTimeMillis);
            rest.Add(SessionCounter);
            for (int m = 0; m < _positions.Length; m++)
            {
                if (_positions[m] == default) continue;
                rest.Add((ulong)m);
                rest.Add(_positions[m].Directory);
                rest.Add(_positions[m].Run);
                rest.Add(_positions[m].Number);
            }
            return _prints + rest.Value;
        }
    }

    /// <summary>The whole table, as of now, sessions in any order: it is no row and is copied in the first slice (storage.md §4.1).</summary>
    public void WriteTo(ByteWriter w)
    {
        w.UInt64(OpenedTerm);
        w.UInt32(Epoch);
        w.UInt32(Counter);
        w.Int64(LogTimeMillis);
        w.Int64(SessionCounter);
        for (int m = 0; m < _positions.Length; m++)
        {
            if (_positions[m] == default) continue;
            w.Byte((byte)m);
            w.UInt64(_positions[m].Directory);
            w.UInt64(_positions[m].Run);
            w.Int64(_positions[m].Number);
        }
        w.Byte(0);
        w.Int32(_sessions.Count);
        foreach (var s in _sessions) Write(s, w.Take(SessionBytes));
    }

    private const int SessionBytes = 45;

    private static void Write(Session s, Span<byte> into)
    {
        BinaryPrimitives.WriteInt64LittleEndian(into, s.Id);
        BinaryPrimitives.WriteUInt128LittleEndian(into[8..], s.Password);
        BinaryPrimitives.WriteInt32LittleEndian(into[24..], s.TimeoutMillis);
        into[28] = s.Attached.Member;
        BinaryPrimitives.WriteUInt64LittleEndian(into[29..], s.Attached.Run);
        BinaryPrimitives.WriteInt64LittleEndian(into[37..], s.Attached.Connection);
    }

    /// <summary>Replaces everything; false when the bytes are no table.</summary>
    public bool ReadFrom(ReadOnlySpan<byte> bytes)
    {
        _byId.Clear();
        _sessions.Clear();
        Array.Clear(_positions);
        var r = new ByteReader(bytes);
        OpenedTerm = r.UInt64();
        Epoch = r.UInt32();
        Counter = r.UInt32();
        LogTimeMillis = r.Int64();
        SessionCounter = r.Int64();
        for (byte m = r.Byte(); m != 0 && r.Ok; m = r.Byte()) _positions[m] = new StreamPosition(r.UInt64(), r.UInt64(), r.Int64());
        _prints = 0;
        int count = r.Count(SessionBytes);
        for (int i = 0; i < count; i++)
        {
            long id = r.Int64();
            ulong low = r.UInt64(), high = r.UInt64();
            int timeout = r.Int32();
            Insert(new Session { Id = id, Password = new UInt128(high, low), TimeoutMillis = timeout, Attached = new Attachment(r.Byte(), r.UInt64(), r.Int64()) });
        }
        return r.Ok && r.AtEnd;
    }

    private Session Insert(Session session)
    {
        session.Slot = _sessions.Count;
        _sessions.Add(session);
        _byId.Add(session.Id, session);
        _prints += PrintOf(session);
        return session;
    }

    private static ulong PrintOf(Session s)
    {
        var print = new Fingerprint();
        print.Add(s.Id);
        print.Add((ulong)s.Password);
        print.Add((ulong)(s.Password >> 64));
        print.Add((long)s.TimeoutMillis);
        print.Add((ulong)s.Attached.Member);
        print.Add(s.Attached.Run);
        print.Add(s.Attached.Connection);
        return print.Value;
    }
}
