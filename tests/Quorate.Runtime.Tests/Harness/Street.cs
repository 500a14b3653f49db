namespace Quorate.Runtime.Tests.Harness;

/// <summary>Who lives on the street: turned once a step.</summary>
public interface IResident
{
    void BeginTurn(Instant now);
    void Pump(Instant now);
}

/// <summary>
/// A network in memory for unit tests beside the simulator: whatever is sent in one step of a millisecond arrives, in order, in the next. Links are cut (both ends see a reset) or held (bytes and connects wait in the dark).
/// </summary>
public sealed class Street
{
    private readonly List<Door> _doors = [];
    private readonly HashSet<(Door, Door)> _held = [];

    public long Micros { get; private set; } = 1_000_000;
    public Instant Now => new(Micros, Micros / 1000);

    public Door Open(string address, IResident? resident = null)
    {
        var door = new Door(this, address) { Resident = resident };
        _doors.Add(door);
        return door;
    }

    /// <summary>Nothing passes between the two, and nobody is told.</summary>
    public void Hold(Door a, Door b)
    {
        _held.Add((a, b));
        _held.Add((b, a));
    }

    public void Mend(Door a, Door b)
    {
        _held.Remove((a, b));
        _held.Remove((b, a));
    }

    /// <summary>Every connection between the two is reset; what was under way is lost.</summary>
    public void Cut(Door a, Door b)
    {
        foreach (var wire in a.Wires.Concat(b.Wires).ToArray())
            if (wire.Other is { } other && (wire.Door == a || wire.Door == b) && (other.Door == a || other.Door == b)) wire.Break();
    }

    public void Run(long millis)
    {
        for (long i = 0; i < millis; i++) Step();
    }

    public void Until(Func<bool> done, long millis = 20_000)
    {
        for (long i = 0; i < millis; i++)
        {
            if (done()) return;
            Step();
        }
        Assert.True(done(), "it never came to that");
    }

    /// <summary>Time passes for everybody, and nobody turns: what happens to a machine that sleeps.</summary>
    public void Sleep(long millis) => Micros += millis * 1000;

    internal bool IsHeld(Door a, Door b) => _held.Contains((a, b));

    internal Door? Listening(string address) => _doors.Find(d => d.Accept is not null && d.Address == address && d.Alive);

    private void Step()
    {
        Micros += 1000;
        foreach (var door in _doors.ToArray())
        {
            if (!door.Alive || door.Stopped) continue;
            door.Resident?.BeginTurn(Now);
            door.Receive();
            door.Resident?.Pump(Now);
        }
        foreach (var door in _doors) door.Send();
    }
}

/// <summary>A resident's door of peers.</summary>
public sealed class Door(Street street, string address) : INetwork
{
    private readonly Queue<Action> _arrived = new();
    private readonly List<Wire> _dirty = [];
    private readonly List<(string Address, Wire Wire)> _dialling = [];
    private long _numbers;

    public string Address { get; } = address;
    public IResident? Resident { get; set; }
    public bool Alive { get; private set; } = true;

    /// <summary>SIGSTOP: what arrives waits.</summary>
    public bool Stopped { get; set; }

    internal List<Wire> Wires { get; } = [];
    internal Func<Connection, IConnectionOwner?>? Accept { get; private set; }

    public Connection Connect(string address, IConnectionOwner owner)
    {
        var wire = new Wire(this) { Number = ++_numbers, RemoteAddress = address, Owner = owner };
        Wires.Add(wire);
        _dialling.Add((address, wire));
        return wire;
    }

    public string Listen(string address, Func<Connection, IConnectionOwner?> accept)
    {
        Accept = accept;
        return address;
    }

    /// <summary>SIGKILL.</summary>
    public void Die()
    {
        Alive = false;
        foreach (var wire in Wires.ToArray()) wire.Break();
    }

    internal void Dirty(Wire wire)
    {
        if (!_dirty.Contains(wire)) _dirty.Add(wire);
    }

    internal void Arrive(Action action) => _arrived.Enqueue(action);

    internal void Receive()
    {
        for (int left = _arrived.Count; left > 0; left--) _arrived.Dequeue()();
    }

    internal void Send()
    {
        if (!Alive) return;
        foreach (var (to, wire) in _dialling.ToArray())
        {
            var other = street.Listening(to);
            if (other is not null && street.IsHeld(this, other)) continue;
            _dialling.Remove((to, wire));
            if (!wire.IsOpen) continue;
            if (other is null) Arrive(() => wire.Tell("refused"));
            else Join(wire, other);
        }
        foreach (var wire in _dirty.ToArray())
        {
            if (wire.Other is { } other && street.IsHeld(this, other.Door)) continue;
            _dirty.Remove(wire);
            wire.Send();
        }
    }

    private void Join(Wire mine, Door other)
    {
        var theirs = new Wire(other) { Number = ++other._numbers, RemoteAddress = Address };
        other.Wires.Add(theirs);
        mine.Other = theirs;
        theirs.Other = mine;
        other.Arrive(() =>
        {
            theirs.Owner = other.Accept!(theirs);
            if (theirs.Owner is null) theirs.Abort();
        });
        Arrive(() => { if (mine.IsOpen) mine.Owner?.OnConnected(mine); });
    }
}

/// <summary>One end of a connection.</summary>
public sealed class Wire(Door door) : Connection
{
    private readonly ByteWriter _unread = new();
    private bool _closing;

    public Door Door { get; } = door;
    public Wire? Other { get; set; }
    public bool IsOpen { get; private set; } = true;
    public override bool Reading { get; set; } = true;
    public override void Flush() => Door.Dirty(this);
    public override void Again() => Door.Arrive(() => Take([]));

    public override void Close()
    {
        _closing = true;
        Owner = null;
        Flush();
    }

    public override void Abort()
    {
        if (!IsOpen) return;
        Owner = null;
        End();
    }

    /// <summary>The network resets it: both ends are told.</summary>
    public void Break()
    {
        if (!IsOpen) return;
        Door.Arrive(() => Tell("reset"));
        if (Other is { } other) other.Door.Arrive(() => other.Tell("reset"));
    }

    internal void Tell(string reason)
    {
        if (!IsOpen) return;
        var owner = Owner;
        Owner = null;
        IsOpen = false;
        Door.Wires.Remove(this);
        owner?.OnClosed(this, reason);
    }

    internal void Send()
    {
        if (!IsOpen || Other is not { } other) return;
        if (Output.Length > 0)
        {
            byte[] bytes = Output.Written.ToArray();
            Output.Clear();
            other.Door.Arrive(() => other.Take(bytes));
        }
        if (_closing) End();
    }

    private void Take(byte[] bytes)
    {
        if (!IsOpen || Owner is null) return;
        _unread.Bytes(bytes);
        int consumed = Owner.OnBytes(this, _unread.Written);
        if (IsOpen) _unread.Consume(consumed);
    }

    private void End()
    {
        IsOpen = false;
        Door.Wires.Remove(this);
        if (Other is { } other) other.Door.Arrive(() => other.Tell("closed"));
    }
}
