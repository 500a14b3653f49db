using System.Runtime.InteropServices;

namespace Quorate.Storage;

/// <summary>A stretch of a segment that is read at once: one or more records, and what little stands between them.</summary>
internal readonly record struct ReadPiece(Segment Segment, long At, int Into, int Length, int FirstRecord, int Records);

/// <summary>Reads records of old batches into one buffer. A stretch that cannot be read whole is read record by record: one bad block spoils what lies in it, not its neighbours (storage.md §1.3).</summary>
internal sealed class ReadEntriesWork(EntryFetch owner) : DiskWork
{
    /// <summary>Bytes between two records that are read along with them: the headers between two small batches.</summary>
    private const int GapBytes = 16 * 1024;

    /// <summary>Bytes of such gaps in one read, at most.</summary>
    private const int GapsBytes = 1024 * 1024;

    private readonly List<ReadPiece> _pieces = [];
    private readonly List<(int Into, int Length)> _records = [];
    private int _gaps;

    public EntryFetch Owner { get; } = owner;
    public byte[] Bytes { get; private set; } = [];
    public int Length { get; private set; }

    public ReadOnlySpan<ReadPiece> Pieces => CollectionsMarshal.AsSpan(_pieces);

    public void Clear()
    {
        _pieces.Clear();
        _records.Clear();
        Length = _gaps = 0;
    }

    /// <summary>Room for so many bytes; returns where it begins.</summary>
    public int Take(int bytes)
    {
        if (Length + bytes > Bytes.Length)
        {
            var larger = new byte[Math.Max(Length + bytes, Math.Max(Bytes.Length * 2, 64 * 1024))];
            Bytes.AsSpan(0, Length).CopyTo(larger);
            Bytes = larger;
        }
        int at = Length;
        Length += bytes;
        return at;
    }

    /// <summary>A record to be read; returns where it will stand.</summary>
    public int Add(Segment segment, long at, int length)
    {
        if (_pieces.Count > 0 && _pieces[^1] is var last && last.Segment == segment && last.Into + last.Length == Length && at - (last.At + last.Length) is >= 0 and <= GapBytes and var gap && _gaps + gap <= GapsBytes)
        {
            _gaps += (int)gap;
            int into = Take((int)gap + length) + (int)gap;
            _pieces[^1] = last with { Length = last.Length + (int)gap + length, Records = last.Records + 1 };
            _records.Add((into, length));
            return into;
        }
        int start = Take(length);
        _pieces.Add(new ReadPiece(segment, at, start, length, _records.Count, 1));
        _records.Add((start, length));
        return start;
    }

    public override void Run(IDisk disk)
    {
        foreach (var piece in _pieces)
        {
            if (JournalScan.TryRead(piece.Segment.File, piece.At, Bytes.AsSpan(piece.Into, piece.Length))) continue;
            for (int i = piece.FirstRecord; i < piece.FirstRecord + piece.Records; i++)
            {
                var (into, length) = _records[i];
                if (!JournalScan.TryRead(piece.Segment.File, piece.At + (into - piece.Into), Bytes.AsSpan(into, length))) Bytes.AsSpan(into, length).Clear();
            }
        }
    }
}
