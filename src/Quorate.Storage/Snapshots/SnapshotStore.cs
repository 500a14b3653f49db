namespace Quorate.Storage;

public enum SnapshotEventKind : byte
{
    /// <summary>An own snapshot is whole, synced, and was read back past the page cache.</summary>
    Stored,

    /// <summary>An own snapshot came to nothing; the previous one and the log stay.</summary>
    Failed,

    /// <summary>A leader's snapshot is whole, synced, and was read back; a switch may name it.</summary>
    Received,
    ReceiveFailed,
}

/// <summary>What became of a snapshot.</summary>
public readonly record struct SnapshotEvent(SnapshotEventKind Kind, int Partition, SnapshotIdentity Identity, BodyHandle Body, string Reason);

/// <summary>
/// A member's snapshots (storage.md §4): written in slices beside the work, counted only after a read past the page cache; until then neither the previous one nor the log behind it is touched.
/// Pumped; the disk works in the background queue.
/// </summary>
public sealed partial class SnapshotStore
{
    private readonly IDisk _disk;
    private readonly StorageOptions _options;
    private readonly INotes _notes;
    private readonly string _folder;
    private readonly Journal _journal;
    private readonly List<SnapshotFile> _files = [];
    private readonly List<SnapshotSink> _sinks = [];
    private readonly Queue<SnapshotEvent> _events = new();
    private readonly Stack<byte[]> _blocks = new();
    private readonly List<(int Partition, long Token, ulong Batch)> _switching = [];
    private long _nextToken = 1;
    private long _allowance, _allowanceAt;

    internal SnapshotStore(IDisk disk, StorageOptions options, INotes notes, string folder, Journal journal)
    {
        _disk = disk;
        _options = options;
        _notes = notes;
        _folder = folder;
        _journal = journal;
        journal.Snapshots = this;
    }

    /// <summary>Begins a snapshot of the state at a position. The configuration that rules there goes with it.</summary>
    public SnapshotWriter BeginWrite(int partition, SnapshotIdentity identity)
    {
        var log = _journal.Partition(partition);
        var writer = new SnapshotWriter(this, partition, identity, log.Facts.ConfigurationAtMost(identity.Index))
        {
            PartPath = StorePaths.Snapshot(_folder, partition, identity, installed: false) + StorePaths.Part,
            WrittenMark = log.WrittenMark,
            Already = Find(f => f.Partition == partition && !f.Retired && f.Identity.Index >= identity.Index && (!f.Installed || f.Identity == log.Facts.Installed)),
        };
        Begin(writer);
        return writer;
    }

    /// <summary>Begins to take a leader's snapshot of so many bytes.</summary>
    public SnapshotReceiver BeginReceive(int partition, SnapshotIdentity identity, long bytes)
    {
        var receiver = new SnapshotReceiver(this, partition, identity, bytes)
        {
            PartPath = StorePaths.Snapshot(_folder, partition, identity, installed: true) + StorePaths.Part,
            Already = Find(f => f.Partition == partition && !f.Retired && f.Installed && f.Identity == identity),
        };
        Begin(receiver);
        return receiver;
    }

    public bool TryTakeEvent(out SnapshotEvent e) => _events.TryDequeue(out e);

    /// <summary>What a leader streams: the newest whole snapshot; default when there is none.</summary>
    public BodyHandle Newest(int partition) => NewestFile(partition)?.Handle ?? default;

    /// <summary>A peer's stream of a body; its file stays until the stream's end. Null when the body is gone.</summary>
    public BodyStream? OpenBody(in BodyHandle body) => FileOf(body) is { } file ? new BodyStream(this, file) : null;

    /// <summary>Blocks of bodies that the disk has to read.</summary>
    internal int ReadsUnderWay { get; private set; }

    internal ReadBlockWork BeginRead(BodyStream stream, SnapshotFile file, long at, long number)
    {
        var work = new ReadBlockWork(stream, file, TakeBlock(), at, number);
        ReadsUnderWay++;
        _disk.Submit(DiskQueue.Reads, work);
        return work;
    }

    internal void EndRead(ReadBlockWork work) => GiveBlock(work.Bytes);

    internal void Unpin(in BodyHandle body)
    {
        if (FileOf(body) is not { } file) return;
        file.Pins--;
        if (file.Retired && file.Pins <= 0) LetGo(file);
    }

    /// <summary>Null when the body is gone.</summary>
    public SnapshotReader? TryOpenForRestore(in BodyHandle body) => FileOf(body) is { } file ? new SnapshotReader(file) : null;

    /// <summary>Opens a body that must be there (a pinned one, or one that was just received).</summary>
    public SnapshotReader OpenForRestore(in BodyHandle body) => TryOpenForRestore(body) ?? throw new InvariantException("ASnapshotToRestoreIsThere", $"index {body.Snapshot.Index}");

    /// <summary>Null when the body is gone or names none.</summary>
    public ConfigurationAt? ConfigurationOf(int partition, in BodyHandle body) => FileOf(body) is { } f && f.Partition == partition ? f.Configuration : null;

    /// <summary>Works of this store are under way.</summary>
    public bool IsBusy => _sinks.Count > 0 || _growing is not null;

    /// <summary>A switch that names this body was gathered; what it replaces goes when that is durable.</summary>
    internal void Switched(int partition, in BodyHandle body) => _switching.Add((partition, body.Token, _journal.Current?.Number ?? 0));

    internal void Pump(Instant now)
    {
        RefillAllowance(now);
        for (int i = 0; i < _sinks.Count; i++) PumpSink(_sinks[i]);
        _sinks.RemoveAll(static s => s.Over);
        for (int i = _switching.Count - 1; i >= 0; i--)
        {
#if MUTANTS
            if (!Mutants.On(Mutant.SnapshotReplacedEarly))
#endif
            if (_switching[i].Batch > _journal.DurableNumber) continue;
            if (FileOf(new BodyHandle(default, _switching[i].Token, 0)) is { } file) Replace(file);
            _switching.RemoveAt(i);
        }
        PumpReserve(now);
    }

    internal long NextWake(Instant now)
    {
        foreach (var s in _sinks)
            if (s.HasWaiting) return now.Micros + 1_000;
        return _reserveRetryAt;
    }

    internal byte[] TakeBlock() => _blocks.Count > 0 ? _blocks.Pop() : GC.AllocateUninitializedArray<byte>(SnapshotFormat.BlockBytes);

    internal void GiveBlock(byte[] block)
    {
        if (block.Length == SnapshotFormat.BlockBytes && _blocks.Count < 4) _blocks.Push(block);
    }

    /// <summary>True when the work was this store's.</summary>
    internal bool Take(DiskWork work)
    {
        switch (work)
        {
            case OpenSnapshotWork open:
                if (work.Failure is not null) open.Sink.Broken = true;
                return true;
            case WriteSnapshotWork write:
                write.Sink.Unwritten -= write.Length;
                GiveBlock(write.Bytes);
                return true;
            case PublishSnapshotWork publish:
                Published(publish);
                return true;
            case ReadBlockWork read:
                ReadsUnderWay--;
                if (read.Length == 0) _notes.Note(3, FormattableString.Invariant($"partition {read.File.Partition}: the snapshot at {read.File.Identity.Index} is damaged since it was stored: file {read.File.Path}, offset {read.At}{(read.Failure is null ? "" : ": " + read.Failure.Message)}"));
                read.Stream.Arrived(read);
                return true;
            case DropSnapshotWork:
                return true; // what could not be removed is removed at the next start
            case GrowReserveWork grow:
                Grown(grow);
                return true;
            default:
                return false;
        }
    }

    internal void Dispose()
    {
        foreach (var f in _files) f.File.Dispose();
        foreach (var c in _candidates) c.File.Dispose();
        _reserve?.Dispose();
    }

    private void Begin(SnapshotSink sink)
    {
        _sinks.Add(sink);
        if (sink.Already is not null) return;
        sink.FromReserve = TakeReserve(sink is SnapshotWriter);
        _disk.Submit(DiskQueue.Background, new OpenSnapshotWork(sink, sink.PartPath, sink.FromReserve ? Path.Join(_folder, StorePaths.ReserveName) : null));
    }

    private void PumpSink(SnapshotSink sink)
    {
        if (sink.Publishing) return;
        if (sink.Abandoned)
        {
            if (sink.Already is null) _disk.Submit(DiskQueue.Background, new DropSnapshotWork(sink, null, sink.PartPath)); // behind what it still writes
            sink.Over = true;
            return;
        }
        while (sink.HasWaiting && _allowance > 0)
        {
            _allowance -= sink.NextBytes;
            _disk.Submit(DiskQueue.Background, sink.TakeNext());
        }
        if (!sink.Finished || sink.HasWaiting) return;
        sink.Publishing = true;
        if (sink.Already is { } already)
        {
            sink.Over = true;
            Report(sink, already);
            return;
        }
        string path = sink.PartPath[..^StorePaths.Part.Length];
        _disk.Submit(DiskQueue.Background, new PublishSnapshotWork(sink, _folder, sink.PartPath, path, sink.Total));
    }

    private void Published(PublishSnapshotWork work)
    {
        var sink = work.Sink;
        bool own = sink is SnapshotWriter;
        _sinks.Remove(sink);
        if (work.Failure is { } failure)
        {
            _notes.Note(2, $"a snapshot of partition {sink.Partition} at {sink.Identity.Index} came to nothing: {failure.Message}");
            _disk.Submit(DiskQueue.Background, new DropSnapshotWork(sink, null, sink.PartPath));
            _disk.Submit(DiskQueue.Background, new DropSnapshotWork(null, null, work.Path)); // it may have got its name
            _events.Enqueue(new SnapshotEvent(own ? SnapshotEventKind.Failed : SnapshotEventKind.ReceiveFailed, sink.Partition, sink.Identity, default, failure.Message));
            return;
        }
        var file = new SnapshotFile(_nextToken++, sink.Partition, sink.Identity, work.Path, !own, sink.File!, sink.Total) { Configuration = work.Check.Configuration, Rows = work.Check.Rows };
        _files.Add(file);
        if (own)
        {
            _journal.Partition(sink.Partition).SnapshotIs(sink.Identity, sink.WrittenMark);
            Replace(file);
        }
        Report(sink, file);
    }

    private void Report(SnapshotSink sink, SnapshotFile file) =>
        _events.Enqueue(new SnapshotEvent(sink is SnapshotWriter ? SnapshotEventKind.Stored : SnapshotEventKind.Received, sink.Partition, sink is SnapshotWriter && sink.Already is not null ? file.Identity : sink.Identity, file.Handle, ""));

    /// <summary>Every older file of its partition goes: the new one was read back, and, when it is a leader's, its switch is durable.</summary>
    private void Replace(SnapshotFile by)
    {
        foreach (var f in _files.ToArray())
        {
            if (f.Partition != by.Partition || f == by || f.Retired) continue;
            if (f.Identity.Index > by.Identity.Index || IsSwitching(f)) continue;
            f.Retired = true;
            if (f.Pins <= 0) LetGo(f);
        }
    }

    private bool IsSwitching(SnapshotFile file) => _switching.Exists(s => s.Token == file.Token);

    private void LetGo(SnapshotFile file)
    {
        _files.Remove(file);
        if (TryMakeReserve(file)) return;
        _disk.Submit(DiskQueue.Background, new DropSnapshotWork(null, file.File, file.Path));
    }

    private SnapshotFile? NewestFile(int partition)
    {
        SnapshotFile? newest = null;
        foreach (var f in _files)
            if (f.Partition == partition && !f.Retired && (newest is null || f.Identity.Index > newest.Identity.Index) && Counts(f)) newest = f;
        return newest;
    }

    /// <summary>Own, or named by a switch that is durable.</summary>
    private bool Counts(SnapshotFile file) => !file.Installed || (!IsSwitching(file) && _journal.Partition(file.Partition).Facts.Installed == file.Identity);

    private SnapshotFile? FileOf(in BodyHandle body)
    {
        long token = body.Token;
        return token == 0 ? null : Find(f => f.Token == token);
    }

    private SnapshotFile? Find(Predicate<SnapshotFile> match) => _files.Find(match);

    private void RefillAllowance(Instant now)
    {
        long gained = (long)((Int128)(now.Micros - _allowanceAt) * _options.SnapshotBytesPerSecond / 1_000_000);
        if (gained <= 0 && _allowance > 0) return;
        _allowance = Math.Min(_allowance + Math.Max(0, gained), 4L * SnapshotFormat.BlockBytes);
        _allowanceAt = now.Micros;
    }
}
