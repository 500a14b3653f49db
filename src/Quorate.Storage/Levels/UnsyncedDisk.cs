namespace Quorate.Storage;

/// <summary>
/// Level mapped (storage.md §5): everything is written to the page cache and nothing waits for the device, so it survives the process and not the machine. The journal is the same; only the syncs are left out.
/// </summary>
internal sealed class UnsyncedDisk(IDisk disk) : IDisk
{
    private readonly Stack<Unsynced> _free = new();

    public string BootId => disk.BootId;

    public string[] List(string directory) => disk.List(directory);

    public string[] ListDirectories(string directory) => disk.ListDirectories(directory);

    public void CreateDirectory(string directory) => disk.CreateDirectory(directory);

    public bool Exists(string path) => disk.Exists(path);

    public IDiskFile Open(string path, bool create) => new File(disk.Open(path, create));

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void SyncDirectory(string directory)
    {
        // the page cache shows the name to the next process
    }

    public IDisposable Lock(string directory) => disk.Lock(directory);

    public void Submit(DiskQueue queue, DiskWork work)
    {
        var wrapped = _free.Count > 0 ? _free.Pop() : new Unsynced();
        wrapped.Work = work;
        wrapped.Disk = this;
        wrapped.Failure = null;
        disk.Submit(queue, wrapped);
    }

    public bool TryComplete(out DiskWork work)
    {
        if (!disk.TryComplete(out var done))
        {
            work = null!;
            return false;
        }
        var wrapped = (Unsynced)done;
        work = wrapped.Work!;
        work.Failure = done.Failure;
        wrapped.Work = null;
        _free.Push(wrapped);
        return true;
    }

    /// <summary>Runs a work of this level with this level's files.</summary>
    private sealed class Unsynced : DiskWork
    {
        public DiskWork? Work;
        public IDisk? Disk;

        public override void Run(IDisk disk) => Work!.Run(Disk!);
    }

    private sealed class File(IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> into) => file.Read(offset, into);

        public int ReadPastCache(long offset, Span<byte> into) => file.Read(offset, into);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => file.Write(offset, bytes);

        public void Sync()
        {
            // what was written survives the process already
        }

        public void Allocate(long length) => file.Allocate(length);

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
