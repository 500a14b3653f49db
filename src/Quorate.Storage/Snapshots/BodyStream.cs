namespace Quorate.Storage;

/// <summary>
/// A stored snapshot's bytes for a peer, from the first on, read a block ahead beside the work (DESIGN §4). Each block is verified before a byte of it leaves: what has gone bad since it was stored is named here, with file
/// and offset, and not by a receiver that would ask for it again and again. The file stays as long as one of these reads it.
/// </summary>
public sealed class BodyStream
{
    /// <summary>It is not here yet; to be asked for again.</summary>
    public const int Later = 0;

    /// <summary>The body is gone or cannot be read.</summary>
    public const int Gone = -1;

    private readonly SnapshotStore _store;
    private readonly SnapshotFile _file;
    private ReadBlockWork? _here, _coming;
    private bool _ended;

    internal BodyStream(SnapshotStore store, SnapshotFile file)
    {
        _store = store;
        _file = file;
        _file.Pins++;
        _coming = _store.BeginRead(this, _file, 0, 0);
    }

    public BodyHandle Body => _file.Handle;

    /// <summary>Copies bytes from an offset on, which is where the last copy ended; <see cref="Later"/> or <see cref="Gone"/> when it cannot.</summary>
    public int Read(long offset, Span<byte> into)
    {
        if (_ended) return Gone;
        if (_here is not { } block || offset >= block.At + block.Length)
        {
            if (_coming is not { Done: true } next) return _coming is null ? Gone : Later;
            if (next.Length == 0 || offset != next.At) return Gone; // named by the store
            if (_here is not null) _store.EndRead(_here);
            (_here, _coming) = (block = next, null);
            if (block.At + block.Length < _file.Bytes) _coming = _store.BeginRead(this, _file, block.At + block.Length, block.Number + 1);
        }
        int count = (int)Math.Min(into.Length, block.At + block.Length - offset);
        block.Bytes.AsSpan((int)(offset - block.At), count).CopyTo(into);
        return count;
    }

    /// <summary>Nothing more is asked of it.</summary>
    public void End()
    {
        if (_ended) return;
        _ended = true;
        if (_here is not null) _store.EndRead(_here);
        if (_coming is { Done: true }) _store.EndRead(_coming);
        bool reading = _coming is { Done: false };
        _here = null;
        if (!reading) _store.Unpin(_file.Handle);
    }

    /// <summary>The disk is done with a block.</summary>
    internal void Arrived(ReadBlockWork work)
    {
        work.Done = true;
        if (!_ended) return;
        _store.EndRead(work);
        _store.Unpin(_file.Handle);
    }
}

/// <summary>Reads and verifies one block of a snapshot. Its length is 0 when it is not whole.</summary>
internal sealed class ReadBlockWork(BodyStream stream, SnapshotFile file, byte[] bytes, long at, long number) : DiskWork
{
    public BodyStream Stream { get; } = stream;
    public SnapshotFile File { get; } = file;
    public byte[] Bytes { get; } = bytes;
    public long At { get; } = at;
    public long Number { get; } = number;
    public int Length { get; private set; }
    public bool Done { get; set; }

    public override void Run(IDisk disk)
    {
        var block = Bytes.AsSpan(0, (int)Math.Min(Bytes.Length, File.Bytes - At));
        try
        {
            if (JournalScan.TryRead(File.File, At, block) && SnapshotFormat.TryOpen(block, File.Partition, File.Identity, Number, out _, out int length, out _)) Length = length;
        }
        catch (StorageRefusal e)
        {
            throw new DiskException(DiskFailure.Broken, $"{File.Path}: {e.Message}", e); // it was read whole once: the number of its format has gone bad
        }
    }
}
