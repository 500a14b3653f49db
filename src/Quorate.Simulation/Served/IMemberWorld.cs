using Quorate.Simulation.Checkers;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;

namespace Quorate.Simulation.Served;

/// <summary>What a machine with a member on it asks of the world around it: the random one (<see cref="ServedWorld"/>) and the scripted one (Scenarios/) alike.</summary>
internal interface IMemberWorld
{
    Schedule Schedule { get; }
    SimFabric Fabric { get; }
    DigestChecker Digests { get; }

    /// <summary>Every member as the command line of this one lists it.</summary>
    IReadOnlyList<(ReplicaId Id, string Address)> ListedFor(SimMember member);

    /// <summary>Bytes of log that make a snapshot due.</summary>
    long SnapshotBytes { get; }

    /// <summary>Bytes of log that stay behind a snapshot.</summary>
    long TrailingBytes { get; }

    Storage.StorageLevel Level => Storage.StorageLevel.Disk;

    /// <summary>Bytes of journal that stay in memory.</summary>
    long RecentBytes => 32L * 1024 * 1024;

    void Noted(SimMember member, int level, string text);

    /// <summary>After every turn of a member.</summary>
    void OnTurn(SimMember member);

    /// <summary>Its journal failed, and it stops (storage.md §2.5).</summary>
    void OnStopped(SimMember member);
}
