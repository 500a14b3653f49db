using System.Buffers.Binary;

namespace Quorate.Runtime.Sessions;

/// <summary>A numbered request as it travels from a member to the leader: kind, session, connection, body.</summary>
public ref struct StreamRequest
{
    public const int HeaderBytes = 17;

    public CommandKind Kind;
    public long Session;
    public long Connection;

    /// <summary>Open: time-out, password. Attach: time-out, password. Write: the machine's request. Else empty.</summary>
    public ReadOnlySpan<byte> Body;

    public static void WriteHeader(Span<byte> into, CommandKind kind, long session, long connection)
    {
        into[0] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(into[1..], session);
        BinaryPrimitives.WriteInt64LittleEndian(into[9..], connection);
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out StreamRequest request)
    {
        var r = new ByteReader(bytes);
        request = new StreamRequest { Kind = (CommandKind)r.Byte(), Session = r.Int64(), Connection = r.Int64() };
        request.Body = r.Bytes(r.Remaining);
        return r.Ok && request.Kind is CommandKind.Open or CommandKind.Attach or CommandKind.Write or CommandKind.Close or CommandKind.Empty;
    }
}
