namespace Quorate.Runtime.Sessions;

/// <summary>What members' session layers say to each other, in frames of FrameKind.Session.</summary>
public enum SessionFrame : byte
{
    /// <summary>Member to leader: numbered requests.</summary>
    Stream = 1,

    /// <summary>Member to leader, the answer to a beat: touches, applied position; in parts when they are many.</summary>
    Report = 2,

    /// <summary>Leader to member: what it received of the member's stream, echoes, verdicts.</summary>
    Beat = 3,
}

/// <summary>A leader's beat (sessions.md §4.3, §6). Sent only while its prepare is open.</summary>
public struct Beat
{
    public ulong Term;

    /// <summary>The newest frame of the receiver's own channel that the leader had received, by the receiver's count.</summary>
    public long Echo;

    /// <summary>The newest report received and not old.</summary>
    public long ReportEcho;

    /// <summary>The receiver's stream as the leader received it in order, taken or queued.</summary>
    public StreamPosition Received;

    public bool LowSpace;

    public readonly void Write(ByteWriter w)
    {
        w.Byte((byte)SessionFrame.Beat);
        w.UInt64(Term);
        w.Int64(Echo);
        w.Int64(ReportEcho);
        w.UInt64(Received.Directory);
        w.UInt64(Received.Run);
        w.Int64(Received.Number);
        w.Bool(LowSpace);
    }

    public static Beat Read(ref ByteReader r) => new()
    {
        Term = r.UInt64(),
        Echo = r.Int64(),
        ReportEcho = r.Int64(),
        Received = new StreamPosition(r.UInt64(), r.UInt64(), r.Int64()),
        LowSpace = r.Bool(),
    };
}

/// <summary>
/// The head of a part of a member's report: touches of (session, connection) follow, the connection's number negative when it is gone (it touched; nobody needs to close it).
/// A report of many touches is several frames; it is echoed as one, when all its parts came in order and were judged.
/// </summary>
public struct Report
{
    public long Frame;
    public ulong Term;
    public ulong Run;
    public long Number;
    public long Applied;

    /// <summary>How long this member serves after its last proof: the leader waits twice the largest before it expires (sessions.md §6.1).</summary>
    public long ServeMicros;
    public bool LowSpace;

    /// <summary>From 0.</summary>
    public int Part;
    public bool Last;

    public readonly void Write(ByteWriter w)
    {
        w.Byte((byte)SessionFrame.Report);
        w.Int64(Frame);
        w.UInt64(Term);
        w.UInt64(Run);
        w.Int64(Number);
        w.Int64(Applied);
        w.Int64(ServeMicros);
        w.Bool(LowSpace);
        w.Int32(Part);
        w.Bool(Last);
    }

    public static Report Read(ref ByteReader r) => new()
    {
        Frame = r.Int64(),
        Term = r.UInt64(),
        Run = r.UInt64(),
        Number = r.Int64(),
        Applied = r.Int64(),
        ServeMicros = r.Int64(),
        LowSpace = r.Bool(),
        Part = r.Int32(),
        Last = r.Bool(),
    };
}
