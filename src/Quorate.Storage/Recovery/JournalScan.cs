namespace Quorate.Storage;

/// <summary>A batch of which at least one header was found.</summary>
internal sealed class FoundBatch(BatchHeader header, Segment segment)
{
    public BatchHeader Header { get; } = header;
    public Segment Segment { get; } = segment;
    public bool FrontWhole { get; set; }
    public bool BackWhole { get; set; }

    /// <summary>Per run of the header: offsets of its records when its bytes are whole, else null.</summary>
    public RunBytes?[] Runs { get; set; } = [];
    public bool RegionWhole { get; set; }
}

/// <summary>A whole run's records: where each stands in the region, and its payload's length.</summary>
internal sealed record RunBytes(uint[] Offsets, int[] Lengths);

/// <summary>
/// Reads every block of every segment file, spare and freed ones included, for headers (storage.md §1.3): the log ends only where there is none of a higher number.
/// An unreadable block counts as a bad one.
/// </summary>
internal sealed class JournalScan(byte[] key)
{
    private const int PieceBytes = 1024 * 1024;
    private readonly SortedDictionary<ulong, FoundBatch> _found = [];
    private byte[] _piece = [];
    private byte[] _header = [];

    /// <summary>By number.</summary>
    public SortedDictionary<ulong, FoundBatch> Found => _found;

    public void Read(Segment segment)
    {
        long length = Math.Min(segment.File.Length, segment.Length);
        if (_piece.Length == 0) _piece = new byte[PieceBytes];
        for (long at = 0; at < length; at += PieceBytes)
        {
            int want = (int)Math.Min(PieceBytes, length - at);
            int got = ReadPiece(segment, at, want);
            for (int block = 0; block + BatchHeader.FixedBytes <= got; block += Limits.BlockBytes) TryHeader(segment, at, block, got);
        }
    }

#if MUTANTS
    /// <summary>Mutant: what does not begin with a header is taken for a spare segment.</summary>
    public bool LooksSpare(Segment segment)
    {
        var first = new byte[Limits.BlockBytes];
        if (!TryRead(segment.File, 0, first)) return true;
        int length = BatchHeader.Probe(first, key);
        return length == 0 || length > first.Length || BatchHeader.Parse(first.AsSpan(0, length), segment.Number, 0) is null;
    }

    /// <summary>Mutant: the log is taken to end where the next number is not found.</summary>
    public void StopAtGap()
    {
        ulong last = 0, needed = 1;
        foreach (var f in _found.Values) needed = Math.Max(needed, f.Header.Needed);
        var above = new List<ulong>();
        foreach (var f in _found.Values)
        {
            if (f.Header.Number < needed) continue;
            if (above.Count > 0 || (last != 0 && f.Header.Number != last + 1)) above.Add(f.Header.Number);
            else last = f.Header.Number;
        }
        foreach (ulong n in above) _found.Remove(n);
    }
#endif

    /// <summary>Checks the bytes of a batch's runs, and finds where each record stands.</summary>
    public static void Verify(FoundBatch batch)
    {
        var h = batch.Header;
        batch.Runs = new RunBytes?[h.Ops.Length];
        batch.RegionWhole = true;
        if (h.RegionLength == 0) return;
        var region = new byte[h.RegionLength];
        bool readable = TryRead(batch.Segment.File, h.Offset + h.RegionOffset, region);
        for (int i = 0; i < h.Ops.Length; i++)
        {
            ref readonly var op = ref h.Ops[i];
            if (!op.HasBytes) continue;
            batch.Runs[i] = ReadRun(op, readable ? region : ReadBlocks(batch, op, region));
            if (batch.Runs[i] is null) batch.RegionWhole = false;
        }
    }

    /// <summary>False when a part cannot be read.</summary>
    public static bool TryRead(IDiskFile file, long offset, Span<byte> into)
    {
        try
        {
            return file.Read(offset, into) == into.Length;
        }
        catch (DiskException e) when (e.Failure == DiskFailure.Broken)
        {
            return false;
        }
    }

    /// <summary>One bad block spoils the runs that lie in it, not the whole batch.</summary>
    private static byte[] ReadBlocks(FoundBatch batch, in BatchOp op, byte[] region)
    {
        var h = batch.Header;
        if (!TryRead(batch.Segment.File, h.Offset + h.RegionOffset + op.Offset, region.AsSpan(op.Offset, op.Length))) region.AsSpan(op.Offset, op.Length).Clear();
        return region;
    }

    private static RunBytes? ReadRun(in BatchOp op, byte[] region)
    {
        var bytes = region.AsSpan(op.Offset, op.Length);
        if (Crc32C.Of(bytes) != op.Checksum) return null;
        int count = (int)(op.Last - op.First + 1), at = 0;
        var offsets = new uint[count];
        var lengths = new int[count];
        for (int i = 0; i < count; i++)
        {
            if (!EntryRecord.TryReadHead(bytes[at..], op.Partition, op.First + i, out int length, out _, out _)) return null;
            offsets[i] = (uint)(op.Offset + at);
            lengths[i] = length;
            at += EntryRecord.BytesOf(length);
            if (at > bytes.Length) return null;
        }
        return new RunBytes(offsets, lengths);
    }

    private int ReadPiece(Segment segment, long at, int want)
    {
        try
        {
            return segment.File.Read(at, _piece.AsSpan(0, want));
        }
        catch (DiskException e) when (e.Failure == DiskFailure.Broken)
        {
            _piece.AsSpan(0, want).Clear();
        }
        for (int block = 0; block < want; block += Limits.BlockBytes)
        {
            var into = _piece.AsSpan(block, Math.Min(Limits.BlockBytes, want - block));
            if (!TryRead(segment.File, at + block, into)) into.Clear();
        }
        return want;
    }

    private void TryHeader(Segment segment, long pieceAt, int block, int got)
    {
        int length = BatchHeader.Probe(_piece.AsSpan(block, got - block), key);
        if (length == 0 || pieceAt + block + length > segment.Length) return;
        if (_header.Length < length) _header = new byte[length];
        var bytes = _header.AsSpan(0, length);
        if (block + length <= got) _piece.AsSpan(block, length).CopyTo(bytes);
        else if (!TryRead(segment.File, pieceAt + block, bytes)) return;
        if (BatchHeader.Parse(bytes, segment.Number, pieceAt + block) is not { } header) return;
#if MUTANTS
        if (Mutants.On(Mutant.SecondHeaderIgnored) && pieceAt + block != header.Offset) return;
#endif
        if (!_found.TryGetValue(header.Number, out var found))
        {
            found = new FoundBatch(header, segment);
            _found.Add(header.Number, found);
        }
        else if (found.Segment != segment || found.Header.Offset != header.Offset || found.Header.Checksum != header.Checksum) return;
        if (pieceAt + block == header.Offset) found.FrontWhole = true;
        else found.BackWhole = true;
    }
}
