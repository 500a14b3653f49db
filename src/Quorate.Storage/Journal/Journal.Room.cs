namespace Quorate.Storage;

/// <summary>Room (storage.md §3): segments ahead, which batch may take which, freeing and moving. Having no room is not a failed write.</summary>
public sealed partial class Journal
{
    private const int SparesKept = 2, SparesAtMost = 4;
    private const long RetryMicros = 1_000_000;
    private MakeSegment? _making;
    private ulong _nextSegment = 1;
    private long _retryAt;
    private bool _cannotMake;

    /// <summary>The next segment cannot be made, or the reserve not grown: new writes are to be refused (§3.1, §3.3).</summary>
    public bool LowSpace => (_cannotMake && _spares.Count < SparesKept) || ReserveShort;

    /// <summary>No segment can be made and the first spare has no room for another entry: a leader prepares nothing until there is (sessions.md §2.4).</summary>
    public bool FirstSpareUsedUp => _cannotMake && (_spares.Count == 0 || (_spares.Count == 1 && _ring[^1].Used + (_options.SegmentBytes / 4) > _ring[^1].Length));

    /// <summary>Set by the snapshot store: growth comes before admission (§3.3).</summary>
    internal bool ReserveShort { get; set; }

    /// <summary>Segments that hold log, and spare ones: for metrics.</summary>
    public (int Ring, int Spare) Segments => (_ring.Count, _spares.Count);

    private long RoomWake => _making is null && _spares.Count < SparesKept && _cannotMake ? _retryAt : Instant.Never;

    private void PumpRoom(Instant now)
    {
        if (_making is not null || _spares.Count >= SparesKept) return;
        if (_cannotMake && _retryAt == 0) _retryAt = now.Micros + RetryMicros;
        if (_cannotMake && now.Micros < _retryAt) return;
        _retryAt = 0;
        _making = new MakeSegment(_folder, _nextSegment++, _options.SegmentBytes, _options.Level);
        _disk.Submit(DiskQueue.Background, _making);
    }

    /// <summary>True when the work was the room's.</summary>
    private bool TakeRoom(DiskWork work)
    {
        if (work is RemoveFile) return true; // a file that could not be removed is removed at the next start
        if (work != _making) return false;
        if (_making.Made is { } segment)
        {
            _spares.Add(segment);
            if (_cannotMake) _notes.Note(1, "the journal has room again");
            _cannotMake = false;
        }
        else
        {
            if (!_cannotMake) _notes.Note(2, $"the next journal segment cannot be made: {work.Failure?.Message}; new writes are refused until there is room");
            _cannotMake = true;
#if MUTANTS
            if (Mutants.On(Mutant.FullDiskStops)) Failed = work.Failure;
#endif
        }
        _making = null;
        return true;
    }

    /// <summary>
    /// Where the batch may go. While no segment can be made (or none is yet), the first spare takes what must not be refused, the last one only promises, moved runs and what lets the log shrink
    /// (with what was gathered before them: tickets are first in, first out), and its last quarter nothing but recovery's own (§3.1).
    /// </summary>
    private bool TryPlace(Batch batch, out Segment segment)
    {
        segment = _ring[^1];
        int length = batch.LengthBound;
        bool urgent = !batch.Ordinary || UrgentWaits();
#if MUTANTS
        if (Mutants.On(Mutant.LastSpareForAll))
        {
            if (segment.Used + length > segment.Length && _spares.Count > 0) segment = _spares[0];
            return segment.Used + length <= segment.Length || _spares.Contains(segment);
        }
#endif
        if (segment.Used + length <= segment.Length)
        {
            if (_spares.Count > 0) return true;
            return (urgent || !_cannotMake) && segment.Used + length <= MostOfLast(batch, segment); // whether the next can be made is not known before it is
        }
        if (_spares.Count == 0 || (_spares.Count == 1 && !urgent)) return false;
        if (_spares.Count == 1 && length > MostOfLast(batch, _spares[0])) return false;
        segment = _spares[0];
        return true;
    }

    /// <summary>What was gathered before a promise or a log begin goes along up to the half, so that after a restart, when it is gone, a log begin alone still finds room.</summary>
    private static int MostOfLast(Batch batch, Segment last) => batch.Ordinary ? last.Length / 2 : last.Length / 4 * 3;

    private bool UrgentWaits()
    {
        if (_gathering is { Urgent: true }) return true;
        foreach (var b in _closed)
            if (b.Urgent) return true;
        return false;
    }

    /// <summary>Only the oldest segment is freed, when a durable header does not need it any more (§1.5).</summary>
    private void FreeSegments()
    {
        ulong needed = _durableNeeded;
        int at = _spares.Count;
#if MUTANTS
        if (Mutants.On(Mutant.SegmentFreedEarly)) (needed, at) = (_table.Trim(_nextNumber), 0);
#endif
        while (_ring.Count > 1 && _ring[0].LastBatch < needed)
        {
            var freed = _ring[0];
            _ring.RemoveAt(0);
            if (freed.Length == _options.SegmentBytes && _options.Level != StorageLevel.Memory && _spares.Count < SparesAtMost)
            {
                freed.LastBatch = 0;
                _spares.Insert(at, freed);
            }
            else if (freed.Reads > 0) _leaving.Add(freed);
            else _disk.Submit(DiskQueue.Background, new RemoveFile(freed.Path, freed.File));
        }
    }

    /// <summary>
    /// After a new segment was begun: partitions whose whole live log is small are written again at the head when they keep the oldest segment, while they are small together as well;
    /// past that a snapshot is due for the largest of them (<see cref="PartitionLog.SnapshotDue"/>), else they would rewrite each other for ever (§3.2).
    /// </summary>
    private void ConsiderMoves()
    {
        if (_ring.Count < 3) return;
        ulong upTo = _ring[0].LastBatch;
        long together = 0;
        _small.Clear();
        foreach (var p in _partitions)
        {
            if (p.LiveBytes > MovedEachBytes) continue;
            _small.Add(p);
            together += p.LiveBytes;
        }
        if (together > MovedTogetherBytes)
        {
            _small.Sort(static (a, b) => a.LiveBytes != b.LiveBytes ? b.LiveBytes.CompareTo(a.LiveBytes) : a.Number.CompareTo(b.Number));
            for (int i = 0; i < _small.Count && together > MovedTogetherBytes; i++)
            {
                together -= _small[i].LiveBytes;
                _small[i].AskForSnapshot();
                _small[i] = null!;
            }
        }
        foreach (var p in _small)
            if (p is not null && p.OldestBatch() <= upTo) p.Move(upTo);
    }

    private readonly List<PartitionLog> _small = []; // partitions that are small enough to be moved

    /// <summary>1 MiB at 64 MiB segments; smaller segments (tests) take it in proportion.</summary>
    internal long MovedEachBytes => _options.SegmentBytes / 64;
    internal long MovedTogetherBytes => _options.SegmentBytes;

    /// <summary>Bytes of journal from the oldest segment's end to the head.</summary>
    internal long BytesBehindOldest => _written - (_ring.Count > 1 ? _ring[1].Before : _written);

    internal bool IsInOldest(ulong batch) => _ring.Count > 1 && batch <= _ring[0].LastBatch;

    internal bool PinsOldest(ulong oldestBatch) => IsInOldest(oldestBatch) && BytesBehindOldest > 4 * _options.SnapshotDueBytes;

    internal long WrittenUpTo => _written;
}
