using Microsoft.Win32.SafeHandles;

namespace Quorate.Storage.Doors;

/// <summary>A file where there is no Linux: the framework's positioned calls. Its sync is a full one; reads past the page cache are plain reads.</summary>
internal sealed class PortableFile : IDiskFile
{
    private readonly SafeFileHandle _handle;
    private readonly string _path;

    public PortableFile(string path, bool create)
    {
        _path = path;
        _handle = Guarded(path, () => File.OpenHandle(path, create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
    }

    public long Length => Guarded(_path, () => RandomAccess.GetLength(_handle));

    public int Read(long offset, Span<byte> into)
    {
        try
        {
            int done = 0;
            while (done < into.Length)
            {
                int n = RandomAccess.Read(_handle, into[done..], offset + done);
                if (n == 0) break;
                done += n;
            }
            return done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Error(_path, e);
        }
    }

    public int ReadPastCache(long offset, Span<byte> into) => Read(offset, into);

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Error(_path, e);
        }
    }

    public void Sync() => Guarded(_path, () => RandomAccess.FlushToDisk(_handle));

    /// <summary>Reserved by length only; where the file system makes holes of that, room may still run out at the write.</summary>
    public void Allocate(long length)
    {
        if (Length < length) Truncate(length);
    }

    public void Truncate(long length) => Guarded(_path, () => RandomAccess.SetLength(_handle, length));

    public void Dispose() => _handle.Dispose();

    public static DiskException Error(string path, Exception e) => new(e switch
    {
        FileNotFoundException or DirectoryNotFoundException => DiskFailure.NotFound,
        UnauthorizedAccessException => DiskFailure.Denied,
        IOException io when (io.HResult & 0xffff) is 28 or 112 or 39 => DiskFailure.Full,
        _ => DiskFailure.Broken,
    }, $"{path}: {e.Message}", e);

    public static void Guarded(string path, Action action) => Guarded(path, () =>
    {
        action();
        return true;
    });

    public static T Guarded<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Error(path, e);
        }
    }
}
