using Quorate.Runtime.Sessions;

namespace Quorate.Runtime.Replica;

/// <summary>The partition's state as a stream of slices: first what is no row (configuration, session table), then the machine's own (storage.md §4.1).</summary>
public static class StateSnapshots
{
    private const byte HostSlice = 1, MachineSlice = 2;

    public static ulong DigestOf(SessionHost sessions) => unchecked(sessions.Table.Digest + sessions.Machine.Digest);

    /// <summary>Freezes the view and writes what is no row: two slices.</summary>
    public static void WriteFirst(SessionHost sessions, ByteWriter host, ByteWriter machine)
    {
        host.Clear();
        host.Byte(HostSlice);
        host.Int64(sessions.ConfigurationIndex);
        host.Sized(sessions.Configuration.Encode());
        sessions.Table.WriteTo(host);
        machine.Clear();
        machine.Byte(MachineSlice);
        sessions.Machine.BeginSnapshot(machine);
    }

    /// <summary>The next rows; true when they were the last.</summary>
    public static bool WriteNext(SessionHost sessions, int bytes, ByteWriter into)
    {
        into.Clear();
        into.Byte(MachineSlice);
        return sessions.Machine.WriteSnapshotSlice(bytes, into);
    }

    /// <summary>Takes one slice of a restore; the configuration comes out of the host's. False when it is no slice.</summary>
    public static bool Restore(SessionHost sessions, ReadOnlySpan<byte> slice, ref ConfigurationAt? configuration)
    {
        if (slice.Length == 0) return false;
        if (slice[0] == MachineSlice) return slice.Length == 1 || sessions.Machine.RestoreSlice(slice[1..]);
        var r = new ByteReader(slice[1..]);
        long index = r.Int64();
        var members = ClusterConfiguration.Decode(r.Sized());
        if (r.Failed || members is null || slice[0] != HostSlice) return false;
        configuration = new ConfigurationAt(index, members);
        return sessions.Table.ReadFrom(r.Bytes(r.Remaining));
    }
}
