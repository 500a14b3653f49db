namespace Quorate.Storage;

/// <summary>A snapshot that is whole on the disk, under its final name.</summary>
internal sealed class SnapshotFile(long token, int partition, SnapshotIdentity identity, string path, bool installed, IDiskFile file, long bytes)
{
    public long Token { get; } = token;
    public int Partition { get; } = partition;
    public SnapshotIdentity Identity { get; } = identity;
    public string Path { get; } = path;
    public bool Installed { get; } = installed;
    public IDiskFile File { get; } = file;

    /// <summary>The body's length.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>The configuration that ruled at its position.</summary>
    public ConfigurationAt? Configuration { get; init; }
    public long Rows { get; init; }

    /// <summary>Streams and restores that read it.</summary>
    public int Pins { get; set; }

    /// <summary>Replaced: it goes, or becomes the reserve, with the last pin.</summary>
    public bool Retired { get; set; }

    public BodyHandle Handle => new(Identity, Token, Bytes);
}

/// <summary>What reading a whole file past the page cache found.</summary>
internal readonly record struct SnapshotCheck(bool Whole, long BadOffset, long Bytes, long Rows, ConfigurationAt? Configuration)
{
    /// <summary>Reads every block past the page cache, in order, up to the last one (storage.md §4.3, §4.5).</summary>
    public static SnapshotCheck Of(IDiskFile file, int partition, in SnapshotIdentity identity)
    {
        long length = file.Length & -Limits.BlockBytes, at = 0;
        var block = new byte[SnapshotFormat.BlockBytes];
        ConfigurationAt? configuration = null;
        for (long number = 0; at < length; number++)
        {
            int want = (int)Math.Min(block.Length, length - at);
            if (!TryRead(file, at, block.AsSpan(0, want))) return new(false, at, 0, 0, null);
            if (!SnapshotFormat.TryOpen(block.AsSpan(0, want), partition, identity, number, out int content, out int bytes, out bool last)) return new(false, at, 0, 0, null);
            if (number == 0) configuration = FirstAppend(block.AsSpan(SnapshotFormat.HeadBytes, content));
            at += bytes;
            if (!last) continue;
            var counts = SnapshotFormat.ReadCounts(block.AsSpan(SnapshotFormat.HeadBytes, content));
            bool whole = content == SnapshotFormat.LastContentBytes && counts.Blocks == number && counts.Digest == identity.Digest;
            return new(whole, whole ? 0 : at - bytes, at, counts.Rows, configuration);
        }
        return new(false, at, 0, 0, null);
    }

    private static bool TryRead(IDiskFile file, long at, Span<byte> into)
    {
        try
        {
            return file.ReadPastCache(at, into) == into.Length;
        }
        catch (DiskException e) when (e.Failure == DiskFailure.Broken)
        {
            return false;
        }
    }

    private static ConfigurationAt? FirstAppend(ReadOnlySpan<byte> content)
    {
        var r = new ByteReader(content);
        return SnapshotFormat.DecodeConfiguration(r.Sized());
    }
}
