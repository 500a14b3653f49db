namespace Quorate.Simulation.Faults;

/// <summary>What was done to the bytes on a machine's disk, and so what may become of it; the others are well meanwhile (the schedule of faults sees to it).</summary>
public enum Harm
{
    /// <summary>Nothing: it comes back with its directory and with everything that was durable, whatever was cut short.</summary>
    None,

    /// <summary>One copy of a thing that is kept twice (a header, a slot of the identity): nothing may show.</summary>
    OneCopy,

    /// <summary>Entries or a snapshot: it comes back with a mark and with its directory, and is repaired (storage.md §2.4).</summary>
    Entries,

    /// <summary>Both headers of a batch: it draws a new directory id, or refuses in one line (§2.1).</summary>
    Headers,

    /// <summary>Both slots of the identity: it refuses in one line, and an operator replaces the disk (§6.1).</summary>
    Identity,

    /// <summary>The disk was replaced.</summary>
    Disk,
}
