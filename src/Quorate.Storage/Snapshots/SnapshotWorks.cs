namespace Quorate.Storage;

/// <summary>Opens the file that a snapshot is written into: the reserve under another name when there is one, else a new file (storage.md §3.3).</summary>
internal sealed class OpenSnapshotWork(SnapshotSink sink, string path, string? reserve) : DiskWork
{
    public SnapshotSink Sink { get; } = sink;

    public override void Run(IDisk disk)
    {
        try
        {
            if (reserve is not null) disk.Rename(reserve, path);
            Sink.File = disk.Open(path, create: true);
        }
        catch (DiskException)
        {
            Sink.Broken = true; // the pieces behind it in the queue have no file
            throw;
        }
    }
}

/// <summary>Writes a piece of a snapshot; syncs when told, so that no giant flush stalls the journal on the same disk.</summary>
internal sealed class WriteSnapshotWork(SnapshotSink sink, byte[] bytes, int length, long offset, bool sync) : DiskWork
{
    public SnapshotSink Sink { get; } = sink;
    public byte[] Bytes { get; } = bytes;
    public int Length { get; } = length;

    public override void Run(IDisk disk)
    {
        if (Sink.Broken) return;
        try
        {
            Sink.File!.Write(offset, Bytes.AsSpan(0, Length));
            if (sync) Sink.File.Sync();
        }
        catch (DiskException)
        {
            Sink.Broken = true;
            throw;
        }
    }
}

/// <summary>Syncs, gives it its name, syncs the directory, and reads all of it back past the page cache; only after that is it stored (storage.md §4.3).</summary>
internal sealed class PublishSnapshotWork(SnapshotSink sink, string folder, string part, string path, long bytes) : DiskWork
{
    public SnapshotSink Sink { get; } = sink;
    public string Path { get; } = path;
    public SnapshotCheck Check { get; private set; }

    public override void Run(IDisk disk)
    {
        if (Sink.Broken) throw new DiskException(DiskFailure.Broken, $"{part}: an earlier piece could not be written");
        Sink.File!.Truncate(bytes);
        Sink.File.Sync();
        disk.Rename(part, Path);
#if MUTANTS
        if (!Mutants.On(Mutant.SnapshotUnnamed))
#endif
        disk.SyncDirectory(folder);
#if MUTANTS
        if (Mutants.On(Mutant.SnapshotUsedUnread) || Mutants.On(Mutant.SnapshotNotReadBack))
        {
            Check = new SnapshotCheck(true, 0, bytes, 0, null);
            return;
        }
#endif
        try
        {
            Check = SnapshotCheck.Of(Sink.File, Sink.Partition, Sink.Identity);
        }
        catch (StorageRefusal newer)
        {
            throw new DiskException(DiskFailure.Broken, $"{Path}: {newer.Message}", newer); // a leader of a newer version sent it: this one file is of no use
        }
        if (!Check.Whole) throw new DiskException(DiskFailure.Broken, FormattableString.Invariant($"{Path}: what was written does not read back whole at offset {Check.BadOffset}"));
    }
}

/// <summary>Removes what a snapshot that came to nothing left.</summary>
internal sealed class DropSnapshotWork(SnapshotSink? sink, IDiskFile? file, string path) : DiskWork
{
    public override void Run(IDisk disk)
    {
        (file ?? sink?.File)?.Dispose();
        if (disk.Exists(path)) disk.Delete(path);
    }
}

/// <summary>Makes the reserve as large as it must be; reserved, not filled (storage.md §3.3).</summary>
internal sealed class GrowReserveWork(string folder, string? from, IDiskFile? file, long bytes) : DiskWork
{
    private IDiskFile? _file = file;

    public long Bytes { get; } = bytes;
    public IDiskFile? File => _file;

    /// <summary>What is reserved when it failed.</summary>
    public long Reached { get; private set; }

    public override void Run(IDisk disk)
    {
        string path = System.IO.Path.Join(folder, StorePaths.ReserveName);
        if (from is not null)
        {
            disk.Rename(from, path);
            disk.SyncDirectory(folder);
        }
        _file ??= disk.Open(path, create: true);
        Reached = _file.Length;
        _file.Allocate(Bytes);
        _file.Sync();
    }
}
