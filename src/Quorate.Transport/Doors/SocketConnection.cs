namespace Quorate.Transport.Doors;

/// <summary>
/// What both kinds of socket share: the bytes of an unfinished frame, the bytes not yet sent, and closing. While idle it holds no buffer (the read buffer is the strand's; what was grown for traffic is let go by the network's sweep).
/// </summary>
internal abstract class SocketConnection(SocketNetwork network) : Connection
{
    /// <summary>What a call on the socket says beside a number of bytes.</summary>
    public const int WouldBlock = -1, Failed = -2;

    /// <summary>Up to so many unconsumed bytes are copied before the next read; above, the read goes behind them in their own buffer, so that a large frame is not copied at every turn.</summary>
    private const int CopiedBytes = 4096;

    private readonly SocketNetwork _network = network;
    private ByteWriter? _held;
    private int _sent, _peak;
    private bool _dirty, _active, _reading = true;

    public bool Connecting, Closing, Closed, AgainAsked, WantsWrite, InterestMarked;

    /// <summary>Sweeps that a closing connection has outlived.</summary>
    public int ClosingSweeps;

    /// <summary>Why it broke, until the owner is told.</summary>
    public string? Broken;

    public override int Unsent => Output.Length - _sent;

    public override bool Reading
    {
        get => _reading;
        set
        {
            if (_reading == value) return;
            _reading = value;
            if (value && _held is { Length: > 0 }) Again();
            _network.MarkInterest(this);
        }
    }

    /// <summary>Reads once without waiting: a count, 0 at the end of the stream, WouldBlock or Failed.</summary>
    protected abstract int Receive(Span<byte> into);

    /// <summary>Sends once without waiting: a count, WouldBlock or Failed.</summary>
    protected abstract int Send(ReadOnlySpan<byte> bytes);

    /// <summary>The words for the last Failed.</summary>
    protected abstract string FailureText { get; }

    /// <summary>Lets the socket go; with <paramref name="orderly"/>, what was sent still arrives.</summary>
    protected abstract void CloseSocket(bool orderly);

    /// <summary>Tells the poll set what to wait for.</summary>
    public abstract void ApplyInterest();

    public override void Flush()
    {
        if (_dirty || Closed) return;
        _dirty = true;
        _network.MarkDirty(this);
    }

    public override void Again()
    {
        if (AgainAsked || Closed) return;
        AgainAsked = true;
        _network.MarkAgain(this);
    }

    public override void Close()
    {
        if (Closed || Closing) return;
        Closing = true;
        Owner = null;
        _held = null;
        Flush();
        _network.MarkInterest(this);
    }

    public override void Abort()
    {
        if (Closed) return;
        Owner = null;
        Shut(false);
    }

    /// <summary>The socket has something, or its end. One read a turn; none while the owner has not worked off what it has.</summary>
    public void ReadReady(byte[] buffer)
    {
        if (Closed || Closing || AgainAsked || !_reading) return;
        int kept = _held?.Length ?? 0, read;
        _active = true;
        if (kept <= CopiedBytes)
        {
            read = Receive(buffer.AsSpan(kept));
            if (read > 0)
            {
                if (kept > 0)
                {
                    _held!.Written.CopyTo(buffer);
                    _held.Clear();
                }
                Deliver(buffer.AsSpan(0, kept + read));
                return;
            }
        }
        else
        {
            var held = _held!;
            held.Ensure(SocketNetwork.ReadBytes / 4);
            read = Receive(held.Array.AsSpan(held.Length));
            if (read > 0)
            {
                held.Length += read;
                DeliverHeld();
                return;
            }
        }
        if (read == WouldBlock) return;
        Break(read == 0 ? "the other end closed" : FailureText);
    }

    /// <summary>The owner asked again for what it left.</summary>
    public void DeliverHeld()
    {
        var held = _held;
        if (held == null)
        {
            Deliver([]);
            return;
        }
        int consumed = Owner?.OnBytes(this, held.Written) ?? held.Length;
        if (ReferenceEquals(held, _held)) held.Consume(consumed);
    }

    private void Deliver(ReadOnlySpan<byte> bytes)
    {
        int consumed = Owner?.OnBytes(this, bytes) ?? bytes.Length;
        if (consumed == bytes.Length || Closed || Closing) return;
        (_held ??= new ByteWriter()).Bytes(bytes[consumed..]);
    }

    /// <summary>One send; what is left waits until the socket takes more.</summary>
    public void SendNow()
    {
        _dirty = false;
        if (Closed || Connecting || WantsWrite || Broken != null) return;
        int unsent = Output.Length - _sent;
        if (unsent > 0)
        {
            _active = true;
            _peak = Math.Max(_peak, Output.Length);
            int sent = Send(Output.Written[_sent..]);
            if (sent == Failed)
            {
                Break(FailureText);
                return;
            }
            if (sent > 0) _sent += sent;
            if (_sent < Output.Length)
            {
                // Moving the rest to the front only when it is the smaller half keeps the cost of a long queue linear.
                if (_sent > Output.Length / 2)
                {
                    Output.Consume(_sent);
                    _sent = 0;
                }
                WantsWrite = true;
                _network.MarkInterest(this);
                return;
            }
            Output.Clear();
            _sent = 0;
        }
        if (Closing) Shut(true);
    }

    /// <summary>The socket takes more.</summary>
    public void WriteReady()
    {
        if (!WantsWrite) return;
        WantsWrite = false;
        _network.MarkInterest(this);
        SendNow();
    }

    /// <summary>A dial succeeded.</summary>
    public void ConnectedNow()
    {
        Connecting = false;
        _network.MarkInterest(this);
        Owner?.OnConnected(this);
        if (Output.Length > 0 || Closing) Flush();
    }

    /// <summary>It broke; the owner hears of it in the read phase of a turn, never from inside its own flush.</summary>
    public void Break(string reason)
    {
        if (Closed || Broken != null) return;
        Broken = reason;
        _network.MarkBroken(this);
    }

    public void TellBroken()
    {
        if (Closed) return;
        var owner = Owner;
        Owner = null;
        Shut(false);
        owner?.OnClosed(this, Broken!);
    }

    /// <summary>Lets go of buffers that recent traffic does not explain. True when it holds any still.</summary>
    public bool Sweep()
    {
        int capacity = Output.Capacity;
        if (capacity > 0 && Output.Length == 0 && (!_active || (capacity > 65_536 && capacity / 4 > _peak))) Output.Release();
        if (_held is { Length: 0 } && (!_active || _held.Capacity > 65_536)) _held = null;
        _active = false;
        _peak = 0;
        return Output.Capacity > 0 || _held != null || Closing;
    }

    private void Shut(bool orderly)
    {
        Closed = true;
        _held = null;
        Output.Release();
        _sent = 0;
        CloseSocket(orderly);
        _network.Gone(this);
    }
}
