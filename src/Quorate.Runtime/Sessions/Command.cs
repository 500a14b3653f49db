namespace Quorate.Runtime.Sessions;

/// <summary>What a log entry of the session layer says. A handshake's verdict and a write's results are in it: apply judges nothing but the fence (sessions.md §2.2).</summary>
public enum CommandKind : byte
{
    /// <summary>A new session; its id is assigned at apply.</summary>
    Open = 1,

    /// <summary>A handshake of an existing session with its verdict; consumes no zxid.</summary>
    Attach = 2,

    /// <summary>A transaction of the state machine.</summary>
    Write = 3,

    /// <summary>The session ends by its client's wish.</summary>
    Close = 4,

    /// <summary>A number of a stale or unknown attachment: "close this connection"; no zxid.</summary>
    Stale = 5,

    /// <summary>A handshake whose connection was gone when it was sent: the number counts, nothing else happens.</summary>
    Empty = 6,

    /// <summary>The leader expires a session.</summary>
    Expire = 7,

    /// <summary>The counter is nearly used up: a new epoch begins (sessions.md §3.3).</summary>
    Epoch = 8,

    /// <summary>A transaction of nobody's session (container and TTL nodes).</summary>
    Sweep = 9,
}

/// <summary>Where a session is attached: the connection of a member in one of its runs.</summary>
public readonly record struct Attachment(byte Member, ulong Run, long Connection);

/// <summary>A member's position in its numbered stream (sessions.md §4.1).</summary>
public readonly record struct StreamPosition(ulong Directory, ulong Run, long Number);

/// <summary>The envelope of every command in the log, 58 bytes, then the body of its kind.</summary>
public ref struct Command
{
    public const int HeaderBytes = 58;

    public CommandKind Kind;

    /// <summary>The term of the leader that prepared it: the fence (sessions.md §3.2).</summary>
    public ulong Term;

    /// <summary>The leader's stamp, wall millis.</summary>
    public long Stamp;

    /// <summary>The stream's member, or 0 for the leader's own (Expire, Epoch, Sweep).</summary>
    public byte Member;

    public StreamPosition Position;
    public long Session;
    public long Connection;
    public ReadOnlySpan<byte> Body;

    /// <summary>Writes the header; the caller appends the body.</summary>
    public readonly void WriteHeader(ByteWriter w)
    {
        w.Byte((byte)Kind);
        w.Byte(Member);
        w.UInt64(Term);
        w.Int64(Stamp);
        w.UInt64(Position.Directory);
        w.UInt64(Position.Run);
        w.Int64(Position.Number);
        w.Int64(Session);
        w.Int64(Connection);
    }

    /// <summary>Reads what a leader wrote; a committed entry that is no command is a broken promise.</summary>
    public static Command Read(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        var c = new Command
        {
            Kind = (CommandKind)r.Byte(),
            Member = r.Byte(),
            Term = r.UInt64(),
            Stamp = r.Int64(),
            Position = new StreamPosition(r.UInt64(), r.UInt64(), r.Int64()),
            Session = r.Int64(),
            Connection = r.Int64(),
        };
        c.Body = r.Bytes(r.Remaining);
        Invariant.That(r.Ok && c.Kind is >= CommandKind.Open and <= CommandKind.Sweep, "CommandReadable", "a committed entry is no command of the session layer");
        return c;
    }
}
