namespace Quorate.Simulation.Network;

/// <summary>One end of a simulated connection, as a member or a client holds it.</summary>
public sealed class SimConnection : Connection
{
    private bool _reading = true;

    internal SimConnection(SimNetwork home) => Home = home;

    internal SimNetwork Home { get; }
    internal Pipe? Out { get; set; }
    internal Pipe? In { get; set; }
    internal ByteWriter Unread { get; } = new();

    /// <summary>Bytes of <see cref="Unread"/> that the door has not taken from the kernel yet: they fill TCP's window.</summary>
    internal int InKernel { get; set; }

    internal bool Over { get; set; }

    /// <summary>The handshake of the connection itself is done; a dialler's bytes wait for it.</summary>
    internal bool Stands { get; set; }

    // News for the owner, told in its next turn.
    internal bool Marked, Connected, NewBytes, Asked, Flushed, Closing;
    internal string? Ended;

    public override bool Reading
    {
        get => _reading;
        set
        {
            if (value && !_reading && (Unread.Length > 0 || Ended is not null))
            {
                NewBytes |= Unread.Length > 0;
                Home.Mark(this);
            }
            _reading = value;
        }
    }

    public override void Flush()
    {
        if (Over || Flushed) return;
        Flushed = true;
        Home.MarkFlush(this);
    }

    public override void Again()
    {
        Asked = true;
        Home.Mark(this);
    }

    public override void Close()
    {
        if (Over || Closing) return;
        Closing = true;
        Flush();
    }

    public override void Abort()
    {
        if (Over) return;
        Over = true;
        Output.Release();
        Out?.Finish("connection reset by peer");
    }
}
