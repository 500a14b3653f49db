using System.Buffers.Binary;

namespace Quorate.Transport;

/// <summary>What a frame between members carries.</summary>
public enum FrameKind : byte
{
    /// <summary>Messages of protocol cores.</summary>
    Protocol = 1,

    /// <summary>Numbered streams, touches, verdicts (sessions.md §4, §6).</summary>
    Session = 2,

    /// <summary>Offers and lists before a cluster exists (storage.md §6.2).</summary>
    Formation = 3,

    // The mesh's own from here on: nobody else may begin one.
    Ping = 4,
    Pong = 5,
    Bulk = 6,
    BulkConfirm = 7,
    Hello = 8,
    Welcome = 9,
    Refusal = 10,
}

internal enum FrameVerdict
{
    Whole,
    Unfinished,
    BadLength,
    BadChecksum,
}

/// <summary>
/// A frame: length (4) of what follows the checksum, CRC-32C (4) over that, kind (1), body. Little-endian. The length is judged before anything is believed or allocated.
/// </summary>
internal static class Frame
{
    /// <summary>Length and checksum.</summary>
    public const int HeaderBytes = 8;

    /// <summary>Reads the frame at the front; <paramref name="limit"/> bounds it whole, header included.</summary>
    public static FrameVerdict Read(ReadOnlySpan<byte> bytes, int limit, out FrameKind kind, out ReadOnlySpan<byte> body, out int size)
    {
        kind = default;
        body = default;
        size = 0;
        if (bytes.Length < 4) return FrameVerdict.Unfinished;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (length == 0 || length > (uint)(limit - HeaderBytes)) return FrameVerdict.BadLength;
        size = HeaderBytes + (int)length;
        if (bytes.Length < size) return FrameVerdict.Unfinished;
        var content = bytes[HeaderBytes..size];
        if (Crc32C.Of(content) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..])) return FrameVerdict.BadChecksum;
        kind = (FrameKind)content[0];
        body = content[1..];
        return FrameVerdict.Whole;
    }

    /// <summary>Leaves room for the header and writes the kind. Returns where the frame starts.</summary>
    public static int Begin(ByteWriter into, FrameKind kind)
    {
        int start = into.Length;
        into.Take(HeaderBytes);
        into.Byte((byte)kind);
        return start;
    }

    /// <summary>Writes length and checksum of the frame that began at <paramref name="start"/> and ends here.</summary>
    public static void End(ByteWriter into, int start)
    {
        int length = into.Length - start - HeaderBytes;
        Invariant.That(length is > 0 and <= Limits.MaxFrameBytes - HeaderBytes, "FrameFits", $"a frame of {length} bytes");
        into.PatchInt32(start, length);
        into.PatchUInt32(start + 4, Crc32C.Of(into.Written[(start + HeaderBytes)..]));
    }
}
