namespace Quorate.Storage;

/// <summary>
/// The reserve (storage.md §3.3): one file that is always allocated, as large as the largest state's encoding and a slack, so that a full disk can never keep a snapshot from being made.
/// The replaced snapshot's file becomes the next one. Growth comes before admission: while it cannot be grown the journal says that it is low.
/// </summary>
public sealed partial class SnapshotStore
{
    private const long ReserveRetryMicros = 1_000_000;
    private IDiskFile? _reserve;
    private long _reserveBytes;
    private GrowReserveWork? _growing;
    private SnapshotFile? _becoming;
    private long _reserveRetryAt = Instant.Never;
    private readonly SortedList<int, long> _stateBytes = [];
    private long _largestState;

    /// <summary>Bytes that are reserved for the next snapshot now; 0 while one is being written into it.</summary>
    public long ReserveBytes => _reserve is null ? 0 : _reserveBytes;

    /// <summary>What the largest partition's state would encode to; hosts say it by asking <see cref="PartitionLog.SnapshotDue"/>.</summary>
    internal void StateIs(int partition, long bytes)
    {
        if (_stateBytes.TryGetValue(partition, out long before) && before == bytes) return;
        _stateBytes[partition] = bytes;
        _largestState = 0;
        foreach (long b in _stateBytes.Values) _largestState = Math.Max(_largestState, b);
    }

    private long ReserveSlack => Math.Min(64L * 1024 * 1024, _options.SegmentBytes);

#if MUTANTS
    private long ReserveNeeded => Mutants.On(Mutant.ReserveAsLastSnapshot) ? _files.Count == 0 ? ReserveSlack : _files.Max(static f => f.Bytes) : _largestState + ReserveSlack;
#else
    private long ReserveNeeded => _largestState + ReserveSlack;
#endif

    private bool TakeReserve(bool own)
    {
        if (!own || _reserve is null || _growing is not null) return false;
        _reserve.Dispose();
        _reserve = null;
        _reserveBytes = 0;
        return true;
    }

    private void PumpReserve(Instant now)
    {
        if (_options.Level == StorageLevel.Memory || _growing is not null) return;
        bool inUse = false;
        foreach (var s in _sinks) inUse |= s.FromReserve;
        if (_reserve is not null && _reserveBytes >= ReserveNeeded && _becoming is null)
        {
            _journal.ReserveShort = false;
            _reserveRetryAt = Instant.Never;
            return;
        }
        if ((_reserve is null && _becoming is null && inUse) || (_reserveRetryAt != Instant.Never && now.Micros < _reserveRetryAt)) return;
        // Grown in steps with some room ahead, so that a growing state does not ask for it with every write.
        long step = Math.Max(ReserveSlack / 4, Limits.BlockBytes), bytes = Math.Max(_reserveBytes, (ReserveNeeded + step) / step * step);
        _growing = new GrowReserveWork(_folder, _becoming?.Path, _becoming?.File ?? _reserve, bytes);
        _reserveRetryAt = Instant.Never;
        _growAt = now.Micros;
        _disk.Submit(DiskQueue.Background, _growing);
    }

    private long _growAt;

    private void Grown(GrowReserveWork work)
    {
        _growing = null;
        _becoming = null;
        _reserve = work.File;
        if (work.Failure is null)
        {
            _reserveBytes = work.Bytes;
            _journal.ReserveShort = false;
            return;
        }
        _reserveBytes = work.Reached; // not what the one before it had
        if (!_journal.ReserveShort) _notes.Note(2, $"the reserve for snapshots cannot be grown to {work.Bytes} bytes: {work.Failure.Message}; new writes are refused until there is room");
        _journal.ReserveShort = _reserve is null || _reserveBytes < ReserveNeeded;
#if MUTANTS
        if (Mutants.On(Mutant.ReserveUngrown)) _journal.ReserveShort = false;
#endif
        _reserveRetryAt = _growAt + ReserveRetryMicros;
    }

    /// <summary>A replaced snapshot's file becomes the reserve when there is none.</summary>
    private bool TryMakeReserve(SnapshotFile file)
    {
        if (_options.Level == StorageLevel.Memory || _reserve is not null || _becoming is not null || _growing is not null) return false;
        _becoming = file;
        _reserveBytes = file.Bytes;
        return true;
    }
}
