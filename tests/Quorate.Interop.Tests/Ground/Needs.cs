namespace Quorate.Interop.Tests.Ground;

/// <summary>What a test cannot do without. Where it is missing the test is skipped by name; with CI=true it runs and fails instead.</summary>
[Flags]
public enum Needs
{
    Nothing = 0,
    Quorate = 1,
    ZooKeeper = 2,
    Kazoo = 4,
    CommandLineC = 8,
    CommandLineJava = 16,
    Root = 32,
    /// <summary>Three members of whichever server this run is about.</summary>
    Ensemble = 64,
    /// <summary>strace, allowed to trace what it did not start.</summary>
    Strace = 128,
    /// <summary>A hard limit of open files that leaves room for 10,000 connections in this process and in the server.</summary>
    ManyFiles = 256,
}

internal static class Missing
{
    public const string CliMt = "/usr/lib/zookeeper/bin/cli_mt";
    public const string ZkCli = "/usr/share/zookeeper/bin/zkCli.sh";
    public const string Python = "/usr/bin/python3";

    /// <summary>Why the test cannot run here, or null.</summary>
    public static string? Of(Needs needs)
    {
        if (needs.HasFlag(Needs.Quorate) && Mode.ZooKeeperOnly) return "QUORATE_INTEROP_ONLY=zookeeper leaves Quorate out";
        if (needs.HasFlag(Needs.ZooKeeper) && Mode.QuorateOnly) return "QUORATE_INTEROP_ONLY=quorate leaves ZooKeeper out";
        return Mode.Ci ? null : Thing(needs);
    }

    /// <summary>The missing thing itself: in CI the test runs into this as an error.</summary>
    public static string? Thing(Needs needs)
    {
        var zookeeper = needs.HasFlag(Needs.ZooKeeper) || (needs.HasFlag(Needs.Ensemble) && Mode.ZooKeeperOnly);
        if (zookeeper && !File.Exists("/usr/bin/java")) return "needs java (Debian package default-jre-headless)";
        if (zookeeper && !File.Exists("/usr/share/java/zookeeper.jar")) return "needs ZooKeeper 3.8.0 (Debian package zookeeper)";
        if (needs.HasFlag(Needs.Kazoo) && !Directory.Exists("/usr/lib/python3/dist-packages/kazoo")) return "needs kazoo (Debian package python3-kazoo)";
        if (needs.HasFlag(Needs.CommandLineC) && !File.Exists(CliMt)) return "needs cli_mt (Debian package zookeeper-bin)";
        if (needs.HasFlag(Needs.CommandLineJava) && (!File.Exists(ZkCli) || !File.Exists("/usr/bin/java"))) return "needs zkCli.sh (Debian packages zookeeper, default-jre-headless)";
        if (needs.HasFlag(Needs.Strace) && !File.Exists("/usr/bin/strace")) return "needs strace (Debian package strace)";
        if (needs.HasFlag(Needs.Strace) && Environment.UserName != "root") return "needs root, to trace another process";
        if (needs.HasFlag(Needs.ManyFiles) && HardFileLimit() < 15000) return "needs a hard limit of 15,000 open files (ulimit -Hn)";
        if (needs.HasFlag(Needs.Root) && Environment.UserName != "root") return "needs root";
        return null;
    }

    private static long HardFileLimit()
    {
        var words = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.TryParse(words[4], out var n) ? n : long.MaxValue;
    }

    public static void Demand(Needs needs)
    {
        if (Thing(needs) is { } why) throw new InvalidOperationException(why);
    }
}

/// <summary>A fact that is skipped by name where something is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InteropFactAttribute : FactAttribute
{
    public InteropFactAttribute(Needs needs)
    {
        Needs = needs;
        Skip = Missing.Of(needs);
    }

    public Needs Needs { get; }
}

/// <summary>A theory that is skipped by name where something is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class InteropTheoryAttribute : TheoryAttribute
{
    public InteropTheoryAttribute(Needs needs)
    {
        Needs = needs;
        Skip = Missing.Of(needs);
    }

    public Needs Needs { get; }
}
