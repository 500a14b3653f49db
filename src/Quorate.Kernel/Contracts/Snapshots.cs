namespace Quorate.Kernel;

/// <summary>Which snapshot: the position that it stands at, and the digest of the state in it.</summary>
public readonly record struct SnapshotIdentity(long Index, ulong Term, ulong Digest)
{
    public bool IsNone => Index == 0;
}

/// <summary>A handle to a body that is larger than a frame: a stored or received snapshot. The transport streams it beneath everything urgent.</summary>
/// <param name="Snapshot">What it holds.</param>
/// <param name="Token">Names the file at the replica that holds the handle; never travels.</param>
/// <param name="Bytes">The body's length.</param>
public readonly record struct BodyHandle(SnapshotIdentity Snapshot, long Token, long Bytes);

/// <summary>A protocol message that brings a body along. At the sender <see cref="Body"/> names what to stream; at the receiver the message is handed over only when the body is whole, synced and read back (storage.md §4.4).</summary>
public abstract class BodyMessage(BodyHandle body) : ProtocolMessage
{
    public BodyHandle Body { get; } = body;
}
