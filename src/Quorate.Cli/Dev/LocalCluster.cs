using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Quorate.Runtime.Membership;

namespace Quorate.Cli.Dev;

/// <summary>N members on this machine: their addresses, their directories, and how one of them is started.</summary>
internal sealed class LocalCluster(int count, string directory, int zookeeperPort, int peerPort, int httpPort, IReadOnlyList<string> sets)
{
    public int Count => count;
    public string Directory => directory;

    public static string Loopback(int port) => "127.0.0.1:" + port.ToString(CultureInfo.InvariantCulture);

    public Address ZooKeeper(int index) => new("127.0.0.1", zookeeperPort + index);

    public Address Http(int index) => new("127.0.0.1", httpPort + index);

    public string DataOf(int index) => Path.Combine(directory, (index + 1).ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Three runs of free ports next to one another for so many members; a moment later they may be taken. They lie below the range from which the system picks the ports of outgoing connections:
    /// one of those could sit on a killed member's port when it wants it back.
    /// </summary>
    public static (int ZooKeeper, int Peer, int Http) FreePorts(int count)
    {
        int at = 10_000 + Random.Shared.Next(20_000);
        for (int tries = 0; tries < 1000; tries++, at = at > 32_000 ? 10_000 : at + (3 * count))
            if (Enumerable.Range(at, 3 * count).All(IsFree)) return (at, at + count, at + (2 * count));
        throw new CommandException("no free ports were found on 127.0.0.1", 1);
    }

    public void Empty()
    {
        for (int i = 0; i < count; i++)
            if (System.IO.Directory.Exists(DataOf(i))) System.IO.Directory.Delete(DataOf(i), recursive: true);
    }

    /// <summary>Starts a member as a child; its standard input stays open as long as this process lives, and it stops when that ends.</summary>
    public Process Start(int index)
    {
        System.IO.Directory.CreateDirectory(directory);
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in Arguments(index)) start.ArgumentList.Add(argument);
        foreach (string key in ServeKeys()) start.Environment.Remove(key);
        return Process.Start(start)!;
    }

    private IEnumerable<string> Arguments(int index)
    {
        string id = (index + 1).ToString(CultureInfo.InvariantCulture);
        yield return "serve";
        yield return "--id";
        yield return id;
        yield return "--data";
        yield return DataOf(index);
        yield return "--zookeeper";
        yield return ZooKeeper(index).ToString();
        yield return "--http";
        yield return Http(index).ToString();
        yield return "--until-input-ends";
        if (count > 1)
        {
            yield return "--members";
            yield return string.Join(',', Enumerable.Range(0, count).Select(i => (i + 1).ToString(CultureInfo.InvariantCulture) + "=" + Loopback(peerPort + i)));
        }
        long least = new WindowRoom(Limits.StreamWindowBytes, Limits.MaxEntryBytes, Limits.SegmentBytes).LeastSegmentBytes(count);
        if (least > Limits.SegmentBytes)
        {
            yield return "--set"; // nine members do not fit into the default; a --set of the user's comes behind it and wins
            yield return "segmentBytes=" + least.ToString(CultureInfo.InvariantCulture);
        }
        foreach (string set in sets)
        {
            yield return "--set";
            yield return set;
        }
    }

    /// <summary>What would make every member the same one.</summary>
    private static IEnumerable<string> ServeKeys() => new[] { "id", "members", "peer", "data", "zookeeper", "http", "pidFile" }.Select(Setting.EnvironmentNameOf);

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
