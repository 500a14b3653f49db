using System.Runtime.InteropServices;

namespace Quorate.Storage.Doors;

/// <summary>What Linux offers for files and the framework does not: fdatasync, reservation, direct reads, a directory's sync, locks that vanish with the process.</summary>
internal static unsafe partial class Libc
{
    public const int O_RDONLY = 0, O_RDWR = 2, O_CREAT = 0x40, O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000;
    public const int EINTR = 4, ENOENT = 2, EIO = 5, EACCES = 13, EPERM = 1, EROFS = 30, ENOSPC = 28, EDQUOT = 122, EAGAIN = 11, EINVAL = 22, EOPNOTSUPP = 95;
    public const int LOCK_EX = 2, LOCK_NB = 4, POSIX_FADV_DONTNEED = 4;

    /// <summary>O_DIRECT has a number of its own on ARM.</summary>
    public static readonly int O_DIRECT = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;

    public static readonly int Directory = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x4000 : O_DIRECTORY;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint pread(int fd, byte* buffer, nint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint pwrite(int fd, byte* buffer, nint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fdatasync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ftruncate(int fd, long length);

    /// <summary>Returns the error itself, not through errno.</summary>
    [LibraryImport("libc")]
    public static partial int posix_fallocate(int fd, long offset, long length);

    [LibraryImport("libc")]
    public static partial int posix_fadvise(int fd, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int flock(int fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long lseek(int fd, long offset, int whence);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlink(string path);

    public static DiskException Error(string path, string call, int error) =>
        new(error switch
        {
            ENOSPC or EDQUOT => DiskFailure.Full,
            ENOENT => DiskFailure.NotFound,
            EACCES or EPERM or EROFS => DiskFailure.Denied,
            _ => DiskFailure.Broken,
        }, $"{path}: {call}: {Marshal.GetPInvokeErrorMessage(error)}");

    public static DiskException LastError(string path, string call) => Error(path, call, Marshal.GetLastPInvokeError());
}
