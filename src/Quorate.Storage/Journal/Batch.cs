namespace Quorate.Storage;

/// <summary>A batch while it gathers and until it is durable: its region's bytes stand in a recent chunk, its records in an array. Reused.</summary>
internal sealed class Batch
{
    /// <summary>Bytes of the largest record of fixed length (the facts).</summary>
    public const int OpBytes = 112;

    private BatchOp[] _ops = new BatchOp[16];
    private (PartitionLog Log, Ticket Ticket)[] _touched = new (PartitionLog, Ticket)[4];
    private int _opBytes;

    public ulong Number { get; private set; }

    /// <summary>The oldest batch that was needed when this one began to gather: what earlier batches hold, never what this one moves (storage.md §1.5).</summary>
    public ulong Needed { get; private set; }
    public Chunk Chunk { get; set; } = null!;

    /// <summary>Where the front header's room begins in the chunk; the region follows <see cref="FrontRoom"/> bytes later.</summary>
    public int Start { get; set; }
    public int FrontRoom { get; set; }

    /// <summary>Where the next batch begins in the chunk, once this one is closed and waits; 0 before.</summary>
    public int Limit { get; set; }
    public int RegionLength { get; set; }
    public int OpCount { get; private set; }
    public int TouchedCount { get; private set; }

    /// <summary>It brings entries that a member short of room may not add (§3.1).</summary>
    public bool Ordinary { get; set; }

    /// <summary>It holds a promise, or something that lets the log shrink.</summary>
    public bool Urgent { get; set; }
    public bool IsEmptyBatch { get; set; }

    // Set when it is sealed.
    public int Length { get; set; }
    public bool Opening { get; set; }
    public ulong SealedNeeded { get; set; }

    public Span<BatchOp> Ops => _ops.AsSpan(0, OpCount);
    public ReadOnlySpan<(PartitionLog Log, Ticket Ticket)> Touched => _touched.AsSpan(0, TouchedCount);
    public int RegionStart => Start + FrontRoom;

    /// <summary>What its header takes at most, without an opening's facts.</summary>
    public int HeaderBound => BatchHeader.FixedBytes + _opBytes;

    /// <summary>What it takes in the file at most, without an opening's facts.</summary>
    public int LengthBound => LengthWith(0, 0);

    /// <summary>The same with so many more bytes in the region and in the header.</summary>
    public int LengthWith(int regionBytes, int headerBytes) =>
        BatchHeader.RoundUp(Math.Max(FrontRoom, RoundUp8(HeaderBound + headerBytes)) + RegionLength + regionBytes) + BatchHeader.RoundUp(HeaderBound + headerBytes);

    public void Begin(ulong number, ulong needed)
    {
        Array.Clear(_ops, 0, OpCount);
        Array.Clear(_touched, 0, TouchedCount);
        Number = number;
        Needed = needed;
        OpCount = TouchedCount = _opBytes = RegionLength = Length = Limit = 0;
        Ordinary = Urgent = IsEmptyBatch = Opening = false;
    }

    public ref BatchOp Add(int partition, OpKind kind, int variableBytes = 0)
    {
        if (OpCount == _ops.Length) Array.Resize(ref _ops, OpCount * 2);
        _opBytes += OpBytes + variableBytes;
        ref var op = ref _ops[OpCount++];
        op.Partition = partition;
        op.Kind = kind;
        return ref op;
    }

    /// <summary>The partition hears Durable(ticket) when this batch is durable.</summary>
    public void Touch(PartitionLog log, Ticket ticket)
    {
        if (log.TouchedBatch == Number) _touched[log.TouchedSlot].Ticket = ticket.Value > 0 ? ticket : _touched[log.TouchedSlot].Ticket;
        else
        {
            if (TouchedCount == _touched.Length) Array.Resize(ref _touched, TouchedCount * 2);
            log.TouchedBatch = Number;
            log.TouchedSlot = TouchedCount;
            _touched[TouchedCount++] = (log, ticket);
        }
    }

    public static int RoundUp8(int bytes) => (bytes + 7) & -8;
}
