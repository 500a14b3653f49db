using System.Net;
using System.Net.Sockets;

namespace Quorate.Interop.Tests.Ground;

/// <summary>Free loopback ports. Each number is given once in a run; the kernel picks them, so nothing is fixed.</summary>
internal static class Ports
{
    private static readonly HashSet<int> Given = [];

    public static int Free() => Free(1)[0];

    public static int[] Free(int n)
    {
        lock (Given)
        {
            var held = new List<TcpListener>();
            var ports = new List<int>();
            while (ports.Count < n)
            {
                var l = new TcpListener(IPAddress.Loopback, 0);
                l.Start();
                held.Add(l);
                var port = ((IPEndPoint)l.LocalEndpoint).Port;
                if (Given.Add(port)) ports.Add(port);
            }
            foreach (var l in held) l.Dispose();
            return [.. ports];
        }
    }
}
