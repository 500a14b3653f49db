using Quorate.Simulation;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>What the world does to the disk: no room, failing operations, rot. And what it then expects to be told.</summary>
public sealed partial class ModelWorld
{
    private static readonly HashSet<(int Partition, long Index)> NoHits = [];
    private readonly HashSet<(int Partition, long Index)> _hits = [];    // entries that stood in a run that rotted
    private readonly HashSet<string> _rottenSnapshots = [];
    private readonly HashSet<string> _rottenSegments = [];
    private readonly Dictionary<(ulong Directory, ulong Number), uint> _numbers = [];
    private bool _full, _armed;
    private bool _unknownExpected;
    private ulong _directory, _lastRun;
    private byte[] _key = [];

    private string Folder => StorePaths.Folder("/data/disk", _directory);

    private void FailSoon()
    {
        _armed = true;
        Failures++;
        var ops = _chance.Chance(0.5) ? SimDiskOp.Sync : SimDiskOp.Write;
        _notes.Note(0, $"one {ops} will fail");
        _disk.FailOnce(ops, _chance.Below(60), DiskFailure.Broken, _chance.Chance(0.7) ? ".segment" : "");
    }

    private void DisarmFaults()
    {
        _armed = false;
        _disk.FailOnce(SimDiskOp.None, 0, DiskFailure.Broken);
    }

    private void FillOrEmptyDisk()
    {
        if (!_full)
        {
            _full = _wasFull = true;
            FullDisks++;
            _disk.Capacity = _disk.UsedBytes + _chance.Below(150_000);
            _notes.Note(0, "the disk is full");
            return;
        }
        EmptyDisk();
        // It recovers by itself (§3.1).
        for (int i = 0; i < 100 && _store!.Failed is null; i++) Pump(50_000);
        if (_store!.Failed is not null) return;
        if (_store.Journal.LowSpace) throw new BrokenPromise("there is room, and the journal says that there is none");
        for (int p = 0; p < _models.Length; p++)
            if (_models[p].DurableStep != _models[p].Steps.Count - 1) throw new BrokenPromise($"p{p}: there is room, and what was held does not go out");
    }

    private void EmptyDisk()
    {
        _full = false;
        _disk.Capacity = long.MaxValue;
        _notes.Note(0, "the disk has room");
    }

    /// <summary>
    /// Some bits or blocks rot, anywhere but in the highest batch: that it rots before its successor's header is durable is two faults at once (storage.md §2.4).
    /// What is found now, before, says what must be told.
    /// </summary>
    private void Damage()
    {
        if (_directory == 0) return;
        var before = Analysed();
        int count = (int)_chance.Between(1, 4);
        var bad = new List<(string Path, long From, long To)>();
        bool identity = false;
        for (int i = 0; i < count; i++)
        {
            switch (_chance.Below(8))
            {
                case 0 when before.Live.Count > 1:
                    var b = before.Live[(int)_chance.Below(before.Live.Count)];
                    Rot(before, bad, b.Segment.Path, b.Header.Offset + _chance.Below(b.Header.HeaderLength));
                    Rot(before, bad, b.Segment.Path, b.Header.Offset + b.Header.BackOffset + _chance.Below(b.Header.HeaderLength));
                    break;
                case 1:
                    RotSnapshot();
                    break;
                case 2:
                    if (!identity && _chance.Chance(0.3)) RotIdentity();
                    identity = true; // one slot, not both
                    break;
                default:
                    if (before.Found.Count == 0) break;
                    var at = before.Found[(int)_chance.Below(before.Found.Count)];
                    Rot(before, bad, at.Segment.Path, at.Header.Offset + _chance.Below(at.Header.Length));
                    break;
            }
        }
        foreach (var b in before.Live)
        {
            if (b == before.Top) continue;
            var h = b.Header;
            bool front = b.FrontWhole && !Hit(bad, b.Segment.Path, h.Offset, h.HeaderLength), back = b.BackWhole && !Hit(bad, b.Segment.Path, h.Offset + h.BackOffset, h.HeaderLength);
            if (!front && !back) _unknownExpected = true;
            foreach (var op in h.Ops)
                if (op.HasBytes && Hit(bad, b.Segment.Path, h.Offset + h.RegionOffset + op.Offset, op.Length))
                    for (long k = op.First; k <= op.Last; k++) _hits.Add((op.Partition, k));
        }
    }

    private sealed record Analysis(FoundBatch? Top, List<FoundBatch> Live, List<FoundBatch> Found);

    /// <summary>The true recovery's view, which changes nothing on the disk (§2: steps 1 to 3).</summary>
    private Analysis Analysed()
    {
#if MUTANTS
        var planted = Mutants.Planted;
        Mutants.Planted = Mutant.None;
        try
        {
#endif
            var recovery = new JournalRecovery(_disk, _options, Folder, _key);
            recovery.Read(begun: true);
            var found = new List<FoundBatch>();
            foreach (var segment in recovery.Segments)
            {
                var scan = new JournalScan(_key);
                scan.Read(segment);
                found.AddRange(scan.Found.Values);
            }
            return new Analysis(recovery.Top, [.. recovery.Live], found);
#if MUTANTS
        }
        finally
        {
            Mutants.Planted = planted;
        }
#endif
    }

    private void Rot(Analysis before, List<(string, long, long)> bad, string path, long offset)
    {
        bool block = _chance.Chance(0.2);
        long from = block ? offset & -Limits.BlockBytes : offset, to = block ? from + Limits.BlockBytes : offset + 1;
        if (before.Top is { } top && top.Segment.Path == path && from < top.Header.Offset + top.Header.Length && to > top.Header.Offset) return;
        if (block) _disk.MakeUnreadable(path, offset);
        else _disk.FlipBit(path, offset, (int)_chance.Below(8));
        _notes.Note(0, Say($"rot in {path} at {offset}{(block ? ", the block cannot be read" : "")}"));
        bad.Add((path, from, to));
        _rottenSegments.Add(path);
        Flips++;
    }

    private void RotSnapshot()
    {
        var files = _disk.Paths.Where(f => f.StartsWith(Folder, StringComparison.Ordinal) && f.EndsWith(".snapshot", StringComparison.Ordinal) && _disk.LengthOf(f) > 0).ToArray();
        if (files.Length == 0) return;
        string path = files[_chance.Below(files.Length)];
        long offset = _chance.Below(_disk.LengthOf(path));
        _disk.FlipBit(path, offset, (int)_chance.Below(8));
        _notes.Note(0, Say($"rot in {path} at {offset}"));
        _rottenSnapshots.Add(path);
        Flips++;
    }

    private void RotIdentity()
    {
        _disk.FlipBit("/data/disk/identity", _chance.Below(2) * Limits.BlockBytes + _chance.Below(120), (int)_chance.Below(8));
        _notes.Note(0, "rot in one slot of the identity");
        Flips++;
    }

    private static bool Hit(List<(string Path, long From, long To)> bad, string path, long at, long length) => bad.Exists(x => x.Path == path && x.From < at + length && x.To > at);

    /// <summary>Every header that can be read in the journal, each once for each place. Two of one number are a broken promise (§1.2).</summary>
    private List<BatchHeader> Headers()
    {
        var all = new List<BatchHeader>();
        foreach (string path in _disk.Paths.ToArray())
        {
            if (Path.GetDirectoryName(path) != Folder || !StorePaths.TrySegmentNumber(Path.GetFileName(path), out ulong segment)) continue;
            var bytes = _disk.Peek(path);
            for (int at = 0; at + BatchHeader.FixedBytes <= bytes.Length; at += Limits.BlockBytes)
            {
                int length = BatchHeader.Probe(bytes.AsSpan(at), _key);
                if (length == 0 || at + length > bytes.Length || BatchHeader.Parse(bytes.AsSpan(at, length), segment, at) is not { } h) continue;
                if (all.Find(o => o.Number == h.Number && (o.Checksum != h.Checksum || o.Segment != h.Segment || o.Offset != h.Offset)) is not null) throw new BrokenPromise(Say($"two batches have the number {h.Number}"));
                all.Add(h);
            }
        }
        return all;
    }

    /// <summary>Called when what is seen is what is on the device.</summary>
    private void NoteNumbers()
    {
        foreach (var h in Headers())
        {
            if (!_numbers.TryGetValue((_directory, h.Number), out uint checksum)) _numbers.Add((_directory, h.Number), h.Checksum);
            else if (checksum != h.Checksum) throw new BrokenPromise(Say($"the number {h.Number} was used twice"));
        }
    }
}
