namespace Quorate.Storage;

/// <summary>
/// All that a member keeps on one data directory at one level (storage.md): identity, journal, snapshots. Pumped by the member's strand; the disk door does the waiting.
/// </summary>
public sealed class MemberStore : IDisposable
{
    private readonly IDisk _disk;
    private readonly IDisposable? _lock;
    private readonly string _root;
    private readonly INotes _notes;
    private Instant _now;

    private MemberStore(IDisk disk, string root, IDisposable? held, IdentityFile identity, Journal journal, SnapshotStore snapshots, bool fresh, INotes notes)
    {
        _disk = disk;
        _root = root;
        _lock = held;
        _notes = notes;
        Identity = identity;
        Journal = journal;
        Snapshots = snapshots;
        Fresh = fresh;
    }

    public IdentityFile Identity { get; }
    public Journal Journal { get; }
    public SnapshotStore Snapshots { get; }

    /// <summary>The directory id was drawn at this start: nothing of before counts.</summary>
    public bool Fresh { get; }

    /// <summary>What recovery found damaged and still needed, by file and offset (§2.1). The marks that Start is told come from it.</summary>
    public IReadOnlyList<StorageDamage> Damage => Journal.Damage;

    /// <summary>A failed journal write or sync: the member stops (storage.md §2.5).</summary>
    public DiskException? Failed => Journal.Failed;

    /// <summary>When Pump has something to do without a bell.</summary>
    public long NextWake => _disk is MemoryDisk { HasDone: true } ? _now.Micros : Math.Min(Journal.NextWake, Snapshots.NextWake(_now));

    /// <summary>
    /// Opens or creates: lock, identity, run raised, journal recovered, snapshots chosen, opening written; all of it durable when it returns. Throws <see cref="StorageRefusal"/> with one clear line, or
    /// <see cref="DiskException"/> when the disk says no.
    /// </summary>
    public static MemberStore Open(IDisk disk, StorageOptions options, ISeed seed, INotes notes)
    {
        long least = Journal.LeastSegmentBytes(options.MaxEntryBytes, 1);
        if (options.SegmentBytes < least || options.SegmentBytes % Limits.BlockBytes != 0)
            throw new StorageRefusal($"SegmentBytes is {options.SegmentBytes}; for entries of up to {options.MaxEntryBytes} bytes it must be at least {least}, and a multiple of {Limits.BlockBytes}");
        disk = options.Level switch
        {
            StorageLevel.Memory => new MemoryDisk(),
            StorageLevel.Mapped => new UnsyncedDisk(disk),
            _ => disk,
        };
        string root = StorePaths.Root(options);
        CreateRoot(disk, options, root);
        var held = TakeLock(disk, root);
        try
        {
            var identity = OpenIdentity(disk, root, options, seed, out bool fresh);
            try
            {
                return Recover(disk, root, held, options, identity, seed, notes, fresh);
            }
            catch
            {
                identity.Dispose();
                throw;
            }
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Takes what the disk finished, seals and submits the next batch, makes segments ahead, moves snapshots on.</summary>
    public void Pump(Instant now)
    {
        _now = now;
        TakeCompletions();
        Journal.Pump(now);
        TakeCompletions(); // a door that syncs on the strand has finished already
        Snapshots.Pump(now);
    }

    /// <summary>From now on everything gathered goes out at once, and the empty batch behind it (§1.6); pump until <see cref="IsClosed"/>.</summary>
    public void BeginClose() => Journal.BeginClose();

    /// <summary>Everything is on the disk, or never will be.</summary>
    public bool IsClosed => Journal.IsClosed && Snapshots.ReadsUnderWay == 0;

    /// <summary>
    /// The line with which a group of one voter stops (§2.4): nobody else holds what is lost. Null when this partition has no damage.
    /// </summary>
    public StorageRefusal? RefusalAlone(int partition)
    {
        foreach (var d in Damage)
            if (d.Partition == partition || d.Partition < 0) return Alone(d);
        return null;
    }

    private static StorageRefusal Alone(StorageDamage d) =>
        new($"{d.What}: file {d.File}, offset {d.Offset}. This member is the only voter, so nobody else holds it. Choices: restore {d.File} from a backup and start again; or start with an empty data directory and lose everything");

    /// <summary>The member is caught up and votes again: journals of directory ids that it gave up may go (§2.1).</summary>
    public void RemoveOldDirectories()
    {
        string own = Path.GetFileName(StorePaths.Folder(_root, Identity.Directory));
        foreach (string name in _disk.ListDirectories(_root))
        {
            if (name == own) continue;
            string folder = Path.Join(_root, name);
            string[] files = _disk.List(folder);
            if (files.Length == 0) continue;
            foreach (string file in files) _disk.Submit(DiskQueue.Background, new RemoveFile(Path.Join(folder, file), null)); // whole segments: not while clients wait
            _notes.Note(1, $"the old journal in {folder} is not needed any more: its {files.Length} files are removed");
        }
    }

    public void Dispose()
    {
        Identity.Dispose();
        Journal.Dispose();
        Snapshots.Dispose();
        _lock?.Dispose();
    }

    private void TakeCompletions()
    {
        while (_disk.TryComplete(out var work))
            if (!Journal.Take(work)) Snapshots.Take(work);
    }

    private static void CreateRoot(IDisk disk, StorageOptions options, string root)
    {
        disk.CreateDirectory(root);
        if (options.Level != StorageLevel.Disk) return;
        // The names on the way to the identity must be as durable as it is. The data directory's own parent may be out of our reach; then its name is the operator's.
        disk.SyncDirectory(options.DataDirectory);
        if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(options.DataDirectory)) is not { Length: > 0 } parent) return;
        try
        {
            disk.SyncDirectory(parent);
        }
        catch (DiskException e) when (e.Failure is DiskFailure.Denied or DiskFailure.NotFound)
        {
            return;
        }
    }

    private static IDisposable TakeLock(IDisk disk, string root)
    {
        try
        {
            return disk.Lock(root);
        }
        catch (DiskException e) when (e.Failure == DiskFailure.Locked)
        {
            throw new StorageRefusal($"{root} is in use by another process");
        }
    }

    private static IdentityFile OpenIdentity(IDisk disk, string root, StorageOptions options, ISeed seed, out bool fresh)
    {
        fresh = !disk.Exists(StorePaths.Identity(root));
        if (fresh)
        {
            // Segments or snapshots without an identity: whose they are, and what they promised, nobody knows (§6.1).
            foreach (string name in disk.ListDirectories(root))
                if (disk.List(Path.Join(root, name)).Length > 0) throw new StorageRefusal($"{root} holds a journal but no identity; restore {StorePaths.Identity(root)}, or empty {options.DataDirectory}");
            var made = IdentityFile.Create(disk, root, options, seed);
            if (options.Level == StorageLevel.Memory) made.DrawRun(seed);
            else made.RaiseRun(disk.BootId);
            return made;
        }
        var identity = IdentityFile.Load(disk, root, options);
        if (options.Level == StorageLevel.Mapped && identity.BootId != disk.BootId)
        {
            // The machine was down: what was only written is lost, so this is another directory now (§5).
            identity.DrawAnew(seed);
            fresh = true;
        }
        identity.RaiseRun(disk.BootId);
        return identity;
    }

    private static MemberStore Recover(IDisk disk, string root, IDisposable held, StorageOptions options, IdentityFile identity, ISeed seed, INotes notes, bool fresh)
    {
        string folder = StorePaths.Folder(root, identity.Directory);
        disk.CreateDirectory(folder);
        disk.SyncDirectory(root);
        var recovery = new JournalRecovery(disk, options, folder, identity.Key.ToArray());
        recovery.Read(identity.Begun);
        if (recovery.Unknown.Count > 0)
        {
            JudgeLoss(recovery, options, identity, notes);
            recovery.CloseFiles();
            identity.DrawAnew(seed);
            return Recover(disk, root, held, options, identity, seed, notes, fresh: true);
        }
        foreach (string warning in recovery.Warnings) notes.Note(2, warning);
        var journal = new Journal(disk, options, notes, folder, identity.Key) { Directory = identity.Directory, Run = identity.Run };
        var snapshots = new SnapshotStore(disk, options, notes, folder, journal);
        snapshots.OpenAndSync();
        recovery.MakeDurable();
        journal.Load(recovery);
        snapshots.Choose(recovery.Damage);
        if (recovery.Damage.Count > 0 && options.IsAlone?.Invoke(new LostJournal(recovery.Damage, Known(recovery), identity)) == true)
        {
            // Before the opening, which would write the mark down: a file that is put back is whole again.
            journal.Dispose();
            snapshots.Dispose();
            throw Alone(recovery.Damage[0]);
        }
        foreach (var d in recovery.Damage) notes.Note(3, d.ToString());
        journal.WriteOpening(recovery);
        identity.MarkBegun();
        journal.Partition(0);
        return new MemberStore(disk, root, held, identity, journal, snapshots, fresh, notes);
    }

    /// <summary>
    /// Something of unknown content was lost: the member may begin anew under another directory id and come back through its peers; when for even one partition the other voters are no quorum it stops,
    /// naming file and offset, and draws no id (§2.1).
    /// </summary>
    private static void JudgeLoss(JournalRecovery recovery, StorageOptions options, IdentityFile identity, INotes notes)
    {
        var known = Known(recovery);
        bool othersSuffice = recovery.Partitions.Count > 0;
        foreach (var p in recovery.Partitions.Values)
        {
            int voters = p.Facts.Latest?.VoterCount ?? 0;
            bool self = p.Facts.Latest?.Find(options.Self) is { Voter: true };
            if (voters - (self ? 1 : 0) < voters / 2 + 1) othersSuffice = false;
        }
        bool may = options.MayBeginAnew?.Invoke(new LostJournal(recovery.Unknown, known, identity)) ?? othersSuffice;
        var first = recovery.Unknown[0];
        if (!may)
        {
            recovery.CloseFiles();
            throw new StorageRefusal($"{first.What}: file {first.File}, offset {first.Offset}. What it held is not known, and the other voters are no quorum, so nobody can tell. Choices: restore {first.File} from a backup and start again; or start with an empty data directory");
        }
        foreach (var d in recovery.Unknown) notes.Note(3, d.ToString());
        notes.Note(3, "the journal lost a part of unknown content: this member draws a new directory id and comes back as a learner; its old files are kept until it is caught up");
    }

    /// <summary>The last configuration of each partition that the journal knows; a partition whose first one was formed and never changed has none.</summary>
    private static List<(int Partition, ClusterConfiguration Configuration)> Known(JournalRecovery recovery)
    {
        var known = new List<(int, ClusterConfiguration)>();
        foreach (var p in recovery.Partitions.Values)
            if (p.Facts.Latest is { } latest) known.Add((p.Facts.Partition, latest));
        return known;
    }
}
