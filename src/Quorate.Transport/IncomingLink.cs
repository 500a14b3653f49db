namespace Quorate.Transport;

/// <summary>A connection that dialled us: a stranger until its greeting was accepted, then the one that carries all frames of its peer.</summary>
internal sealed class IncomingLink(Mesh mesh, Connection connection) : IConnectionOwner
{
    public readonly Connection Connection = connection;
    public LinkStage Stage = LinkStage.Greeting;

    /// <summary>Null before the greeting was accepted.</summary>
    public Peer? Peer;
    public Sender Sender;
    public ulong Run;

    /// <summary>For a stranger: when it is closed; set by the first pump that sees it.</summary>
    public long Deadline = Instant.Never;

    /// <summary>A frame came since the last pump; when the last one did.</summary>
    public bool Heard;
    public long HeardAt;

    public void OnConnected(Connection connection) { }

    public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
    {
        int consumed = 0;
        while (Stage != LinkStage.Closed)
        {
            bool standing = Stage == LinkStage.Standing;
            var verdict = Frame.Read(bytes[consumed..], standing ? Limits.MaxFrameBytes : LinkLimits.MaxGreetingBytes, out var kind, out var body, out int size);
            if (verdict == FrameVerdict.Unfinished) return consumed;
            if (verdict != FrameVerdict.Whole)
            {
                mesh.BreakIncoming(this, Complaint(verdict, standing));
                break;
            }
            consumed += size;
            if (standing) mesh.Deliver(this, kind, body);
            else if (kind == FrameKind.Hello) mesh.Greeted(this, body);
            else mesh.BreakIncoming(this, "began with a frame that is no greeting");
        }
        return bytes.Length;
    }

    public void OnClosed(Connection connection, string reason)
    {
        if (Stage != LinkStage.Closed) mesh.IncomingClosed(this);
    }

    private static string Complaint(FrameVerdict verdict, bool standing) => (verdict, standing) switch
    {
        (FrameVerdict.BadLength, true) => "sent a frame of an impossible length; the link is closed",
        (_, true) => "sent a frame whose checksum does not fit; the link is closed",
        _ => "connected to our members' port with bytes that are not a member's; closed",
    };
}
