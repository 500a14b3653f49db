namespace Quorate.Simulation.Network;

/// <summary>
/// One machine's side of the fabric: the doors of peers and clients in a world. A turn of its process is <see cref="Dispatch"/> (what came is told to the owners), the process's own pump, <see cref="Collect"/> (what was flushed leaves), as the real strand does it.
/// </summary>
public sealed class SimNetwork : INetwork
{
    private readonly SimFabric _fabric;
    private readonly Action _wake;
    private readonly List<(string Address, Func<Connection, IConnectionOwner?> Accept)> _listeners = [];
    private readonly List<Wire> _arrived = [];
    private readonly List<SimConnection> _dialling = [];
    private List<SimConnection> _marked = [], _spare = [];
    private List<SimConnection> _flushed = [], _spareFlushed = [];
    private long _numbers;
    private int _ephemeral = 40_000;

    internal SimNetwork(SimFabric fabric, int number, Action wake)
    {
        _fabric = fabric;
        _wake = wake;
        Number = number;
    }

    public int Number { get; }

    /// <summary>The machine has power; a dark one answers nobody.</summary>
    public bool Powered { get; private set; } = true;

    public bool HasWork => _marked.Count > 0 || _arrived.Count > 0 || _flushed.Count > 0;

    public Connection Connect(string address, IConnectionOwner owner)
    {
        var end = new SimConnection(this) { Number = ++_numbers, RemoteAddress = address, Owner = owner };
        _dialling.RemoveAll(d => d.Over || d.Out is not null);
        _dialling.Add(end);
        _fabric.Connect(end, address);
        return end;
    }

    public string Listen(string address, Func<Connection, IConnectionOwner?> accept)
    {
        foreach (var l in _listeners)
            if (l.Address == address) throw new NetworkException($"{address} is in use");
        _listeners.Add((address, accept));
        return address;
    }

    /// <summary>The process ends by a signal: its kernel resets what it held.</summary>
    public void Kill() => Ends(silent: false);

    /// <summary>The power goes: nobody is told.</summary>
    public void PowerCut()
    {
        Powered = false;
        Ends(silent: true);
    }

    public void PowerOn()
    {
        Powered = true;
        _fabric.PoweredUp();
    }

    /// <summary>Tells the owners what came since the last turn.</summary>
    public void Dispatch()
    {
        foreach (var wire in _arrived.ToArray())
            if (!wire.Acceptor.Over) Accept(wire);
        _arrived.Clear();
        (_marked, _spare) = (_spare, _marked);
        foreach (var end in _spare)
        {
            end.Marked = false;
            Tell(end);
        }
        _spare.Clear();
    }

    /// <summary>Sends what was flushed in this turn.</summary>
    public void Collect()
    {
        (_flushed, _spareFlushed) = (_spareFlushed, _flushed);
        foreach (var end in _spareFlushed)
        {
            end.Flushed = false;
            Send(end);
        }
        _spareFlushed.Clear();
    }

    /// <summary>Urgent connections leave before the turn's end.</summary>
    public void FlushPeers()
    {
        foreach (var end in _flushed)
            if (end.Urgent) Send(end);
    }

    internal bool Accepts(string address)
    {
        foreach (var l in _listeners)
            if (l.Address == address) return true;
        return false;
    }

    internal SimConnection NewEnd(SimNetwork dialler) => new(this) { Number = ++_numbers, RemoteAddress = SimFabric.AddressOf(dialler.Number, dialler._ephemeral++), Stands = true };

    internal void Mark(SimConnection end)
    {
        if (end.Marked || end.Over) return;
        end.Marked = true;
        _marked.Add(end);
        _wake();
    }

    internal void MarkFlush(SimConnection end)
    {
        _flushed.Add(end);
        _wake();
    }

    internal void Arrived(Wire wire)
    {
        _arrived.Add(wire);
        _wake();
    }

    internal void Connected(SimConnection end)
    {
        if (end.Over) return;
        end.Stands = end.Connected = true;
        Mark(end);
    }

    internal void Came(SimConnection end, byte[] bytes)
    {
        end.Unread.Bytes(bytes);
        end.InKernel += bytes.Length;
        end.NewBytes = true;
        Mark(end);
    }

    internal void Closed(SimConnection end, string reason)
    {
        if (end.Over) return;
        end.Ended ??= reason;
        Mark(end);
    }

    internal void ClosedLater(SimConnection end, string reason, long delay) => _fabric.Schedule.After(delay, () => Closed(end, reason));

    internal void RoomAgain(SimConnection end)
    {
        if (!end.Over) end.Flush();
    }

    private void Accept(Wire wire)
    {
        IConnectionOwner? owner = null;
        foreach (var l in _listeners)
            if (l.Address == wire.Address) owner = l.Accept(wire.Acceptor);
        if (owner is null) wire.Acceptor.Abort();
        else wire.Acceptor.Owner ??= owner;
    }

    private void Tell(SimConnection end)
    {
        if (end.Over || end.Owner is null || (!end.Stands && end.Ended is null)) return;
        if (end.Connected)
        {
            end.Connected = false;
            end.Owner.OnConnected(end);
        }
        if (end.Over) return;
        if (end.Reading && (end.NewBytes || end.Asked))
        {
            end.NewBytes = end.Asked = false;
            // The door reads what the kernel holds into its own memory, whatever the owner makes of it: a frame may be larger than TCP's window.
            int read = end.InKernel;
            end.InKernel = 0;
            if (read > 0) end.In?.Consumed(read);
            int before = end.Unread.Length;
            int consumed = before == 0 ? 0 : end.Owner.OnBytes(end, end.Unread.Written);
            if (end.Over) return;
            end.Unread.Consume(consumed);
        }
        if (end.Ended is { } reason && end.Reading && !end.Asked)
        {
            end.Over = true;
            end.Owner.OnClosed(end, reason);
        }
    }

    private void Send(SimConnection end)
    {
        if (end.Over || end.Out is null) return;
        int n = Math.Min(end.Output.Length, end.Out.Room);
        if (n > 0)
        {
            end.Out.Send(end.Output.Written[..n]);
            end.Output.Consume(n);
        }
        if (!end.Closing || end.Output.Length > 0) return;
        end.Over = true;
        end.Out.Finish("closed by peer");
    }

    private void Ends(bool silent)
    {
        _fabric.ProcessEnds(this, silent);
        foreach (var end in _dialling) end.Over = true;
        _dialling.Clear();
        _listeners.Clear();
        foreach (var wire in _arrived) wire.Acceptor.Over = true;
        _arrived.Clear();
        _marked.Clear();
        _flushed.Clear();
        _numbers = 0;
    }
}
