using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Quorate.Transport.Doors;

/// <summary>HOST:PORT and [IPV6]:PORT, in both directions.</summary>
internal static class Endpoints
{
    /// <summary>Splits; throws <see cref="NetworkException"/> when it is no address.</summary>
    public static (string Host, int Port) Split(string address)
    {
        int colon = address.LastIndexOf(':');
        string host = colon < 1 ? "" : address[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal)) host = "";
        if (host.Length == 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            throw new NetworkException($"'{address}' is not HOST:PORT");
        return (host, port);
    }

    /// <summary>Blocks for a name (not for a number): for start-up and for other threads than the strand.</summary>
    public static IPEndPoint[] Resolve(string host, int port)
    {
        if (IPAddress.TryParse(host, out var number)) return [new IPEndPoint(number, port)];
        try
        {
            return Array.ConvertAll(Dns.GetHostAddresses(host), found => new IPEndPoint(found, port));
        }
        catch (SocketException unknown)
        {
            throw new NetworkException($"the name '{host}' has no address: {unknown.Message}", unknown);
        }
    }

    public static string Text(EndPoint? endPoint)
    {
        if (endPoint is not IPEndPoint ip) return "unknown:0";
        var address = ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address;
        string port = ip.Port.ToString(CultureInfo.InvariantCulture);
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]:{port}" : $"{address}:{port}";
    }

    /// <summary>A bound and listening socket; the message of the exception is what a user reads.</summary>
    public static Socket Listen(string address)
    {
        var (host, port) = Split(address);
        var candidates = Resolve(host, port);
        if (candidates.Length == 0) throw new NetworkException($"the name '{host}' has no address");
        SocketException? last = null;
        foreach (var endPoint in candidates)
        {
            var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(endPoint);
                socket.Listen(SocketNetwork.Backlog);
                socket.Blocking = false;
                return socket;
            }
            catch (SocketException failed)
            {
                socket.Dispose();
                last = failed;
            }
        }
        throw new NetworkException($"cannot listen on {address}: {last!.Message}", last);
    }
}
