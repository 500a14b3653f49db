using System.Diagnostics;

namespace Quorate.Transport.Doors;

/// <summary>The door of time: a monotone clock that counts suspension (CLOCK_BOOTTIME), and the wall clock. Read once a turn.</summary>
public static class BootClock
{
    private static readonly bool s_linux = OperatingSystem.IsLinux();

    public static Instant Now() => new(Micros(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    /// <summary>Monotone microseconds. Elsewhere than on Linux the framework's counter, which counts suspension on Windows and not everywhere else.</summary>
    public static unsafe long Micros()
    {
        if (s_linux)
        {
            Libc.Timespec time;
            if (Libc.clock_gettime(Libc.CLOCK_BOOTTIME, &time) == 0) return time.Seconds * 1_000_000 + time.Nanos / 1_000;
        }
        return (long)((Int128)Stopwatch.GetTimestamp() * 1_000_000 / Stopwatch.Frequency);
    }
}
