namespace Quorate.Interop.Tests.Ground;

/// <summary>What this run is asked to do: the environment decides, so that ./test and a person at a desk use one suite.</summary>
/// <remarks>
/// QUORATE_INTEROP_ONLY=zookeeper runs every script against Debian's ZooKeeper alone, which shows that the scripts are right;
/// QUORATE_INTEROP_ONLY=quorate leaves ZooKeeper out. QUORATE_INTEROP_BIN names another executable than ./quorate.
/// </remarks>
internal static class Mode
{
    public static readonly string Only = Environment.GetEnvironmentVariable("QUORATE_INTEROP_ONLY") ?? "";
    public static readonly bool Ci = Environment.GetEnvironmentVariable("CI") == "true";
    public static readonly bool ZooKeeperOnly = Only == "zookeeper";
    public static readonly bool QuorateOnly = Only == "quorate";
    public static readonly string Root = FindRoot();
    public static readonly string Quorate = Environment.GetEnvironmentVariable("QUORATE_INTEROP_BIN") ?? Path.Combine(Root, "quorate");
    public static readonly string Scratch = Directory.CreateTempSubdirectory("quorate-interop-").FullName;

    private static string FindRoot()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "Quorate.slnx"))) return d.FullName;
        throw new InvalidOperationException("no Quorate.slnx above " + AppContext.BaseDirectory);
    }
}
