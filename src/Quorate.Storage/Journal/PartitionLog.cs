namespace Quorate.Storage;

/// <summary>
/// A partition's log in the journal: what is gathered is readable at once; <see cref="Durable"/> moves when its batch survived. One ticket stream, first in, first out (DESIGN §3, Tickets).
/// </summary>
public sealed partial class PartitionLog : IEntrySource
{
    private readonly Journal _journal;
    private readonly Positions _positions = new();
    private readonly PartitionFacts _facts;
    private bool _snapshotAsked;
    private bool _unordered; // positions may not rise with the index: something was put or moved
    private long _writtenBytes, _writtenAtSnapshot;

    internal PartitionLog(Journal journal, int number)
    {
        _journal = journal;
        Number = number;
        _facts = new PartitionFacts(number);
        Written = new PartitionFacts(number);
    }

    public int Number { get; }

    /// <summary>The log as it is gathered.</summary>
    public LogMap Map { get; } = new();

    /// <summary>Everything up to here survived (at level memory: is held). Moves only inside <see cref="MemberStore.Pump"/>.</summary>
    public Ticket Durable { get; internal set; }

    /// <summary>The last promise gathered.</summary>
    public Promise Promise => _facts.Promise;

    /// <summary>Damaged entries that are left (storage.md §2.4), the lost base of the log among them.</summary>
    public IReadOnlyList<DamagedEntry> Mark => BaseLost ? [new DamagedEntry(Map.BeginTerm, Map.BeginIndex), .. _facts.Mark] : _facts.Mark;

    /// <summary>No whole snapshot reaches the begin of the log: the state below it is lost until a leader's snapshot is switched to (§4.5).</summary>
    public bool BaseLost { get; internal set; }

    public IReadOnlyList<ConfigurationAt> Configurations => _facts.Configurations;

    /// <summary>New writes are to be refused (§3.1).</summary>
    public bool LowSpace => _journal.LowSpace;

    /// <summary>Nothing new is to be prepared until there is room (sessions.md §2.4).</summary>
    public bool FirstSpareUsedUp => _journal.FirstSpareUsedUp;

    /// <summary>Payload bytes of the live log.</summary>
    public long LiveBytes => Map.BytesOf(Map.First, Map.Last);

    /// <summary>The snapshot that the log begins on.</summary>
    public SnapshotIdentity Base => _facts.Base;

    internal PartitionFacts Facts => _facts;

    /// <summary>The facts as the sealed batches leave them; what gathers is not in it.</summary>
    internal PartitionFacts Written { get; }
    internal ulong TouchedBatch { get; set; }
    internal int TouchedSlot { get; set; }

    /// <summary>The newest whole snapshot, as recovery chose it or the store made it.</summary>
    internal SnapshotIdentity NewestSnapshot { get; private set; }

    /// <summary>What Start is told.</summary>
    public Recovered Recover(ReplicaId self, ulong seed) => new()
    {
        Self = self,
        Directory = _journal.Directory,
        Run = _journal.Run,
        Seed = seed,
        Promise = _facts.Promise,
        Log = Map.Copy(),
        Configurations = [.. _facts.Configurations],
        Mark = [.. Mark],
        Snapshot = BaseLost ? default : NewestSnapshot,
    };

    /// <summary>Whether a snapshot is due for a state that encodes to so many bytes (§3.2).</summary>
    public bool SnapshotDue(long stateBytes)
    {
        _journal.Snapshots?.StateIs(Number, stateBytes);
        long since = _writtenBytes - _writtenAtSnapshot;
        if (Map.Last <= NewestSnapshot.Index) return false;
        if (since > Math.Max(_journal.Options.SnapshotDueBytes, stateBytes)) return true;
        // Without room at once, but only for whoever keeps the oldest segment: any other snapshot frees nothing, and one would follow each entry.
        if (_snapshotAsked || (_journal.LowSpace && _journal.IsInOldest(OldestBatch()))) return true;
        return since > _journal.Options.SnapshotDueBytes && _journal.PinsOldest(OldestBatch());
    }

    /// <summary>The lowest index from which the live log lies in the last so many bytes of journal: a log begin below it keeps more of the ring than that.</summary>
    public long FirstWithin(long journalBytes)
    {
        long floor = _journal.WrittenUpTo - journalBytes, low = Map.First, high = Map.Last + 1;
        while (low < high)
        {
            long middle = low + (high - low) / 2;
            if (UptoOf(middle) >= floor) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    internal void CountWritten(int bytes) => _writtenBytes += bytes;

    /// <summary>A snapshot began: what is written from here on is "since the last one" when it is stored.</summary>
    internal long WrittenMark => _writtenBytes;

    internal void SnapshotIs(in SnapshotIdentity snapshot, long writtenMark)
    {
        if (snapshot.Index < NewestSnapshot.Index) return;
        NewestSnapshot = snapshot;
        _writtenAtSnapshot = writtenMark;
        _snapshotAsked = false;
    }

    internal void AskForSnapshot() => _snapshotAsked = true;

    /// <summary>The oldest batch that holds an entry of the live log; the largest number when none does.</summary>
    internal ulong OldestBatch()
    {
        ulong oldest = ulong.MaxValue;
        for (long i = Map.First; i <= Map.Last; i++)
        {
            var p = _positions[i];
            if (p.IsDamaged) continue;
            oldest = Math.Min(oldest, _journal.Table.NumberOf(p.Batch));
            if (!_unordered) break;
        }
        foreach (var s in _staged)
            foreach (var p in s.Positions) oldest = Math.Min(oldest, _journal.Table.NumberOf(p.Batch));
        return oldest;
    }

    private long UptoOf(long index)
    {
        var p = _positions[index];
        if (p.IsDamaged) return 0;
        ref var place = ref _journal.Table[_journal.Table.NumberOf(p.Batch)];
        return place.Segment is null ? long.MaxValue : place.Upto;
    }
}
