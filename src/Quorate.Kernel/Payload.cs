namespace Quorate.Kernel;

/// <summary>
/// Opaque bytes of a command: an immutable slice of a chunk, its length, and the CRC-32C that was made where it entered the cluster.
/// Never read by a core and never pooled, so that a fork of a core may share it (DESIGN §3, Bytes stay opaque).
/// </summary>
public readonly struct Payload(byte[] chunk, int offset, int length, uint checksum)
{
    public static Payload Empty { get; } = new([], 0, 0, 0);

    public byte[] Chunk { get; } = chunk;
    public int Offset { get; } = offset;
    public int Length { get; } = length;
    public uint Checksum { get; } = checksum;

    public ReadOnlySpan<byte> Span => Chunk.AsSpan(Offset, Length);

    /// <summary>Takes the bytes as they stand, without a copy; the caller must never change them again.</summary>
    public static Payload Of(byte[] bytes) => new(bytes, 0, bytes.Length, Crc32C.Of(bytes));
}

/// <summary>What a log entry is to the host.</summary>
public enum EntryKind : byte
{
    /// <summary>A command of the session layer.</summary>
    Command = 1,

    /// <summary>"Term opened": the first entry of a leader's term (sessions.md §3.1). Its payload is one byte: 1 when it raises the epoch, else 0 (§3.3).</summary>
    TermOpened = 2,

    /// <summary>A <see cref="ClusterConfiguration"/>.</summary>
    Configuration = 3,
}

/// <summary>One log entry: what it is, and its bytes.</summary>
public readonly record struct Entry(EntryKind Kind, Payload Payload);
