namespace Quorate.Shell;

/// <summary>What the strand lets everybody see without asking: made anew at most ten times a second, read from any thread.</summary>
internal sealed record MemberFigures
{
    public static MemberFigures None { get; } = new();

    /// <summary>Monotone micros of the turn that made it.</summary>
    public long AtMicros { get; init; }

    public bool Serving { get; init; }
    public bool Formed { get; init; }
    public bool LowSpace { get; init; }
    public int Damaged { get; init; }
    public long DamagedHighest { get; init; }
    public int Role { get; init; }
    public ulong Term { get; init; }
    public int Leader { get; init; }
    public long Commit { get; init; }
    public long Applied { get; init; }
    public long AppliedBytes { get; init; }
    public long Elections { get; init; }
    public int Sessions { get; init; }
    public int Connections { get; init; }
    public int Watches { get; init; }
    public int Nodes { get; init; }
    public long DataBytes { get; init; }
    public long Received { get; init; }
    public long Sent { get; init; }
    public long Rejected { get; init; }
    public long WindowBytes { get; init; }

    /// <summary>Bytes that the strand's thread has allocated since it began: what a request costs is its difference.</summary>
    public long AllocatedBytes { get; init; }
}
