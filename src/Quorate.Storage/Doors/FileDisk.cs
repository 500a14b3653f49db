using System.Globalization;

namespace Quorate.Storage.Doors;

/// <summary>
/// The real disk. One thread for the journal, one for what a serving member reads, one for everything else; what they finish waits in a queue for the strand, and the bell says that something does.
/// On Linux by the system's own calls, elsewhere by the framework's.
/// </summary>
public sealed class FileDisk : IDisk, IDisposable
{
    /// <summary>Micros: the strand may sync by itself while syncs are faster than this (DESIGN §4).</summary>
    private const double FastSyncMicros = 300;
    private readonly Queue<DiskWork> _done = new();
    private readonly object _gate = new();
    private readonly Action _bell;
    private readonly WorkQueue _journal, _background, _reads;
    private readonly bool _linux;

    /// <param name="bell">Called from the disk's threads when a finished work waits to be taken; it wakes the strand.</param>
    /// <param name="portable">Uses the framework's calls though the system has better ones (tests).</param>
    public FileDisk(Action bell, bool portable = false)
    {
        _bell = bell;
        _linux = OperatingSystem.IsLinux() && !portable;
        BootId = ReadBootId();
        _journal = new WorkQueue("quorate-journal", this, Finished);
        _background = new WorkQueue("quorate-disk", this, Finished);
        _reads = new WorkQueue("quorate-read", this, Finished);
    }

    public string BootId { get; }

    /// <summary>Set by the strand for the pump that it is about to make, when no socket was ready and nothing else is in flight: the journal's batch is then written and synced on the strand, which saves a hop
    /// to a sleeping thread and back, as long as the last syncs were fast.</summary>
    public bool MaySyncHere { get; set; }

    public string[] List(string directory) => Names(directory, Directory.GetFiles);

    public string[] ListDirectories(string directory) => Names(directory, Directory.GetDirectories);

    public void CreateDirectory(string directory) => PortableFile.Guarded(directory, () => Directory.CreateDirectory(directory));

    public bool Exists(string path) => File.Exists(path);

    public IDiskFile Open(string path, bool create) => _linux ? new LinuxFile(path, create) : new PortableFile(path, create);

    public void Rename(string from, string to)
    {
        if (!_linux) PortableFile.Guarded(from, () => File.Move(from, to, overwrite: true));
        else if (Libc.rename(from, to) != 0) throw Libc.LastError(from, "rename");
    }

    public void Delete(string path)
    {
        if (!_linux) PortableFile.Guarded(path, () => File.Delete(path));
        else if (Libc.unlink(path) != 0) throw Libc.LastError(path, "unlink");
    }

    public void SyncDirectory(string directory)
    {
        if (!_linux) return; // elsewhere a name is as durable as the system makes it
        int fd = Libc.open(directory, Libc.O_RDONLY | Libc.Directory | Libc.O_CLOEXEC, 0);
        if (fd < 0) throw Libc.LastError(directory, "open");
        try
        {
            if (Libc.fsync(fd) != 0) throw Libc.LastError(directory, "fsync");
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    public IDisposable Lock(string directory)
    {
        string path = Path.Join(directory, "lock");
        if (!_linux) return LockPortable(path);
        int fd = Libc.open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC, 0x1a4);
        if (fd < 0) throw Libc.LastError(path, "open");
        if (Libc.flock(fd, Libc.LOCK_EX | Libc.LOCK_NB) == 0) return new HeldLock(fd);
        int error = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
        _ = Libc.close(fd);
        throw error == Libc.EAGAIN ? new DiskException(DiskFailure.Locked, $"{directory} is in use by another process") : Libc.Error(path, "flock", error);
    }

    public void Submit(DiskQueue queue, DiskWork work)
    {
        if (queue == DiskQueue.Journal)
        {
            if (!MaySyncHere || !_journal.TryRunHere(work, FastSyncMicros)) _journal.Add(work);
        }
        else (queue == DiskQueue.Reads ? _reads : _background).Add(work);
    }

    public bool TryComplete(out DiskWork work)
    {
        lock (_gate) return _done.TryDequeue(out work!);
    }

    /// <summary>Ends its threads, behind what they were given.</summary>
    public void Dispose()
    {
        _journal.Dispose();
        _reads.Dispose();
        _background.Dispose();
    }

    private void Finished(DiskWork work)
    {
        lock (_gate) _done.Enqueue(work);
        _bell();
    }

    private static string[] Names(string directory, Func<string, string[]> list)
    {
        if (!Directory.Exists(directory)) return [];
        var names = PortableFile.Guarded(directory, () => list(directory));
        for (int i = 0; i < names.Length; i++) names[i] = Path.GetFileName(names[i]);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    private static FileStream LockPortable(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new DiskException(DiskFailure.Locked, $"{path} is held by another process", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw PortableFile.Error(path, e);
        }
    }

    /// <summary>Linux says which boot it is; elsewhere the time of the boot, to the minute, serves.</summary>
    private static string ReadBootId()
    {
        const string file = "/proc/sys/kernel/random/boot_id";
        if (File.Exists(file)) return File.ReadAllText(file).Trim();
        var booted = DateTime.UtcNow - TimeSpan.FromMilliseconds(Environment.TickCount64);
        return new DateTime(booted.Ticks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture);
    }

    private sealed class HeldLock(int fd) : IDisposable
    {
        private int _fd = fd;

        public void Dispose()
        {
            if (_fd >= 0) _ = Libc.close(_fd);
            _fd = -1;
        }
    }
}
