namespace Quorate.Storage;

/// <summary>
/// Level memory (storage.md §5): the same journal and snapshots over files that are held in memory, in pieces that exist only where something was written. Nothing under the data directory is touched.
/// Works run when they are submitted and are handed back at the next pump.
/// </summary>
internal sealed class MemoryDisk : IDisk
{
    private readonly SortedDictionary<string, Content> _files = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal);
    private readonly Queue<DiskWork> _done = new();

    public string BootId => "";

    /// <summary>Something waits to be taken; no bell rings for it.</summary>
    public bool HasDone => _done.Count > 0;

    public string[] List(string directory)
    {
        var names = new List<string>();
        foreach (string path in _files.Keys)
            if (Path.GetDirectoryName(path) == directory) names.Add(Path.GetFileName(path));
        return [.. names];
    }

    public string[] ListDirectories(string directory)
    {
        var names = new List<string>();
        foreach (string path in _directories)
            if (Path.GetDirectoryName(path) == directory) names.Add(Path.GetFileName(path));
        return [.. names];
    }

    public void CreateDirectory(string directory) => _directories.Add(directory);

    public bool Exists(string path) => _files.ContainsKey(path);

    public IDiskFile Open(string path, bool create)
    {
        if (!_files.TryGetValue(path, out var content))
        {
            if (!create) throw new DiskException(DiskFailure.NotFound, $"{path}: no such file");
            _files.Add(path, content = new Content());
        }
        return new Handle(content);
    }

    public void Rename(string from, string to)
    {
        if (!_files.Remove(from, out var content)) throw new DiskException(DiskFailure.NotFound, $"{from}: no such file");
        _files[to] = content;
    }

    public void Delete(string path)
    {
        if (!_files.Remove(path)) throw new DiskException(DiskFailure.NotFound, $"{path}: no such file");
    }

    public void SyncDirectory(string directory)
    {
        // nothing here outlives the process
    }

    public IDisposable Lock(string directory) => new Held();

    public void Submit(DiskQueue queue, DiskWork work)
    {
        work.Failure = null;
        try
        {
            work.Run(this);
        }
        catch (DiskException e)
        {
            work.Failure = e;
        }
        _done.Enqueue(work);
    }

    public bool TryComplete(out DiskWork work) => _done.TryDequeue(out work!);

    private sealed class Held : IDisposable
    {
        public void Dispose()
        {
            // no other process can see it
        }
    }

    /// <summary>A file's pieces; one that was never written reads as zeros.</summary>
    private sealed class Content
    {
        private const int PieceBytes = 64 * 1024;
        private byte[]?[] _pieces = [];

        public long Length { get; set; }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            Length = Math.Max(Length, offset + bytes.Length);
            while (bytes.Length > 0)
            {
                int piece = (int)(offset / PieceBytes), at = (int)(offset % PieceBytes), count = Math.Min(bytes.Length, PieceBytes - at);
                if (piece >= _pieces.Length) Array.Resize(ref _pieces, Math.Max(piece + 1, _pieces.Length * 2));
                bytes[..count].CopyTo((_pieces[piece] ??= new byte[PieceBytes]).AsSpan(at));
                bytes = bytes[count..];
                offset += count;
            }
        }

        public int Read(long offset, Span<byte> into)
        {
            int total = (int)Math.Max(0, Math.Min(into.Length, Length - offset));
            for (int done = 0; done < total;)
            {
                int piece = (int)((offset + done) / PieceBytes), at = (int)((offset + done) % PieceBytes), count = Math.Min(total - done, PieceBytes - at);
                if (piece < _pieces.Length && _pieces[piece] is { } p) p.AsSpan(at, count).CopyTo(into[done..]);
                else into.Slice(done, count).Clear();
                done += count;
            }
            return total;
        }

        public void Truncate(long length)
        {
            Length = length;
            int pieces = (int)((length + PieceBytes - 1) / PieceBytes);
            for (int i = pieces; i < _pieces.Length; i++) _pieces[i] = null;
            if (pieces > 0 && pieces <= _pieces.Length && length % PieceBytes > 0) _pieces[pieces - 1].AsSpan((int)(length % PieceBytes)).Clear();
        }
    }

    private sealed class Handle(Content content) : IDiskFile
    {
        public long Length => content.Length;

        public int Read(long offset, Span<byte> into) => content.Read(offset, into);

        public int ReadPastCache(long offset, Span<byte> into) => content.Read(offset, into);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => content.Write(offset, bytes);

        public void Sync()
        {
            // held is all that this level promises
        }

        public void Allocate(long length) => content.Length = Math.Max(content.Length, length);

        public void Truncate(long length) => content.Truncate(length);

        public void Dispose()
        {
            // the content goes with its last name and handle
        }
    }
}
