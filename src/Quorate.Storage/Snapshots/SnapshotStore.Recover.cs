using System.Globalization;

namespace Quorate.Storage;

/// <summary>The choice of each partition's snapshot at recovery (storage.md §4.5).</summary>
public sealed partial class SnapshotStore
{
    private sealed record Candidate(string Path, int Partition, long Index, ulong Term, bool Installed, IDiskFile File);

    private readonly List<Candidate> _candidates = [];

    /// <summary>Step 4 of recovery for snapshots: their bytes are synced before the directory is, and before any is believed.</summary>
    internal void OpenAndSync()
    {
        foreach (string name in _disk.List(_folder))
        {
            string path = Path.Join(_folder, name);
            if (name.EndsWith(StorePaths.Part, StringComparison.Ordinal)) _disk.Delete(path);
            else if (name == StorePaths.ReserveName)
            {
                _reserve = _disk.Open(path, create: false);
                _reserveBytes = _reserve.Length;
            }
            else if (StorePaths.TrySnapshot(name, out int partition, out long index, out ulong term, out bool installed))
            {
                var file = _disk.Open(path, create: false);
#if MUTANTS
                if (!Mutants.On(Mutant.RecoveryTrustsCache))
#endif
                file.Sync();
                _candidates.Add(new Candidate(path, partition, index, term, installed, file));
            }
        }
        _candidates.Sort(static (a, b) => a.Partition != b.Partition ? a.Partition.CompareTo(b.Partition) : b.Index.CompareTo(a.Index));
    }

    /// <summary>Chooses for every partition of the journal the newest file that is whole past the page cache, and is its own or named by a durable switch. What is not chosen goes.</summary>
    internal void Choose(List<StorageDamage> damage)
    {
        foreach (int partition in _journal.PartitionNumbers.ToArray())
        {
            var log = _journal.Partition(partition);
            StorageDamage? bad = null;
            SnapshotFile? chosen = null;
            var rest = new List<Candidate>();
            foreach (var c in _candidates)
            {
                if (c.Partition != partition) continue;
                chosen ??= Judge(c, log, ref bad);
                if (chosen?.Path != c.Path) rest.Add(c);
            }
            // An older whole file below the begin of the log reaches nothing.
            if (chosen is not null && chosen.Identity.Index < log.Map.BeginIndex) chosen = null;
            if (chosen is not null) Use(chosen, log);
            else if (log.Map.BeginIndex > 0)
            {
                log.BaseLost = true;
                bad ??= new StorageDamage(_folder, 0, partition, 0, log.Map.BeginIndex, Say($"partition {partition}: the snapshot at {log.Map.BeginIndex} that the log rests on is gone"));
            }
            if (bad is not null && log.BaseLost) damage.Add(bad);
            else if (bad is not null) _notes.Note(2, $"{bad}; it was not needed, the log reaches below it");
            if (log.BaseLost) continue; // the files stay: they are the evidence
            foreach (var c in rest) Remove(c);
        }
    }

    private static SnapshotFile? Judge(Candidate c, PartitionLog log, ref StorageDamage? bad)
    {
        var head = new byte[Limits.BlockBytes];
        ulong digest = 0;
        bool readable = JournalScan.TryRead(c.File, 0, head) && SnapshotFormat.TryDigest(head, out digest);
        var identity = new SnapshotIdentity(c.Index, c.Term, digest);
#if MUTANTS
        if (!Mutants.On(Mutant.InstalledWithoutSwitch))
#endif
        if (c.Installed && (log.Facts.Installed.Index != c.Index || log.Facts.Installed.Term != c.Term)) return null; // no durable switch names it
        var check = readable ? SnapshotCheck.Of(c.File, c.Partition, identity) : default;
#if MUTANTS
        if (Mutants.On(Mutant.SnapshotUsedUnread)) check = new SnapshotCheck(true, 0, c.File.Length, 0, null);
#endif
        if (!check.Whole)
        {
            bad ??= new StorageDamage(c.Path, check.BadOffset, c.Partition, 0, c.Index, Say($"partition {c.Partition}: the snapshot at {c.Index} is damaged"));
            return null;
        }
        return new SnapshotFile(0, c.Partition, identity, c.Path, c.Installed, c.File, check.Bytes) { Configuration = check.Configuration, Rows = check.Rows };
    }

    private void Use(SnapshotFile chosen, PartitionLog log)
    {
        var file = new SnapshotFile(_nextToken++, chosen.Partition, chosen.Identity, chosen.Path, chosen.Installed, chosen.File, chosen.Bytes) { Configuration = chosen.Configuration, Rows = chosen.Rows };
        _files.Add(file);
        var at = file.Identity;
        // The state was committed. A log that does not reach it, or contradicts it, was on its way when the member went down: what it holds below is in the snapshot, what it holds above is of no leader.
        if (!log.Map.Matches(at.Index, at.Term)) _journal.SwitchAtOpening(log.Number, at, file.Configuration);
        else if (log.Facts.Mark.Count > 0 && log.Facts.Mark[0].Index <= at.Index) _journal.BeginAtOpening(log.Number, at); // what is damaged below stands whole in the snapshot
        log.SnapshotIs(at, log.Map.IsEmpty ? log.WrittenMark : 0);
    }

    private void Remove(Candidate c)
    {
        c.File.Dispose();
        _disk.Delete(c.Path);
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
