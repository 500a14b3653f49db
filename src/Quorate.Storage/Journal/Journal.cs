namespace Quorate.Storage;

/// <summary>
/// One log for all partitions of a member's directory (storage.md §1): batches in a ring of segments, one batch being written and synced while one gathers, so that the number of syncs
/// does not grow with the partitions. Pumped; it never waits.
/// </summary>
public sealed partial class Journal
{
    /// <summary>Micros after the last batch at which the empty one is written (§1.6).</summary>
    private const long EmptyBatchMicros = 100_000;
    private const int FrontRoomBytes = 512;
    private const int ChunkBytes = 1024 * 1024 + 64 * 1024, LeastChunkBytes = 20 * 1024;

    private readonly IDisk _disk;
    private readonly StorageOptions _options;
    private readonly INotes _notes;
    private readonly string _folder;
    private readonly byte[] _key;
    private readonly JournalWrite _write;
    private readonly RecentBytes _recent;
    private readonly BatchTable _table = new();
    private readonly List<PartitionLog> _partitions = [];          // by number
    private readonly Queue<Batch> _closed = new();
    private readonly Stack<Batch> _freeBatches = new();
    private readonly ByteWriter _header = new(4096);
    private readonly List<Segment> _ring = [];                     // oldest first; the last one is being written
    private readonly List<Segment> _spares = [];
    private readonly int _batchLimit;
    private Batch? _gathering, _writing;
    private ulong _nextNumber = 1, _lastNumber, _durableNumber, _durableNeeded = 1, _durableOpening;
    private uint _lastChecksum;
    private long _emptyAt = Instant.Never;
    private bool _lastIsEmpty, _closing;
    private long _now;
    private bool _held;    // the next batch waits for room
    private long _written; // bytes of journal in this run

    internal Journal(IDisk disk, StorageOptions options, INotes notes, string folder, ReadOnlySpan<byte> key)
    {
        _disk = disk;
        _options = options;
        _notes = notes;
        _folder = folder;
        _key = key.ToArray();
        _write = new JournalWrite(options.Level == StorageLevel.Disk);
        _batchLimit = options.SegmentBytes / 4;
        _recent = new RecentBytes(options.RecentBytes, (int)Math.Min(Math.Min(ChunkBytes, options.SegmentBytes / 4 + 64 * 1024), Math.Max(options.RecentBytes / 2, LeastChunkBytes)));
    }

    /// <summary>Everything that recovery found damaged and still needed, and whose header survived: the marks' origin (§2.4).</summary>
    public IReadOnlyList<StorageDamage> Damage { get; internal set; } = [];

    /// <summary>A failed write or sync: the member stops; nothing is retried as if nothing had been (§2.5).</summary>
    public DiskException? Failed { get; private set; }

    /// <summary>The numbers of the partitions that it holds, ascending.</summary>
    public IEnumerable<int> PartitionNumbers => _partitions.Select(p => p.Number);

    /// <summary>Batches made durable in this run.</summary>
    public long BatchesWritten { get; private set; }

    /// <summary>Bytes handed to the disk in this run.</summary>
    public long BytesWritten => _written;

    /// <summary>Nothing gathers, waits or is being written.</summary>
    public bool IsQuiet => _writing is null && _closed.Count == 0 && _gathering is null;

    internal BatchTable Table => _table;

    /// <summary>The batch that gathers now, if any.</summary>
    internal Batch? Current => _gathering;
    internal ulong Directory { get; init; }
    internal ulong Run { get; init; }

    /// <summary>Where installed snapshots stand; set by the store before anything is gathered.</summary>
    internal SnapshotStore? Snapshots { get; set; }

    internal ConfigurationAt? InstalledConfiguration(int partition, in BodyHandle body) => Snapshots?.ConfigurationOf(partition, body);

    internal void Switched(int partition, in BodyHandle body) => Snapshots?.Switched(partition, body);

    internal StorageOptions Options => _options;
    internal IReadOnlyList<PartitionLog> Partitions => _partitions;

    /// <summary>The partition's log; new ones begin empty. Throws <see cref="StorageRefusal"/> when its opening would not fit any more (§1.1).</summary>
    public PartitionLog Partition(int number)
    {
        int at = 0;
        while (at < _partitions.Count && _partitions[at].Number < number) at++;
        if (at < _partitions.Count && _partitions[at].Number == number) return _partitions[at];
        if (LeastSegmentBytes(_options.MaxEntryBytes, _partitions.Count + 1) > _options.SegmentBytes)
            throw new StorageRefusal($"partition {number} cannot be added: with {_partitions.Count + 1} partitions a segment must have at least {LeastSegmentBytes(_options.MaxEntryBytes, _partitions.Count + 1)} bytes, SegmentBytes is {_options.SegmentBytes}");
        var log = new PartitionLog(this, number);
        _partitions.Insert(at, log);
        return log;
    }

    /// <summary>Four of the largest entry's batches and an opening with both its headers (§1.1).</summary>
    internal static long LeastSegmentBytes(int maxEntryBytes, int partitions)
    {
        long opening = 2L * BatchHeader.RoundUp(BatchHeader.FixedBytes + 1024 * partitions);
        long entry = BatchHeader.RoundUp(FrontRoomBytes + EntryRecord.BytesOf(maxEntryBytes)) + Limits.BlockBytes;
        return 4 * entry + opening;
    }

    internal void Pump(Instant now)
    {
        if (Failed is not null) return;
        _now = now.Micros;
        if (_movers.Count > 0) PumpMoves();
        if (_emptyAt != Instant.Never && (now.Micros >= _emptyAt || _closing) && IsQuiet) BeginEmptyBatch();
        SubmitNext();
        PumpRoom(now);
    }

    /// <summary>When Pump has something to do without being told.</summary>
    internal long NextWake
    {
        get
        {
            if (Failed is not null) return Instant.Never;
            if (_writing is null && !_held && (_gathering is not null || _closed.Count > 0)) return _now;
            if (_closing && IsQuiet && !_lastIsEmpty) return _now;
            return Math.Min(IsQuiet ? _emptyAt : Instant.Never, RoomWake);
        }
    }

    /// <summary>From now on everything is written without delay, and the empty batch behind it (§1.6: at a clean stop).</summary>
    internal void BeginClose()
    {
        _closing = true;
        if (IsQuiet && !_lastIsEmpty) _emptyAt = 0;
    }

    /// <summary>The highest batch whose sync returned.</summary>
    internal ulong DurableNumber => _durableNumber;

    internal bool IsClosed => (Failed is not null || (_closing && IsQuiet && _lastIsEmpty)) && _readsUnderWay == 0;

    /// <summary>Takes back what the disk finished; false when it is no work of the journal.</summary>
    internal bool Take(DiskWork work)
    {
        if (TakeRoom(work)) return true;
        if (work is ReadEntriesWork read)
        {
            TakeRead(read);
            return true;
        }
        if (work != _write) return false;
        var batch = _writing!;
        _writing = null;
        if (work.Failure is { } failure)
        {
            Failed = failure;
            _notes.Note(3, $"the journal could not be written: {failure.Message}; this member stops");
            return true;
        }
        _durableNumber = batch.Number;
        _durableNeeded = batch.SealedNeeded;
        if (batch.Opening) _durableOpening = batch.Number;
        _lastIsEmpty = batch.IsEmptyBatch;
        _emptyAt = _lastIsEmpty ? Instant.Never : _now + EmptyBatchMicros;
#if MUTANTS
        if (Mutants.On(Mutant.EmptyBatchLeftOut)) _emptyAt = Instant.Never;
#endif
        BatchesWritten++;
#if MUTANTS
        if (!Mutants.On(Mutant.AcknowledgeBeforeSync))
#endif
        Report(batch);
        FreeSegments();
        LetOldBytesGo();
        _freeBatches.Push(batch);
        return true;
    }

    internal void Dispose()
    {
        foreach (var s in _ring) s.File.Dispose();
        foreach (var s in _spares) s.File.Dispose();
    }

    private static void Report(Batch batch)
    {
        foreach (ref readonly var t in batch.Touched)
            if (t.Ticket > t.Log.Durable) t.Log.Durable = t.Ticket;
    }

    /// <summary>The batch that gathers, begun when there is none; closed and begun anew when it cannot take the bytes and records.</summary>
    internal Batch Gathering(int regionBytes, int records, int variableBytes = 0)
    {
        if (_gathering is { } open)
        {
            if (open.OpCount == 0 || open.LengthWith(regionBytes, Batch.OpBytes * records + variableBytes) <= _batchLimit) return open;
            Close(open);
        }
        var batch = _freeBatches.Count > 0 ? _freeBatches.Pop() : new Batch();
        ulong number = _nextNumber++;
        batch.Begin(number, _table.Trim(number));
        batch.Chunk = _recent.Begin(number, 16 * 1024);
        batch.Start = batch.Chunk.Used;
        batch.FrontRoom = FrontRoomBytes;
        ref var place = ref _table.Add(number);
        place.Chunk = batch.Chunk;
        place.ChunkAt = batch.RegionStart;
        return _gathering = batch;
    }

    /// <summary>Room in the gathering batch's region for one record of an entry; its offset is the region's length before.</summary>
    internal Span<byte> TakeRegion(Batch batch, int bytes)
    {
        int at = batch.RegionStart + batch.RegionLength;
        if (at + bytes > batch.Chunk.Bytes.Length)
        {
            MoveToLarger(batch, batch.FrontRoom, batch.FrontRoom + batch.RegionLength + bytes);
            at = batch.RegionStart + batch.RegionLength;
        }
        batch.RegionLength += bytes;
        batch.Chunk.Used = batch.RegionStart + batch.RegionLength;
        return batch.Chunk.Bytes.AsSpan(at, bytes);
    }

    /// <summary>It waits for the one that is being written; what its headers need stays free behind it.</summary>
    private void Close(Batch batch)
    {
        batch.Limit = Math.Min(batch.Chunk.Bytes.Length, batch.Start + batch.LengthBound);
        batch.Chunk.Used = batch.Limit;
        _closed.Enqueue(batch);
        _gathering = null;
    }

    /// <summary>Moves a batch to a chunk of its own, with room for twice its bytes so that it seldom moves again.</summary>
    private void MoveToLarger(Batch batch, int frontRoom, int bytes)
    {
        var chunk = _recent.Larger(batch.Number, Math.Max(bytes, Math.Min(bytes * 2, _batchLimit)) + 4 * Limits.BlockBytes);
        batch.Chunk.Bytes.AsSpan(batch.RegionStart, batch.RegionLength).CopyTo(chunk.Bytes.AsSpan(frontRoom));
        if (batch.Chunk.LastBatch == batch.Number) batch.Chunk.Used = batch.Start;
        batch.Chunk = chunk;
        batch.Start = batch.Limit = 0;
        batch.FrontRoom = frontRoom;
        chunk.Used = frontRoom + batch.RegionLength;
        ref var place = ref _table[batch.Number];
        place.Chunk = chunk;
        place.ChunkAt = batch.RegionStart;
    }

    private void BeginEmptyBatch()
    {
        _emptyAt = Instant.Never;
        Gathering(0, 0).IsEmptyBatch = true;
    }

    private void LetOldBytesGo()
    {
        while (_recent.TakeOld(_durableNumber) is { } chunk)
        {
            for (ulong n = Math.Max(chunk.FirstBatch, _table.First); n <= chunk.LastBatch && n < _table.End; n++)
            {
                ref var place = ref _table[n];
                if (place.Chunk == chunk) place.Chunk = null;
            }
            _recent.Reuse(chunk);
        }
    }
}
