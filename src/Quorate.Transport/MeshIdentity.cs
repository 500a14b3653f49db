namespace Quorate.Transport;

/// <summary>Who this member is, as its handshakes say (DESIGN §3, three words: directory, run, link).</summary>
/// <param name="Self">The member's id.</param>
/// <param name="Directory">The random id of its data directory.</param>
/// <param name="Run">How often it was started on that directory.</param>
/// <param name="ClusterId">The cluster that it was formed into, 0 before.</param>
/// <param name="FormatNumber">The newest format that it speaks (storage.md §7).</param>
/// <param name="Address">Where others dial it; told in the handshake, for notes only.</param>
/// <param name="Http">Where its operators ask it; empty when nowhere. Told to every peer.</param>
public sealed record MeshIdentity(ReplicaId Self, ulong Directory, ulong Run, ulong ClusterId, ushort FormatNumber = 1, string Address = "", string Http = "");

/// <summary>Hears what the mesh receives. On the strand, inside a turn; spans are valid during the call only.</summary>
public interface IMeshHandler
{
    /// <summary>Our link to this peer stands (frames may be begun), or stands still after <see cref="OnLinkDown"/> because only its incoming half had broken.</summary>
    /// <param name="peer">The other end.</param>
    /// <param name="directory">The peer's directory.</param>
    /// <param name="run">The peer's run.</param>
    /// <param name="link">The number of our link in our own run; what the peer sees as <see cref="Sender.Link"/>.</param>
    void OnLinkUp(ReplicaId peer, ulong directory, ulong run, long link);

    /// <summary>Either direction broke: a hint, never a proof.</summary>
    void OnLinkDown(ReplicaId peer);

    /// <summary>A whole, checksummed frame of kind Protocol, Session, Formation, or one that a later format added.</summary>
    void OnFrame(Sender from, FrameKind kind, ReadOnlySpan<byte> body);

    /// <summary>A body begins; one at a time a sender.</summary>
    void OnBulkBegin(Sender from, ReadOnlySpan<byte> header, long length);

    /// <summary>The next bytes of it, in order.</summary>
    void OnBulkBytes(Sender from, ReadOnlySpan<byte> bytes);

    /// <summary>It ended: whole, or broken off (drop what came).</summary>
    void OnBulkEnd(Sender from, bool whole);

    /// <summary>Bytes of bodies of this sender that still wait for the disk: over a limit, the sender is held back.</summary>
    long BulkBacklog(ReplicaId from) => 0;

    /// <summary>A handshake was refused, by us or by the other end; said once a peer and reason.</summary>
    void OnRefused(ReplicaId peer, string reason);
}

/// <summary>A body that is larger than a frame, as its sender offers it.</summary>
public interface IBulkSource
{
    /// <summary>Tells the receiver what it is; at most 64 KiB.</summary>
    ReadOnlySpan<byte> Header { get; }

    long Length { get; }

    /// <summary>Reads up to the span's length. 0: they are not here yet, and it is asked again, at the latest after a while, at once when the owner's pump comes. Less before the end breaks the body off.</summary>
    int Read(long offset, Span<byte> into);

    /// <summary>Once, at its end: confirmed by the receiver as whole, or not known to be.</summary>
    void Done(bool delivered);
}
