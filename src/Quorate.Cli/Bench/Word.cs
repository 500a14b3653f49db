using System.Net.Sockets;
using System.Text;

namespace Quorate.Cli.Bench;

/// <summary>A four-letter word and its answer; empty when nobody answers.</summary>
internal static class Word
{
    public static string Ask(Address server, string word)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { SendTimeout = 1000, ReceiveTimeout = 1000 };
        try
        {
            socket.Connect(server.Host, server.Port);
            socket.Send(Encoding.ASCII.GetBytes(word));
            var answer = new StringBuilder();
            byte[] buffer = new byte[4096];
            for (int n; (n = socket.Receive(buffer)) > 0;) answer.Append(Encoding.UTF8.GetString(buffer, 0, n));
            return answer.ToString();
        }
        catch (SocketException)
        {
            return "";
        }
    }
}
