using System.Net;
using System.Net.Sockets;

namespace Quorate.Doors;

/// <summary>Looks whether an address can be listened on, before anything is touched (DESIGN §8). Between this look and the real listening another process may take it; then the real one says so.</summary>
public static class Listening
{
    /// <summary>Null when it can; else one line that names the setting.</summary>
    public static string? Refusal(string setting, Address address)
    {
        try
        {
            var host = IPAddress.TryParse(address.Host, out var parsed) ? parsed : Dns.GetHostAddresses(address.Host).FirstOrDefault();
            if (host is null) return $"{setting}: the host of {address} has no address";
            using var socket = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(host, address.Port));
            socket.Listen(1);
            return null;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? $"{setting}: {address} is in use by another process"
                : $"{setting}: cannot listen on {address}: {error.Message}";
        }
    }
}
