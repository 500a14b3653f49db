using Quorate.Transport.Doors;

namespace Quorate.Doors;

/// <summary>The door of time as the strand turns it: one instant a turn.</summary>
internal sealed class TurnClock
{
    public Instant Now { get; set; } = BootClock.Now();
}
