namespace Quorate.Simulation;

/// <summary>The member that used the disk is gone in the middle of an operation; nobody but the world catches it.</summary>
#pragma warning disable CA1710 // a crash is a crash
public sealed class SimCrash() : Exception("the simulated machine stopped here");
#pragma warning restore CA1710

/// <summary>
/// A disk in a deterministic world: single-threaded, seeded. What is written is seen at once; what was not synced is lost in any subset and torn at any sector when the power goes (<see cref="Crash"/>),
/// and stays when only the process is killed (<see cref="Kill"/>). Names that were not synced are lost from the end backwards. Works run at simulated times, or half-run at a crash.
/// Full disk, failing operations, flipped bits and stalls on demand.
/// </summary>
public sealed partial class SimDisk : IDisk
{
    private readonly record struct NameChange(string Directory, string? Removed, string? Added, SimFile? File);

    private readonly SortedDictionary<string, SimFile> _names = new(StringComparer.Ordinal);        // as every process sees them
    private readonly SortedDictionary<string, SimFile> _durableNames = new(StringComparer.Ordinal); // as a power cut leaves them
    private readonly List<NameChange> _unsyncedNames = [];
    private readonly SortedDictionary<string, bool> _directories = new(StringComparer.Ordinal);     // and whether its name is durable
    private readonly SortedSet<string> _locks = new(StringComparer.Ordinal);
    private Prng _chance, _readChance; // how long a read takes moves nothing else that the seed draws
    private long _generation; // raised at a crash: handles of before are dead

    public SimDisk(ulong seed)
    {
        _chance = new Prng(seed);
        _readChance = new Prng(~seed);
    }

    /// <summary>Changes at <see cref="Crash"/>, as a machine's boot id does.</summary>
    public string BootId { get; private set; } = "boot-1";

    /// <summary>Every file that is seen now, by path.</summary>
    public IEnumerable<string> Paths => _names.Keys;

    public string[] List(string directory)
    {
        Step(SimDiskOp.Name, directory);
        var names = new List<string>();
        foreach (string path in _names.Keys)
            if (Path.GetDirectoryName(path) == directory) names.Add(Path.GetFileName(path));
        return [.. names];
    }

    public string[] ListDirectories(string directory)
    {
        Step(SimDiskOp.Name, directory);
        var names = new List<string>();
        foreach (string path in _directories.Keys)
            if (Path.GetDirectoryName(path) == directory) names.Add(Path.GetFileName(path));
        return [.. names];
    }

    public void CreateDirectory(string directory)
    {
        Step(SimDiskOp.Name, directory);
        for (string? d = directory; !string.IsNullOrEmpty(d) && !_directories.ContainsKey(d); d = Path.GetDirectoryName(d)) _directories.Add(d, Path.GetDirectoryName(d) is null or "/" or "");
    }

    public bool Exists(string path) => _names.ContainsKey(path);

    public IDiskFile Open(string path, bool create)
    {
        Step(SimDiskOp.Name, path);
        if (!_names.TryGetValue(path, out var file))
        {
            if (!create) throw new DiskException(DiskFailure.NotFound, $"{path}: no such file");
            file = new SimFile();
            Change(new NameChange(Directory(path), null, path, file));
        }
        return new Handle(this, path, file);
    }

    public void Rename(string from, string to)
    {
        Step(SimDiskOp.Name, from);
        if (!_names.TryGetValue(from, out var file)) throw new DiskException(DiskFailure.NotFound, $"{from}: no such file");
        Change(new NameChange(Directory(to), from, to, file));
    }

    public void Delete(string path)
    {
        Step(SimDiskOp.Name, path);
        if (!_names.ContainsKey(path)) throw new DiskException(DiskFailure.NotFound, $"{path}: no such file");
        Change(new NameChange(Directory(path), path, null, null));
    }

    public void SyncDirectory(string directory)
    {
        Step(SimDiskOp.Sync, directory);
        var rest = new List<NameChange>();
        foreach (var change in _unsyncedNames)
        {
            if (change.Directory == directory) Apply(_durableNames, change);
            else rest.Add(change);
        }
        _unsyncedNames.Clear();
        _unsyncedNames.AddRange(rest);
        foreach (string child in _directories.Keys.ToArray())
            if (Path.GetDirectoryName(child) == directory) _directories[child] = true;
    }

    public IDisposable Lock(string directory)
    {
        if (!_locks.Add(directory)) throw new DiskException(DiskFailure.Locked, $"{directory} is in use by another process");
        return new HeldLock(this, directory, _generation);
    }

    /// <summary>The power goes: works stop half-run, what was not synced is lost in any subset, names from the end backwards; another boot follows.</summary>
    public void Crash()
    {
        StopWorks();
        // Each file once, in the order of its names; a file without any name is gone.
        var files = new List<SimFile>();
        foreach (var file in _names.Values.Concat(_durableNames.Values).Concat(_unsyncedNames.Where(c => c.File is not null).Select(c => c.File!)))
            if (!files.Contains(file)) files.Add(file);
        foreach (var file in files) file.CutPower(ref _chance);
        LoseNames();
        _boots++;
        BootId = FormattableString.Invariant($"boot-{_boots}");
        _generation++;
        _locks.Clear();
        _budget = long.MaxValue;
        _stopped = false;
    }

    /// <summary>The process is killed: works stop half-run, but everything written stays in the page cache, synced or not.</summary>
    public void Kill()
    {
        StopWorks();
        _generation++;
        _locks.Clear();
        _budget = long.MaxValue;
        _stopped = false;
    }

    private void LoseNames()
    {
        var cut = new SortedDictionary<string, bool>(StringComparer.Ordinal); // directories whose further changes are lost
        foreach (var change in _unsyncedNames)
        {
            if (cut.ContainsKey(change.Directory)) continue;
            if (_chance.Chance(0.5)) Apply(_durableNames, change);
            else cut.Add(change.Directory, true);
        }
        _unsyncedNames.Clear();
        foreach (string directory in _directories.Keys.ToArray())
        {
            if (!_directories.TryGetValue(directory, out bool durable) || durable) continue;
            if (_chance.Chance(0.5)) _directories[directory] = true;
            else Forget(directory);
        }
        _names.Clear();
        foreach (var (path, file) in _durableNames) _names.Add(path, file);
    }

    private void Forget(string directory)
    {
        foreach (string path in _durableNames.Keys.ToArray())
            if (path.StartsWith(directory + "/", StringComparison.Ordinal)) _durableNames.Remove(path);
        foreach (string child in _directories.Keys.ToArray())
            if (child == directory || child.StartsWith(directory + "/", StringComparison.Ordinal)) _directories.Remove(child);
    }

    private void Change(in NameChange change)
    {
        Apply(_names, change);
        _unsyncedNames.Add(change);
    }

    private static void Apply(SortedDictionary<string, SimFile> names, in NameChange change)
    {
        if (change.Removed is not null) names.Remove(change.Removed);
        if (change.Added is not null) names[change.Added] = change.File!;
    }

    private static string Directory(string path) => Path.GetDirectoryName(path) ?? "";

    private int _boots = 1;

    private sealed class HeldLock(SimDisk disk, string directory, long generation) : IDisposable
    {
        public void Dispose()
        {
            if (disk._generation == generation) disk._locks.Remove(directory);
        }
    }

    private sealed class Handle(SimDisk disk, string path, SimFile file) : IDiskFile
    {
        private readonly long _opened = disk._generation;

        public long Length => file.Length;

        public int Read(long offset, Span<byte> into)
        {
            Check(SimDiskOp.Read);
            CheckReadable(offset, into.Length);
            return file.Read(offset, into, pastCache: false);
        }

        public int ReadPastCache(long offset, Span<byte> into)
        {
            if (offset % Limits.BlockBytes != 0 || into.Length % Limits.BlockBytes != 0) throw new ArgumentException("reads past the cache are of whole blocks");
            Check(SimDiskOp.Read);
            CheckReadable(offset, into.Length);
            return file.Read(offset, into, pastCache: true);
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            Check(SimDiskOp.Write);
            disk.TakeRoom(path, file, offset + bytes.Length);
            file.Write(offset, bytes);
            long end = offset + bytes.Length;
            file.Unreadable.RemoveAll(b => b >= offset && b + Limits.BlockBytes <= end); // the device puts a block that is written whole elsewhere
        }

        public void Sync()
        {
            try
            {
                Check(SimDiskOp.Sync);
            }
            catch (DiskException)
            {
                file.FailSync(ref disk._chance);
                throw;
            }
            file.Sync();
        }

        public void Allocate(long length)
        {
            Check(SimDiskOp.Write);
            if (length <= file.Length) return;
            disk.TakeRoom(path, file, length);
            file.SetLength(length);
        }

        public void Truncate(long length)
        {
            Check(SimDiskOp.Write);
            if (length != file.Length) file.SetLength(length);
        }

        public void Dispose()
        {
            // a handle holds nothing
        }

        private void Check(SimDiskOp op)
        {
            if (disk._generation != _opened) throw new InvalidOperationException($"{path} was opened before the crash");
            disk.Step(op, path);
        }

        private void CheckReadable(long offset, int bytes)
        {
            foreach (long block in file.Unreadable)
                if (block + Limits.BlockBytes > offset && block < offset + bytes) throw new DiskException(DiskFailure.Broken, $"{path}: read: input/output error at {block}");
        }
    }
}
