namespace Quorate.Transport;

/// <summary>The connection that we dialled: it carries all our frames to one peer and, from it, the answer to our greeting and nothing else.</summary>
internal sealed class OutgoingLink(Mesh mesh, Peer peer, long number, long deadline) : IConnectionOwner
{
    public readonly Peer Peer = peer;

    /// <summary>Counted in our run; the peer hands it over with every frame.</summary>
    public readonly long Number = number;

    /// <summary>When the dial is given up, while it does not stand.</summary>
    public readonly long Deadline = deadline;

    public Connection? Connection;
    public LinkStage Stage = LinkStage.Connecting;

    /// <summary>The peer's, as it answered.</summary>
    public ulong Directory, Run;

    /// <summary>Where the open frame starts in the connection's output, or -1.</summary>
    public int FrameStart = -1;

    public void OnConnected(Connection connection)
    {
        if (Stage != LinkStage.Connecting) return;
        Stage = LinkStage.Greeting;
        mesh.Greet(this, connection);
    }

    public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
    {
        if (Stage != LinkStage.Greeting)
        {
            if (Stage == LinkStage.Standing) mesh.BreakOutgoing(this, "sent something on a link that only we write to");
            return bytes.Length;
        }
        switch (Frame.Read(bytes, LinkLimits.MaxGreetingBytes, out var kind, out var body, out int size))
        {
            case FrameVerdict.Unfinished:
                return 0;
            case FrameVerdict.Whole when kind == FrameKind.Welcome:
                mesh.Welcomed(this, body);
                return size;
            case FrameVerdict.Whole when kind == FrameKind.Refusal:
                mesh.RefusedByPeer(this, body);
                return size;
            default:
                mesh.BreakOutgoing(this, "answered our greeting with bytes that are not a member's");
                return bytes.Length;
        }
    }

    public void OnClosed(Connection connection, string reason)
    {
        if (Stage != LinkStage.Closed) mesh.OutgoingClosed(this);
    }
}
