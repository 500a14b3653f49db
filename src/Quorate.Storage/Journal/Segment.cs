namespace Quorate.Storage;

/// <summary>A file of the ring (storage.md §1.1): zero-filled once, then recycled in place.</summary>
internal sealed class Segment(ulong number, string path, IDiskFile file, int length)
{
    public ulong Number { get; } = number;
    public string Path { get; } = path;
    public IDiskFile File { get; } = file;
    public int Length { get; } = length;

    /// <summary>Where the next batch begins.</summary>
    public int Used { get; set; }

    /// <summary>The highest batch number in it; 0 in a spare one.</summary>
    public ulong LastBatch { get; set; }

    /// <summary>Reads of it under way: its file is not closed beneath them.</summary>
    public int Reads { get; set; }

    /// <summary>Bytes of journal written before it, in this run.</summary>
    public long Before { get; set; }
}

/// <summary>One batch to the disk: one contiguous write, one sync.</summary>
internal sealed class JournalWrite(bool sync) : DiskWork
{
    public Segment Segment = null!;
    public byte[] Bytes = [];
    public int Start, Length;
    public long Offset;

    public override void Run(IDisk disk)
    {
        Segment.File.Write(Offset, Bytes.AsSpan(Start, Length));
#if MUTANTS
        if (sync && Mutants.On(Mutant.FailedSyncTriedAgain))
        {
            SyncTwice();
            return;
        }
#endif
        if (sync) Segment.File.Sync();
    }

#if MUTANTS
    /// <summary>Mutant: a sync that failed is tried again, as if its pages were still dirty.</summary>
    private void SyncTwice()
    {
        try
        {
            Segment.File.Sync();
        }
        catch (DiskException e) when (e.Failure == DiskFailure.Broken)
        {
            Segment.File.Sync();
        }
    }
#endif
}

/// <summary>Makes a segment: filled with zeros and synced under another name, renamed, and the directory synced; only then is it used (storage.md §6.1).</summary>
internal sealed class MakeSegment(string folder, ulong number, int length, StorageLevel level) : DiskWork
{
    private const int PieceBytes = 1024 * 1024;

    public ulong Number { get; } = number;
    public Segment? Made { get; private set; }

    public override void Run(IDisk disk)
    {
        string path = StorePaths.Segment(folder, Number), part = path + StorePaths.Part;
        var file = disk.Open(part, create: true);
        try
        {
            if (level != StorageLevel.Memory) file.Allocate(length);
            if (level == StorageLevel.Disk)
            {
                var piece = new byte[Math.Min(PieceBytes, length)];
                for (int at = 0; at < length; at += piece.Length) file.Write(at, piece.AsSpan(0, Math.Min(piece.Length, length - at)));
                file.Sync();
            }
            disk.Rename(part, path);
#if MUTANTS
            if (!Mutants.On(Mutant.SegmentUsedUnnamed))
#endif
            disk.SyncDirectory(folder);
        }
        catch (DiskException)
        {
            file.Dispose();
            Remove(disk, part); // what was allocated for it is given back
            throw;
        }
        Made = new Segment(Number, path, file, length);
    }

    private static void Remove(IDisk disk, string part)
    {
        try
        {
            disk.Delete(part);
        }
        catch (DiskException e) when (e.Failure == DiskFailure.NotFound)
        {
            return; // it had its name already: the directory's sync failed, and recovery will count it as a spare one
        }
    }
}

/// <summary>Removes a file that the ring does not need any more.</summary>
internal sealed class RemoveFile(string path, IDiskFile? file) : DiskWork
{
    public override void Run(IDisk disk)
    {
        file?.Dispose();
        disk.Delete(path);
    }
}
