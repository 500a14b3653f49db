namespace Quorate.Simulation.Network;

/// <summary>One connection as the network sees it: two ends and a pipe in each direction.</summary>
internal sealed class Wire
{
    private readonly SimFabric _fabric;
    private readonly Pipe _there, _back;

    public Wire(SimFabric fabric, SimConnection dialler, SimNetwork target, string address)
    {
        _fabric = fabric;
        Dialler = dialler;
        Target = target;
        Address = address;
        Acceptor = target.NewEnd(dialler.Home);
        _there = new Pipe(fabric, dialler, Acceptor);
        _back = new Pipe(fabric, Acceptor, dialler);
        dialler.Out = _there;
        dialler.In = _back;
        Acceptor.Out = _back;
        Acceptor.In = _there;
    }

    public SimConnection Dialler { get; }
    public SimConnection Acceptor { get; }
    public SimNetwork Target { get; }
    public string Address { get; }

    public bool Over => Dialler.Over && Acceptor.Over;

    public bool Joins(int a, int b) =>
        (Dialler.Home.Number == a && Acceptor.Home.Number == b) || (Dialler.Home.Number == b && Acceptor.Home.Number == a);

    public bool Touches(SimNetwork machine) => Dialler.Home == machine || Acceptor.Home == machine;

    public void Resume()
    {
        _there.Resume();
        _back.Resume();
    }

    /// <summary>A middle box resets it: bytes in flight are lost.</summary>
    public void Break(string reason)
    {
        _there.Lose();
        _back.Lose();
        Dialler.Home.ClosedLater(Dialler, reason, _fabric.DelayOf(Acceptor.Home.Number, Dialler.Home.Number));
        Acceptor.Home.ClosedLater(Acceptor, reason, _fabric.DelayOf(Dialler.Home.Number, Acceptor.Home.Number));
    }

    /// <summary>A process ends. Its kernel tells the other side behind what it had sent (<paramref name="silent"/>: the power went, nobody tells anybody).</summary>
    public void EndDies(SimNetwork machine, bool silent)
    {
        if (Dialler.Home == machine) Dies(Dialler, _there, silent);
        if (Acceptor.Home == machine) Dies(Acceptor, _back, silent);
    }

    private static void Dies(SimConnection end, Pipe outward, bool silent)
    {
        if (end.Over) return;
        end.Over = true;
        if (!silent) outward.Finish("connection reset by peer");
    }
}

/// <summary>One direction of a connection. What is sent arrives in order, in pieces, once.</summary>
internal sealed class Pipe(SimFabric fabric, SimConnection from, SimConnection to)
{
    private readonly Queue<Piece> _stalled = new();
    private long _lastArrival;
    private bool _lost, _finished;

    /// <summary>Bytes under way or not yet read at the other end.</summary>
    public int Outstanding { get; private set; }

    public int Room => fabric.WindowBytes - Outstanding;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int n = fabric.Piece(bytes.Length);
            Outstanding += n;
            Launch(new Piece(bytes[..n].ToArray(), null));
            bytes = bytes[n..];
        }
    }

    /// <summary>The end of the stream, behind everything sent.</summary>
    public void Finish(string reason)
    {
        if (_finished) return;
        _finished = true;
        Launch(new Piece([], reason));
    }

    public void Lose()
    {
        _lost = true;
        _stalled.Clear();
    }

    /// <summary>The receiver took bytes; a sender that waits for room goes on.</summary>
    public void Consumed(int bytes)
    {
        bool full = Room <= 0;
        Outstanding -= bytes;
        if (full && !from.Over && from.Output.Length > 0) fabric.Schedule.After(fabric.DelayOf(to.Home.Number, from.Home.Number), () => from.Home.RoomAgain(from));
    }

    public void Resume()
    {
        if (_stalled.Count == 0 || Held) return;
        long at = fabric.Schedule.NowMicros + fabric.DelayOf(from.Home.Number, to.Home.Number);
        _lastArrival = Math.Max(_lastArrival, at);
        fabric.Schedule.At(at, () =>
        {
            while (_stalled.Count > 0 && !Held) Arrive(_stalled.Dequeue());
        });
    }

    // A dark machine does not even refuse; its sender goes on sending again.
    private bool Held => fabric.IsBlocked(from.Home.Number, to.Home.Number) || (to.Over && !to.Home.Powered);

    private void Launch(Piece piece)
    {
        long at = Math.Max(_lastArrival, fabric.Schedule.NowMicros + fabric.DelayOf(from.Home.Number, to.Home.Number));
        _lastArrival = at;
        fabric.Schedule.At(at, () =>
        {
            if (_lost) return;
            if (_stalled.Count > 0 || Held) _stalled.Enqueue(piece);
            else Arrive(piece);
        });
    }

    private void Arrive(Piece piece)
    {
        if (_lost) return;
        if (to.Over)
        {
            // Nobody is there any more: a reset comes back.
            if (!from.Over && piece.Reason is null) from.Home.ClosedLater(from, "connection reset by peer", fabric.DelayOf(to.Home.Number, from.Home.Number));
            return;
        }
        if (piece.Reason is { } reason) to.Home.Closed(to, reason);
        else to.Home.Came(to, piece.Bytes);
    }

    private readonly record struct Piece(byte[] Bytes, string? Reason);
}
