using System.Runtime.InteropServices;

namespace Quorate.Storage.Doors;

/// <summary>A file by its descriptor: positioned calls, fdatasync, reservation, reads past the page cache.</summary>
internal sealed unsafe class LinuxFile : IDiskFile
{
    private readonly string _path;
    private int _fd;
    private int _directFd = -1;
    private bool _noDirect;
    private byte* _aligned;
    private int _alignedBytes;

    public LinuxFile(string path, bool create)
    {
        _path = path;
        _fd = Libc.open(path, Libc.O_RDWR | Libc.O_CLOEXEC | (create ? Libc.O_CREAT : 0), 0x1a4 /* rw-r--r-- */);
        if (_fd < 0) throw Libc.LastError(path, "open");
    }

    public long Length
    {
        get
        {
            long end = Libc.lseek(_fd, 0, 2);
            return end >= 0 ? end : throw Libc.LastError(_path, "lseek");
        }
    }

    public int Read(long offset, Span<byte> into) => Read(_fd, offset, into);

    /// <summary>Through a descriptor of its own, opened with O_DIRECT; where the file system knows no such thing (tmpfs) the pages are dropped first.</summary>
    public int ReadPastCache(long offset, Span<byte> into)
    {
        if (_directFd < 0 && !_noDirect)
        {
            _directFd = Libc.open(_path, Libc.O_RDONLY | Libc.O_CLOEXEC | Libc.O_DIRECT, 0);
            _noDirect = _directFd < 0;
        }
        if (!_noDirect && into.Length % Limits.BlockBytes == 0)
        {
            EnsureAligned(into.Length);
            int got = Read(_directFd, offset, new Span<byte>(_aligned, into.Length));
            new ReadOnlySpan<byte>(_aligned, got).CopyTo(into);
            return got;
        }
        _ = Libc.posix_fadvise(_fd, offset, into.Length, Libc.POSIX_FADV_DONTNEED);
        return Read(_fd, offset, into);
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                nint n = Libc.pwrite(_fd, p + done, bytes.Length - done, offset + done);
                if (n > 0) done += (int)n;
                else if (n < 0 && Marshal.GetLastPInvokeError() != Libc.EINTR) throw Libc.LastError(_path, "write");
            }
        }
    }

    public void Sync()
    {
        // Not repeated on EINTR or anything else: a second sync that succeeds proves nothing (storage.md §2.5).
        if (Libc.fdatasync(_fd) != 0) throw Libc.LastError(_path, "fdatasync");
    }

    public void Allocate(long length)
    {
        int error;
        do error = Libc.posix_fallocate(_fd, 0, length);
        while (error == Libc.EINTR);
        if (error != 0) throw Libc.Error(_path, "posix_fallocate", error);
    }

    public void Truncate(long length)
    {
        if (Libc.ftruncate(_fd, length) != 0) throw Libc.LastError(_path, "ftruncate");
    }

    public void Dispose()
    {
        if (_directFd >= 0) _ = Libc.close(_directFd);
        if (_fd >= 0) _ = Libc.close(_fd);
        _fd = _directFd = -1;
        NativeMemory.AlignedFree(_aligned);
        _aligned = null;
        _alignedBytes = 0;
    }

    private int Read(int fd, long offset, Span<byte> into)
    {
        fixed (byte* p = into)
        {
            int done = 0;
            while (done < into.Length)
            {
                nint n = Libc.pread(fd, p + done, into.Length - done, offset + done);
                if (n > 0) done += (int)n;
                else if (n == 0) break;
                else if (Marshal.GetLastPInvokeError() != Libc.EINTR) throw Libc.LastError(_path, "read");
                if (fd == _directFd && done % Limits.BlockBytes != 0) break; // the end of the file
            }
            return done;
        }
    }

    private void EnsureAligned(int bytes)
    {
        if (_alignedBytes >= bytes) return;
        NativeMemory.AlignedFree(_aligned);
        _aligned = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Limits.BlockBytes);
        _alignedBytes = bytes;
    }
}
