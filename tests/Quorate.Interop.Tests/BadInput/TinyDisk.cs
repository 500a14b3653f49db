using System.Globalization;
using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>A small tmpfs (root only), unmounted whatever happens.</summary>
internal sealed class TinyDisk : IDisposable
{
    private TinyDisk(string path) => Path = path;

    public string Path { get; }

    public static TinyDisk Mount(int mebibytes)
    {
        Missing.Demand(Needs.Root);
        var path = System.IO.Path.Combine(Refusals.Scratch(), "disk");
        Directory.CreateDirectory(path);
        Run("/bin/mount", "-t", "tmpfs", "-o", "size=" + mebibytes.ToString(CultureInfo.InvariantCulture) + "m", "tmpfs", path);
        return new TinyDisk(path);
    }

    public void MakeReadOnly() => Run("/bin/mount", "-o", "remount,ro", Path);

    public long Free => new DriveInfo(Path).AvailableFreeSpace;

    /// <summary>Takes all room but so much; the returned path is the ballast, deleted to give it back.</summary>
    public string Fill(long leave)
    {
        var ballast = System.IO.Path.Combine(Path, "ballast");
        using var f = new FileStream(ballast, FileMode.Create);
        var block = new byte[1 << 20];
        for (var n = Free - leave; n > 0; n -= block.Length) f.Write(block, 0, (int)Math.Min(n, block.Length));
        return ballast;
    }

    public void Dispose()
    {
        var (code, _, error) = Child.Run(Refusals.Scratch(), ["/bin/umount", "-l", Path], 10);
        if (code != 0) throw new InvalidOperationException("umount: " + error);
    }

    private static void Run(params string[] command)
    {
        var (code, _, error) = Child.Run(Refusals.Scratch(), command, 10);
        if (code != 0) throw new InvalidOperationException(string.Join(' ', command) + ": " + error);
    }
}
