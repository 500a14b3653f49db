using Quorate.Simulation.Time;

namespace Quorate.Simulation.Network;

/// <summary>Delays of one direction between two machines.</summary>
/// <param name="LeastMicros">The least one-way delay.</param>
/// <param name="SpreadMicros">Width of its random part.</param>
public readonly record struct Delay(long LeastMicros, long SpreadMicros);

/// <summary>
/// All cables of a world. Connections are byte streams as TCP's: first in, first out, whole or broken; bytes come in pieces; a blocked direction holds bytes back until it heals, a cut loses what is in flight.
/// (Loss, duplication and reordering of single frames do not exist above TCP; the core world has them.)
/// Machines are numbered from 0; machine 6 has the address <c>10.0.0.7</c>.
/// </summary>
public sealed class SimFabric(Schedule schedule, ulong seed, Trace trace)
{
    private readonly List<SimNetwork> _machines = [];
    private readonly List<Wire> _wires = [];
    private readonly List<(int From, int To)> _blocked = [];
    private readonly List<(int From, int To, Delay Delay)> _slow = [];
    private Prng _prng = new(seed);

    public Schedule Schedule { get; } = schedule;
    public Trace Trace { get; } = trace;

    /// <summary>The delay of a link that is not slow.</summary>
    public Delay Usual { get; set; } = new(40, 60);

    /// <summary>Chance that a send arrives in several pieces.</summary>
    public double Chop { get; set; } = 0.1;

    /// <summary>Bytes that may be under way or unread in one direction of a connection, as TCP's window.</summary>
    public int WindowBytes { get; set; } = 256 * 1024;

    /// <summary>How long a connect to a machine that does not answer takes to fail.</summary>
    public long ConnectTimeoutMicros { get; set; } = 3_000_000;

    public SimNetwork AddMachine(Action wake)
    {
        var machine = new SimNetwork(this, _machines.Count, wake);
        _machines.Add(machine);
        return machine;
    }

    public SimNetwork Machine(int number) => _machines[number];

    public bool IsBlocked(int from, int to) => _blocked.Contains((from, to));

    /// <summary>Holds back everything from one machine to another, until as many <see cref="Unblock"/> or a <see cref="Heal"/>: faults that overlap do not mend one another.</summary>
    public void Block(int from, int to) => _blocked.Add((from, to));

    public void Slow(int from, int to, Delay delay)
    {
        _slow.RemoveAll(s => s.From == from && s.To == to);
        _slow.Add((from, to, delay));
    }

    public void Unblock(int from, int to)
    {
        _blocked.Remove((from, to));
        Resume();
    }

    /// <summary>All links as new: nothing blocked, nothing slow.</summary>
    public void Heal()
    {
        _blocked.Clear();
        _slow.Clear();
        Resume();
    }

    /// <summary>Breaks every connection between two machines: what is in flight is lost, both ends hear of it (each when its news can reach it).</summary>
    public void Cut(int a, int b)
    {
        foreach (var wire in _wires.ToArray())
            if (wire.Joins(a, b)) wire.Break("connection reset");
        Sweep();
    }

    internal long DelayOf(int from, int to)
    {
        var d = Usual;
        foreach (var s in _slow)
            if (s.From == from && s.To == to) d = s.Delay;
        return d.LeastMicros + _prng.Below(d.SpreadMicros);
    }

    /// <summary>How many of <paramref name="bytes"/> arrive together.</summary>
    internal int Piece(int bytes) => bytes > 1 && _prng.Chance(Chop) ? 1 + (int)_prng.Below(bytes - 1) : bytes;

    internal void Connect(SimConnection dialler, string address)
    {
        long began = Schedule.NowMicros;
        if (!TryParse(address, out int to) || to >= _machines.Count)
        {
            dialler.Home.ClosedLater(dialler, "no such host", 1);
            return;
        }
        Knock(dialler, to, address, began);
    }

    // A SYN that meets a blocked link or a dark machine is sent again, as TCP's is.
    private void Knock(SimConnection dialler, int to, string address, long began)
    {
        int from = dialler.Home.Number;
        Schedule.After(DelayOf(from, to), () =>
        {
            if (dialler.Over) return;
            var target = _machines[to];
            if (IsBlocked(from, to) || IsBlocked(to, from) || !target.Powered)
            {
                if (Schedule.NowMicros - began >= ConnectTimeoutMicros) dialler.Home.ClosedLater(dialler, "timed out", 0);
                else Schedule.After(200_000, () => Knock(dialler, to, address, began));
                return;
            }
            if (!target.Accepts(address))
            {
                dialler.Home.ClosedLater(dialler, "connection refused", DelayOf(to, from));
                return;
            }
            var wire = new Wire(this, dialler, target, address);
            _wires.Add(wire);
            target.Arrived(wire);
            Schedule.After(DelayOf(to, from), () => dialler.Home.Connected(dialler));
        });
    }

    /// <summary>A machine that was dark has power again: what others still send to its dead connections is answered by a reset.</summary>
    internal void PoweredUp() => Resume();

    /// <summary>The ends that die with a process; the kernel resets what it held when the machine stays up.</summary>
    internal void ProcessEnds(SimNetwork machine, bool silent)
    {
        foreach (var wire in _wires.ToArray())
            if (wire.Touches(machine)) wire.EndDies(machine, silent);
        Sweep();
    }

    private void Sweep() => _wires.RemoveAll(w => w.Over);

    private void Resume()
    {
        foreach (var wire in _wires.ToArray()) wire.Resume();
        Sweep();
    }

    /// <summary>ADDRESS:PORT of a machine.</summary>
    public static string AddressOf(int machine, int port) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"10.0.0.{machine + 1}:{port}");

    private static bool TryParse(string address, out int machine)
    {
        machine = -1;
        int colon = address.IndexOf(':', StringComparison.Ordinal);
        const string net = "10.0.0.";
        if (colon < 0 || !address.StartsWith(net, StringComparison.Ordinal)) return false;
        if (!int.TryParse(address.AsSpan(net.Length, colon - net.Length), System.Globalization.CultureInfo.InvariantCulture, out int last)) return false;
        machine = last - 1;
        return machine >= 0;
    }
}
