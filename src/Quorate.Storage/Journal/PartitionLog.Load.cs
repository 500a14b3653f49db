namespace Quorate.Storage;

/// <summary>Taking over what recovery read.</summary>
public sealed partial class PartitionLog
{
    internal void Load(RecoveredPartition recovered)
    {
        _facts.CopyFrom(recovered.Facts);
        Map.Reset(_facts.BeginIndex, _facts.BeginTerm);
        _positions.Reset(_facts.BeginIndex + 1);
        ulong newest = 0;
        foreach (var e in recovered.Log.Log)
        {
            for (long i = e.First; i <= e.Last; i++)
            {
                var (position, length) = Where(e, i);
                Map.Append(e.Term, length);
                _positions.Append(position);
            }
            if (e.IsDamaged) continue;
            _unordered |= e.Batch < newest;
            newest = Math.Max(newest, e.Batch);
        }
        foreach (var e in recovered.Log.Staged)
        {
            if (e.IsDamaged)
            {
                _journal.CutStagedAtOpening(this, e.First); // what is staged behind it cannot be adopted any more
                break;
            }
            for (long i = e.First; i <= e.Last; i++)
            {
                var (position, length) = Where(e, i);
                Stage(i, e.Term, length, position);
                if (TryReadNow(i, out var entry, staged: true) && entry.Kind == EntryKind.Configuration && ClusterConfiguration.Decode(entry.Payload) is { } c) _staged[^1].Configurations.Add(new ConfigurationAt(i, c));
            }
        }
        _writtenBytes = LiveBytes;
    }

    internal void EmptyTo(in SnapshotIdentity snapshot) => EmptyAt(snapshot.Index, snapshot.Term);

    internal void BeginTo(in SnapshotIdentity snapshot) => BeginAt(snapshot.Index, snapshot.Term);

    private (Position Position, int Length) Where(in Extent e, long index)
    {
        if (e.Bytes is not { } bytes) return (Position.Damaged, 0);
        int at = e.Skip + (int)(index - e.First);
        _journal.Table[e.Batch].Live++;
        return (new Position((uint)e.Batch, bytes.Offsets[at]), bytes.Lengths[at]);
    }
}
