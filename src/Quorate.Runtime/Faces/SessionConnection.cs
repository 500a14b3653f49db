namespace Quorate.Runtime.Faces;

public enum HandshakeVerdict : byte
{
    /// <summary>The session is attached to this connection.</summary>
    Attached,

    /// <summary>No such session (expired, closed, never was).</summary>
    UnknownSession,
    WrongPassword,
}

/// <summary>What the log says of a handshake (sessions.md §5.2).</summary>
public readonly ref struct HandshakeResult
{
    public HandshakeVerdict Verdict { get; init; }
    public long Session { get; init; }
    public ReadOnlySpan<byte> Password { get; init; }
    public int TimeoutMillis { get; init; }

    /// <summary>The last zxid applied here when the handshake was.</summary>
    public long Zxid { get; init; }
}

/// <summary>
/// A client's connection as the sessions see it; a face derives its own from it. Everything happens on the strand, inside a turn.
/// The host calls these in log order; the face keeps the connection's queue (sessions.md §7).
/// </summary>
public abstract class SessionConnection
{
    /// <summary>Names the connection within this member's run; what the attachment records.</summary>
    public long Number { get; internal set; }

    /// <summary>The session that is attached here, or 0.</summary>
    public long Session { get; internal set; }

    /// <summary>The negotiated time-out of the attached session.</summary>
    public int TimeoutMillis { get; internal set; }

    /// <summary>An Attach or open is under way.</summary>
    public bool Handshaking { get; internal set; }

    /// <summary>Numbered requests of this connection that are not applied here yet.</summary>
    public int Unapplied { get; internal set; }

    /// <summary>The report that carries its newest touch; it is repeated until a beat echoes one that carried it (sessions.md §6.1).</summary>
    internal long TouchedIn;

    internal bool InTouched;
    internal bool IsGone;
    internal int LiveSlot = -1;

    /// <summary>The answer to <see cref="ISessions.Open"/> or <see cref="ISessions.Attach"/>, from the log.</summary>
    public abstract void OnHandshake(in HandshakeResult result);

    /// <summary>The oldest unapplied write of this connection is about to be applied: answer the reads and syncs parked in front of it now (sessions.md §7.2).</summary>
    public abstract void BeforeApply();

    /// <summary>The oldest unapplied write of this connection was applied; its events were already given to the face. For a close the result is empty and the session is gone.</summary>
    public abstract void OnApplied(long zxid, ReadOnlySpan<byte> result);

    /// <summary>The position that <see cref="ISessions.Sync"/> asked for is applied.</summary>
    public abstract void OnSynced(long token);

    /// <summary>Close the client's connection at once, without a reply: moved elsewhere, cut off, expired, stale.</summary>
    public abstract void HangUp(string reason);
}

/// <summary>What a face may ask of the member's sessions. On the strand only.</summary>
public interface ISessions
{
    ReplicaId Self { get; }

    /// <summary>This member may serve clients now (sessions.md §6.2). While false: no handshake is begun, and every connection has been hung up.</summary>
    bool Serving { get; }

    /// <summary>This member leads and its prepare is open.</summary>
    bool Leading { get; }

    /// <summary>One voter in the configuration: "standalone" in ZooKeeper's words.</summary>
    bool Alone { get; }

    /// <summary>False while beats carry LogSpace low: open, create, setData, setACL and multi are answered with an error and get no number (sessions.md §4.4).</summary>
    bool HasRoom { get; }

    /// <summary>False while the stream's window is full: a write that is next stays unread (sessions.md §7.2).</summary>
    bool WindowOpen { get; }

    /// <summary>The last zxid applied here.</summary>
    long LastZxid { get; }

    /// <summary>Sessions known to the state.</summary>
    int SessionCount { get; }

    /// <summary>The largest request that gets a number; a larger one is answered with an error.</summary>
    int MaxRequestBytes { get; }

    Instant Now { get; }

    /// <summary>Begins a new session; OnHandshake follows, or HangUp.</summary>
    void Open(SessionConnection connection, int timeoutMillis);

    /// <summary>Attaches an existing one; OnHandshake follows, or HangUp.</summary>
    void Attach(SessionConnection connection, long session, ReadOnlySpan<byte> password, int timeoutMillis);

    /// <summary>Numbers and forwards a write, a request of the state machine's own format; OnApplied follows in order. Call only while WindowOpen.</summary>
    void Write(SessionConnection connection, ReadOnlySpan<byte> request);

    /// <summary>Numbers and forwards the end of the session; OnApplied with an empty result follows.</summary>
    void CloseSession(SessionConnection connection);

    /// <summary>Asks for a read index; OnSynced(token) follows when it is applied. Returns the token.</summary>
    long Sync(SessionConnection connection);

    /// <summary>A request of this connection was read (sessions.md §6.1).</summary>
    void Touch(SessionConnection connection);

    /// <summary>The client's connection is gone; nothing more is called on it.</summary>
    void Gone(SessionConnection connection);
}

/// <summary>A protocol's face for clients over one partition: created with the partition's state machine and its sessions.</summary>
public interface IFace : IApplySink
{
    /// <summary>Names the owner of a new client connection, or null to close it.</summary>
    IConnectionOwner? Accept(Connection connection);

    /// <summary>Hang every client connection up, those without a session too.</summary>
    void HangUpAll(string reason);

    /// <summary>Timers of the face; called each turn.</summary>
    void Pump(Instant now);

    /// <summary>Monotone micros of its next deadline.</summary>
    long NextWake { get; }

    /// <summary>A message was applied or the window opened: connections that waited for room may go on.</summary>
    void WindowOpened();
}
