using System.Globalization;

namespace Quorate.Storage;

/// <summary>What became of one partition in recovery, before it is a <see cref="PartitionLog"/>.</summary>
internal sealed class RecoveredPartition(int number)
{
    public PartitionFacts Facts { get; } = new(number);
    public RecoveringLog Log { get; } = new();
}

/// <summary>
/// Recovery of the journal (storage.md §2), in this order: 1. every header of every segment is found; 2. the highest batch is judged whole or torn, every other bad one is damage;
/// 3. the batches from the oldest still needed on are read again, record by record; 4. what was read is made durable; 5. the opening is written. Only then Start.
/// Steps 1 to 3 change nothing on the disk, so that a refusal leaves everything as it was.
/// </summary>
internal sealed partial class JournalRecovery(IDisk disk, StorageOptions options, string folder, byte[] key)
{
    private readonly JournalScan _scan = new(key);
    private readonly List<Segment> _segments = [];
    private readonly List<StorageDamage> _damage = [];
    private readonly List<StorageDamage> _unknown = [];
    private readonly List<string> _warnings = [];
    private readonly SortedDictionary<int, RecoveredPartition> _partitions = [];
    private readonly List<FoundBatch> _live = []; // by number: what is needed and not cut
    private FoundBatch? _top;

    public IReadOnlyList<Segment> Segments => _segments;

    /// <summary>Damaged entries whose header survived.</summary>
    public List<StorageDamage> Damage => _damage;

    /// <summary>Damage of unknown content: the journal gives no vote, promise or acknowledgement any more (§2.1).</summary>
    public IReadOnlyList<StorageDamage> Unknown => _unknown;
    public IReadOnlyList<string> Warnings => _warnings;
    public SortedDictionary<int, RecoveredPartition> Partitions => _partitions;
    public IReadOnlyList<FoundBatch> Live => _live;

    /// <summary>The highest number found anywhere; 0 in an empty journal.</summary>
    public ulong Highest => _top?.Header.Number ?? 0;

    /// <summary>The highest number that is not cut.</summary>
    public ulong Named { get; private set; }
    public uint NamedChecksum { get; private set; }
    public ulong Needed { get; private set; } = 1;
    public FoundBatch? Top => _top;
    public bool TopIsTorn { get; private set; }

    /// <summary>Steps 1 to 3.</summary>
    public void Read(bool begun)
    {
        foreach (string name in disk.List(folder))
        {
            if (!StorePaths.TrySegmentNumber(name, out ulong number)) continue;
            string path = Path.Join(folder, name);
            var file = disk.Open(path, create: false);
            _segments.Add(new Segment(number, path, file, (int)Math.Min(int.MaxValue, Math.Max(file.Length, options.SegmentBytes))));
        }
        foreach (var segment in _segments)
        {
#if MUTANTS
            if (Mutants.On(Mutant.SparesNotSearched) && _scan.LooksSpare(segment)) continue;
#endif
            _scan.Read(segment);
        }
#if MUTANTS
        if (Mutants.On(Mutant.HigherHeadersNotSearched)) _scan.StopAtGap();
#endif
        foreach (var found in _scan.Found.Values)
        {
            _top = found; // the last one is the highest
            Needed = Math.Max(Needed, found.Header.Needed);
            found.Segment.LastBatch = Math.Max(found.Segment.LastBatch, found.Header.Number);
        }
        if (_top is null)
        {
            if (begun) _unknown.Add(new StorageDamage(folder, 0, -1, 0, 0, _segments.Count == 0 ? "the journal's segments are gone" : "no batch of the journal can be read"));
            return;
        }
        JudgeTop();
        WalkDown();
#if MUTANTS
        if (Mutants.On(Mutant.OldBatchesRead)) AddOld();
#endif
        foreach (var batch in _live) Replay(batch);
        foreach (var p in _partitions.Values) Finish(p);
    }

    /// <summary>Only the highest-numbered batch of which a valid header is found can be torn; then it is cut (§2.1).</summary>
    private void JudgeTop()
    {
        JournalScan.Verify(_top!);
        var h = _top!.Header;
        TopIsTorn = !_top.RegionWhole;
#if MUTANTS
        if (TopIsTorn && Mutants.On(Mutant.TornTakenForDamage))
        {
            TopIsTorn = false;
            _unknown.Add(new StorageDamage(_top.Segment.Path, h.Offset, -1, 0, 0, Say($"batch {h.Number} is damaged")));
        }
#endif
        Named = TopIsTorn ? h.Previous : h.Number;
        NamedChecksum = TopIsTorn ? h.PreviousChecksum : h.Checksum;
#if MUTANTS
        if (Mutants.On(Mutant.DamageTakenForTorn)) CutAtFirstBad();
#endif
        if (TopIsTorn) _warnings.Add(Say($"{_top.Segment.Path}: the last batch ({h.Number}) at offset {h.Offset} was torn and is cut; so looks a write that was under way at the end"));
    }

    /// <summary>
    /// From the highest number that is not cut down to the oldest still needed. A recovery's opening leads over what it cut for ever; a number without a header, or whose header is not the one
    /// that its successor names, is damage of unknown content.
    /// </summary>
    private void WalkDown()
    {
        ulong number = Named;
        uint expected = NamedChecksum;
        bool checksumKnown = true;
        while (number >= Needed && number > 0)
        {
#if MUTANTS
            if (Mutants.On(Mutant.PreviousChecksumUnchecked)) checksumKnown = false;
#endif
            if (_scan.Found.TryGetValue(number, out var found) && (!checksumKnown || found.Header.Checksum == expected))
            {
                if (found != _top) JournalScan.Verify(found);
                _live.Add(found);
                number = found.Header.Previous;
                expected = found.Header.PreviousChecksum;
                checksumKnown = true;
#if MUTANTS
                if (Mutants.On(Mutant.CutReadAgain)) (number, checksumKnown) = (found.Header.Number - 1, false);
#endif
                continue;
            }
            var (file, offset) = PlaceOf(number);
            _unknown.Add(new StorageDamage(file, offset, -1, 0, 0, Say($"batch {number} of the journal cannot be read, neither its header before nor the one behind")));
            checksumKnown = false;
            number--;
        }
        _live.Reverse();
    }

#if MUTANTS
    /// <summary>Mutant: whatever is bad ends the log.</summary>
    private void CutAtFirstBad()
    {
        foreach (var f in _scan.Found.Values)
        {
            if (f.Header.Number < Needed || f == _top) continue;
            JournalScan.Verify(f);
            if (f.RegionWhole) continue;
            (TopIsTorn, Named, NamedChecksum) = (true, f.Header.Previous, f.Header.PreviousChecksum);
            return;
        }
    }

    /// <summary>Mutant: what stands below the oldest batch still needed is read as well.</summary>
    private void AddOld()
    {
        int at = 0;
        foreach (var f in _scan.Found.Values)
        {
            if (f.Header.Number >= Needed) break;
            JournalScan.Verify(f);
            _live.Insert(at++, f);
        }
        if (at > 0) Needed = _live[0].Header.Number;
    }
#endif

    /// <summary>Where a missing batch must have stood: behind the last one before it that is known.</summary>
    private (string File, long Offset) PlaceOf(ulong number)
    {
        FoundBatch? before = null;
        foreach (var f in _scan.Found.Values)
        {
            if (f.Header.Number >= number) break;
            if (f.Header.Number + 1 == number) before = f;
        }
        if (before is not null) return (before.Segment.Path, before.Header.Offset + before.Header.Length);
        foreach (var f in _scan.Found.Values)
            if (f.Header.Number > number) return (f.Segment.Path, f.Header.Offset);
        return (folder, 0);
    }

    private void Replay(FoundBatch batch)
    {
        var h = batch.Header;
        for (int i = 0; i < h.Ops.Length; i++)
        {
            ref readonly var op = ref h.Ops[i];
            if (!_partitions.TryGetValue(op.Partition, out var p)) _partitions.Add(op.Partition, p = new RecoveredPartition(op.Partition));
            p.Facts.Apply(op);
            p.Log.Apply(op, h.Number, op.HasBytes ? batch.Runs[i] : null);
        }
        if (!batch.FrontWhole || !batch.BackWhole)
            _warnings.Add(Say($"{batch.Segment.Path}: the header {(batch.FrontWhole ? "behind" : "before")} batch {h.Number} at offset {h.Offset} was bad; the other one served"));
    }

    private void Finish(RecoveredPartition p)
    {
        p.Log.Begin(p.Facts.BeginIndex);
        foreach (var e in p.Log.Log)
        {
            if (!e.IsDamaged) continue;
            for (long i = e.First; i <= e.Last; i++) p.Facts.AddDamage(e.Term, i);
            var at = _scan.Found.TryGetValue(e.Batch, out var f) ? (f.Segment.Path, f.Header.Offset) : (folder, 0L);
            _damage.Add(new StorageDamage(at.Item1, at.Item2, p.Facts.Partition, e.First, e.Last, Say($"partition {p.Facts.Partition}: entries {e.First} to {e.Last} of term {e.Term} are damaged in batch {e.Batch}")));
        }
        foreach (var e in p.Log.Staged)
        {
            if (!e.IsDamaged) continue;
            var at = _scan.Found.TryGetValue(e.Batch, out var f) ? (f.Segment.Path, f.Header.Offset) : (folder, 0L);
            _damage.Add(new StorageDamage(at.Item1, at.Item2, p.Facts.Partition, e.First, e.Last, Say($"partition {p.Facts.Partition}: staged entries {e.First} to {e.Last} of term {e.Term} are damaged in batch {e.Batch}")));
        }
        if (_unknown.Count == 0 && p.Log.HoleFrom(p.Facts.BeginIndex + 1) is var hole && hole != 0)
            _unknown.Add(new StorageDamage(folder, 0, p.Facts.Partition, hole, 0, Say($"partition {p.Facts.Partition}: the log has no entry {hole}")));
        WarnOfUnneeded();
    }

    /// <summary>Damage in a run that nothing needs any more is one warning (§2.1).</summary>
    private void WarnOfUnneeded()
    {
        if (_warned) return;
        _warned = true;
        int bad = 0;
        foreach (var b in _live)
            if (!b.RegionWhole) bad++;
        if (bad > 0) _warnings.Add(Say($"{folder}: {bad} batches hold damaged runs; those that are still needed are named"));
    }

    public void CloseFiles()
    {
        foreach (var s in _segments) s.File.Dispose();
    }

    private bool _warned;

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
