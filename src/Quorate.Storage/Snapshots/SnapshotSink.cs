namespace Quorate.Storage;

/// <summary>A snapshot file that grows: its bytes go to the disk in pieces, at the store's rate, at most <see cref="Limits.SnapshotUnwrittenBytes"/> of them waiting (the host makes writes wait past that).</summary>
public abstract class SnapshotSink
{
    private const int SyncEveryBytes = 8 * 1024 * 1024;
    private readonly Queue<WriteSnapshotWork> _waiting = new();
    private long _sinceSync;

    private protected SnapshotSink(SnapshotStore store, int partition, SnapshotIdentity identity)
    {
        Store = store;
        Partition = partition;
        Identity = identity;
    }

    public int Partition { get; }
    public SnapshotIdentity Identity { get; }

    /// <summary>Bytes that wait for the disk.</summary>
    public long Unwritten { get; internal set; }

    internal SnapshotStore Store { get; }
    internal IDiskFile? File { get; set; }
    internal string PartPath { get; init; } = "";
    internal bool FromReserve { get; set; }

    /// <summary>Set by the disk's side: a piece could not be written, and the others need not be.</summary>
    internal bool Broken { get; set; }

    /// <summary>Given up: nothing is published.</summary>
    internal bool Abandoned { get; private set; }

    /// <summary>Everything was appended; <see cref="Total"/> is the file's length.</summary>
    internal bool Finished { get; private protected set; }
    internal bool Publishing { get; set; }

    /// <summary>The store is done with it.</summary>
    internal bool Over { get; set; }
    internal long Total { get; private protected set; }
    internal long WrittenMark { get; init; }

    /// <summary>A whole file of this very identity stands already: nothing is written, and it is what is reported.</summary>
    internal SnapshotFile? Already { get; init; }

    /// <summary>Gives the snapshot up; its file goes, no event comes.</summary>
    public void Abandon()
    {
        Abandoned = true;
        _waiting.Clear();
    }

    internal bool HasWaiting => _waiting.Count > 0;

    internal int NextBytes => _waiting.Peek().Length;

    internal WriteSnapshotWork TakeNext() => _waiting.Dequeue();

    private protected void Queue(byte[] bytes, int length)
    {
        _sinceSync += length;
        bool sync = _sinceSync >= SyncEveryBytes;
        if (sync) _sinceSync = 0;
        _waiting.Enqueue(new WriteSnapshotWork(this, bytes, length, Total, sync));
        Total += length;
        Unwritten += length;
    }
}

/// <summary>Writes a snapshot in the host's slices; restore gets the very same slices (storage.md §4.1).</summary>
public sealed class SnapshotWriter : SnapshotSink
{
    private byte[] _block;
    private int _content;
    private long _blocks, _appends;

    internal SnapshotWriter(SnapshotStore store, int partition, SnapshotIdentity identity, ConfigurationAt? configuration) : base(store, partition, identity)
    {
        _block = store.TakeBlock();
        Append(SnapshotFormat.EncodeConfiguration(configuration));
        _appends = 0;
    }

    /// <summary>Takes a slice's bytes; copies them.</summary>
    public void Append(ReadOnlySpan<byte> slice)
    {
        if (Already is not null || Abandoned) return;
        Span<byte> length = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, slice.Length);
        Put(length);
        Put(slice);
        _appends++;
    }

    /// <summary>Everything was appended. <see cref="SnapshotStore.TryTakeEvent"/> says Stored or Failed later.</summary>
    public void Finish(long rows)
    {
        if (Already is null && !Abandoned)
        {
            if (_content > 0) Flush(last: false);
            SnapshotFormat.WriteCounts(_block.AsSpan(SnapshotFormat.HeadBytes), _blocks, rows, _appends, Identity.Digest);
            _content = SnapshotFormat.LastContentBytes;
            Flush(last: true);
        }
        Store.GiveBlock(_block);
        _block = [];
        Finished = true;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int room = Math.Min(bytes.Length, SnapshotFormat.ContentBytes - _content);
            bytes[..room].CopyTo(_block.AsSpan(SnapshotFormat.HeadBytes + _content));
            _content += room;
            bytes = bytes[room..];
            if (_content == SnapshotFormat.ContentBytes) Flush(last: false);
        }
    }

    private void Flush(bool last)
    {
        Queue(_block, SnapshotFormat.Seal(_block, _content, Partition, Identity, _blocks, last));
        _blocks++;
        _content = 0;
        _block = Store.TakeBlock();
    }
}

/// <summary>Receives a leader's snapshot file, byte for byte (storage.md §4.4).</summary>
public sealed class SnapshotReceiver : SnapshotSink
{
    private readonly long _expected;
    private byte[] _block = [];
    private int _used;

    internal SnapshotReceiver(SnapshotStore store, int partition, SnapshotIdentity identity, long bytes) : base(store, partition, identity) => _expected = bytes;

    /// <summary>Takes the next bytes; copies them.</summary>
    public void Append(ReadOnlySpan<byte> raw)
    {
        if (Already is not null || Abandoned) return;
        if (Total + _used + raw.Length > _expected) Broken = true; // more than was announced: it fails at Finish, and nothing more is kept
        while (raw.Length > 0 && !Broken)
        {
            if (_block.Length == 0) _block = Store.TakeBlock();
            int room = Math.Min(raw.Length, _block.Length - _used);
            raw[..room].CopyTo(_block.AsSpan(_used));
            _used += room;
            raw = raw[room..];
            if (_used == _block.Length) Flush();
        }
    }

    /// <summary>Everything was appended. <see cref="SnapshotStore.TryTakeEvent"/> says Received or ReceiveFailed later; a file that is short or not whole fails there.</summary>
    public void Finish()
    {
        if (_used > 0) Flush();
        if (Already is null && Total != _expected) Broken = true;
        Finished = true;
    }

    private void Flush()
    {
        Queue(_block, _used);
        _block = [];
        _used = 0;
    }
}

/// <summary>Hands a stored snapshot's slices back: the very appends of its writer (storage.md §4.1). A block that does not verify ends it with <see cref="Failed"/>.</summary>
public sealed class SnapshotReader
{
    private readonly SnapshotFile _file;
    private readonly byte[] _block = new byte[SnapshotFormat.BlockBytes];
    private readonly ByteWriter _slice = new(64 * 1024);
    private long _at, _number;
    private int _content, _used;
    private bool _last;

    internal SnapshotReader(SnapshotFile file)
    {
        _file = file;
        Configuration = file.Configuration;
        ReadSlice(out _); // the configuration's
    }

    public SnapshotIdentity Identity => _file.Identity;

    /// <summary>The configuration that ruled at the position, with its index.</summary>
    public ConfigurationAt? Configuration { get; }
    public long Rows => _file.Rows;

    /// <summary>Some block is not whole any more: what was restored so far is worth nothing.</summary>
    public bool Failed { get; private set; }

    /// <summary>The next slice, valid until the next call; false at the end or when <see cref="Failed"/>.</summary>
    public bool ReadSlice(out ReadOnlySpan<byte> slice)
    {
        slice = default;
        _slice.Clear();
        if (!TryCopy(4)) return false;
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(_slice.Written);
        _slice.Clear();
        if (length < 0 || length > _file.Bytes || !TryCopy(length))
        {
            Failed = true;
            return false;
        }
        slice = _slice.Written;
        return true;
    }

    private bool TryCopy(int bytes)
    {
        while (bytes > 0)
        {
            if (_used == _content && !TryBlock()) return false;
            int room = Math.Min(bytes, _content - _used);
            _slice.Bytes(_block.AsSpan(SnapshotFormat.HeadBytes + _used, room));
            _used += room;
            bytes -= room;
        }
        return true;
    }

    private bool TryBlock()
    {
        if (_last || Failed) return false;
        int want = (int)Math.Min(_block.Length, _file.Bytes - _at);
        var bytes = _block.AsSpan(0, want);
        if (!JournalScan.TryRead(_file.File, _at, bytes) || !SnapshotFormat.TryOpen(bytes, _file.Partition, _file.Identity, _number, out _content, out int length, out _last))
        {
            Failed = true;
            return false;
        }
        _at += length;
        _number++;
        _used = 0;
        return !_last;
    }
}
