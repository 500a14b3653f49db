namespace Quorate.Runtime.Membership;

/// <summary>
/// What the members' windows ask of a journal segment (sessions.md §4.3): a window holds at least one entry of the largest size, and all of them together fit into half a segment, because what has a number is never refused any more
/// and is written out of the first spare segment when room is short (storage.md §3.1).
/// </summary>
public readonly record struct WindowRoom(int WindowBytes, int MaxEntryBytes, int SegmentBytes)
{
    /// <summary>Bytes that a segment must have for so many members.</summary>
    public long LeastSegmentBytes(int members) => 2L * WindowBytes * members;

    /// <summary>What is wrong with so many members, in one line; null when nothing is.</summary>
    public string? Why(int members) =>
        WindowBytes < MaxEntryBytes ? $"the window of numbered writes is {WindowBytes} bytes; it must hold at least one entry of {MaxEntryBytes}"
        : LeastSegmentBytes(members) > SegmentBytes ? $"segmentBytes is {SegmentBytes}; with {members} members it must be at least {LeastSegmentBytes(members)}: their windows of {WindowBytes} bytes each must fit into half a segment"
        : null;
}
