namespace Quorate.Kernel;

/// <summary>
/// A protocol: (state, input) to (state, outbox), nothing else (DESIGN §3). It knows no clock, socket, disk, thread or unseeded chance; the same inputs give the same outbox, byte for byte.
/// Only the replica host calls it, from one strand. Every step writes what it wants into the given outbox; the host empties that between steps as it likes.
/// </summary>
public interface IProtocolCore
{
    /// <summary>Once, first. Arms the timers.</summary>
    void Start(Instant now, Recovered recovered, Outbox outbox);

    /// <summary>A message of a peer, or of the host (<see cref="HostMessage"/>).</summary>
    void Receive(Instant now, Sender from, ProtocolMessage message, Outbox outbox);

    /// <summary>A batch of proposals, in order.</summary>
    void Propose(Instant now, ReadOnlySpan<Proposal> proposals, Outbox outbox);

    /// <summary>Every write up to this ticket survived. Always a later input than the Persist.</summary>
    void Durable(Instant now, Ticket upTo, Outbox outbox);

    /// <summary>The deadline that <see cref="NextWake"/> named has come.</summary>
    void Wake(Instant now, Outbox outbox);

    /// <summary>Monotone micros of the next deadline; <see cref="Instant.Never"/> for none. A timer is a field.</summary>
    long NextWake { get; }

    /// <summary>What it offers now.</summary>
    Standing StandingAt(Instant now);

    /// <summary>The latest configuration in its log.</summary>
    ClusterConfiguration Configuration { get; }

    /// <summary>A deep copy that shares only immutable bytes.</summary>
    IProtocolCore Fork();

    /// <summary>Adds the canonical state (DESIGN §3, Copies and prints).</summary>
    void AddTo(ref Fingerprint print, Instant now, Ticket durable);

    /// <summary>Throws <see cref="InvariantException"/> when a local promise is broken; called after every step in simulation and debug builds.</summary>
    void CheckInvariants();
}

/// <summary>Bytes of a protocol's messages.</summary>
public interface IProtocolCodec
{
    /// <summary>
    /// Appends the message. Ranges of log entries are copied from <paramref name="entries"/>. Gone: the host tells the core Undelivered. Later: what was appended is worth nothing, and the host encodes the message again
    /// when its range (<see cref="ProtocolMessage.Range"/>) was read.
    /// </summary>
    EntryRead Encode(ProtocolMessage message, IEntrySource entries, ByteWriter into);

    /// <summary>Null when the bytes are no message of this protocol. Payload bytes are copied into <paramref name="chunks"/>; <paramref name="body"/> is the received body for a <see cref="BodyMessage"/>.</summary>
    ProtocolMessage? Decode(ReadOnlySpan<byte> bytes, PayloadChunks chunks, BodyHandle body);
}

/// <summary>One entry as the journal holds it; the span is valid until the next call on its source.</summary>
public ref struct EntryView
{
    public long Index;
    public ulong Term;
    public EntryKind Kind;
    public uint Checksum;
    public ReadOnlySpan<byte> Payload;
}

/// <summary>What became of asking for an entry.</summary>
public enum EntryRead : byte
{
    /// <summary>It is not in the log any more, or cannot be read whole.</summary>
    Gone,

    /// <summary>Its bytes stand on the disk only; whoever serves does not wait for a disk (DESIGN §4).</summary>
    Later,
    Here,
}

/// <summary>Where the bytes of log entries are read: the journal's recent bytes, or what was read of its segments.</summary>
public interface IEntrySource
{
    EntryRead Read(long index, out EntryView entry);
}
