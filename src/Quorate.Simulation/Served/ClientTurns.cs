using Quorate.Simulation.Network;
using Quorate.Simulation.Time;
using Quorate.ZooKeeper.Client;

namespace Quorate.Simulation.Served;

/// <summary>The turns of one machine with a client on it: what came is told, the client is pumped, what it wrote leaves, and it is woken when it asked for it.</summary>
internal sealed class ClientTurns
{
    private readonly Schedule _schedule;
    private readonly SimClock _clock;
    private long _turnAt = Instant.Never;

    public ClientTurns(SimFabric fabric, SimClock clock)
    {
        _schedule = fabric.Schedule;
        _clock = clock;
        Network = fabric.AddMachine(() => WakeAt(_schedule.NowMicros + 3));
    }

    public SimNetwork Network { get; }

    /// <summary>Whose turns these are; set before the first one.</summary>
    public ZooKeeperClient Client { get; set; } = null!;

    public Instant Now => _clock.At(_schedule.NowMicros);

    /// <summary>SIGSTOP until this world time: what comes waits, clocks go on.</summary>
    public long PausedUntil { get; set; }

    /// <summary>Told at the end of each turn.</summary>
    public Action? Turned { get; set; }

    public void WakeAt(long micros)
    {
        if (micros >= _turnAt) return;
        _turnAt = micros;
        _schedule.At(micros, () =>
        {
            if (_turnAt != micros) return;
            _turnAt = Instant.Never;
            if (_schedule.NowMicros < PausedUntil) WakeAt(PausedUntil);
            else Turn();
        });
    }

    private void Turn()
    {
        Client.Pump(Now);
        Network.Dispatch();
        Client.Pump(Now);
        Network.Collect();
        long wake = _clock.WorldOf(Client.NextWake);
        if (wake != Instant.Never) WakeAt(Math.Max(_schedule.NowMicros + 10, wake));
        Turned?.Invoke();
    }
}
