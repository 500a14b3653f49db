namespace Quorate.Simulation;

/// <summary>Kinds of operation that a fault can be told to hit.</summary>
[Flags]
public enum SimDiskOp
{
    None = 0,
    Read = 1,
    Write = 2,
    Sync = 4,
    Name = 8,
}

/// <summary>Faults on demand.</summary>
public sealed partial class SimDisk
{
    private long _budget = long.MaxValue; // operations until SimCrash
    private bool _stopped; // SimCrash was thrown: nothing runs any more
    private SimDiskOp _failOps;
    private string _failPath = "";
    private long _failAfter;
    private DiskFailure _failure;

    /// <summary>Operations so far: what <see cref="CrashAfter"/> counts.</summary>
    public long Operations { get; private set; }

    /// <summary>Told of every operation, before it is done.</summary>
    public Action<string>? Trace { get; set; }

    /// <summary>Bytes that all files together may take; writes that would extend a file past it fail with Full.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>Bytes that all files take.</summary>
    public long UsedBytes
    {
        get
        {
            long used = 0;
            foreach (var file in _names.Values) used += file.Length;
            return used;
        }
    }

    /// <summary>After so many more operations the machine stops, with <see cref="SimCrash"/>: also in the middle of a synchronous start-up. <see cref="Crash"/> or <see cref="Kill"/> must follow.</summary>
    public void CrashAfter(long operations) => _budget = operations;

    /// <summary>One operation of these kinds, the <paramref name="after"/>-th from now on a path that contains this, fails. A failed sync loses what it was to save and calls it clean.</summary>
    public void FailOnce(SimDiskOp operations, long after, DiskFailure failure, string pathPart = "")
    {
        _failOps = operations;
        _failAfter = after;
        _failure = failure;
        _failPath = pathPart;
    }

    /// <summary>Room again, no failure in waiting, no stall: what was written badly stays as it is.</summary>
    public void Mend()
    {
        Capacity = long.MaxValue;
        _failOps = SimDiskOp.None;
        _journal.StalledUntil = _background.StalledUntil = _reads.StalledUntil = 0;
    }

    /// <summary>Flips one bit of what is on the device, and of what readers see.</summary>
    public void FlipBit(string path, long offset, int bit = 0) => Find(path).Flip(offset, bit);

    /// <summary>A 4 KiB block reads as EIO from now on.</summary>
    public void MakeUnreadable(string path, long offset) => Find(path).Unreadable.Add(offset & -Limits.BlockBytes);

    public long LengthOf(string path) => Find(path).Length;

    /// <summary>What readers see now.</summary>
    public byte[] Peek(string path)
    {
        var file = Find(path);
        var bytes = new byte[file.Length];
        file.Read(0, bytes, pastCache: false);
        return bytes;
    }

    private SimFile Find(string path) => _names.TryGetValue(path, out var file) ? file : throw new ArgumentException($"no file {path}");

    private void TakeRoom(string path, SimFile file, long end)
    {
        if (end > file.Length && UsedBytes + end - file.Length > Capacity) throw new DiskException(DiskFailure.Full, $"{path}: no space left on device");
    }

    private void Step(SimDiskOp op, string path)
    {
        Operations++;
        Trace?.Invoke($"{op} {path}");
        if (_budget != long.MaxValue && _budget-- <= 0)
        {
            _budget = 0;
            _stopped = true;
            throw new SimCrash();
        }
        if ((_failOps & op) == 0 || !path.Contains(_failPath, StringComparison.Ordinal) || _failAfter-- > 0) return;
        _failOps = SimDiskOp.None;
        throw new DiskException(_failure, $"{path}: {op} failed: {(_failure == DiskFailure.Full ? "no space left on device" : "input/output error")}");
    }
}
