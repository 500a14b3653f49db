using System.Buffers.Binary;
using System.Net.Sockets;

namespace Quorate.Cli.Bench;

/// <summary>One session with a server of ZooKeeper's protocol, blocking: for setting up, and for one request at a time.</summary>
internal sealed class BenchConnection : IDisposable
{
    private readonly ByteWriter _out = new(4096);
    private byte[] _in = new byte[64 * 1024];
    private int _have;
    private int _xid;

    private BenchConnection(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    /// <summary>Connects and opens a session; throws <see cref="IOException"/> or <see cref="SocketException"/>.</summary>
    public static BenchConnection Open(Address server, int timeoutMillis = 30_000)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var connection = new BenchConnection(socket);
        try
        {
            socket.Connect(server.Host, server.Port);
            socket.ReceiveTimeout = socket.SendTimeout = 60_000;
            Wire.Connect(connection._out, timeoutMillis);
            var frame = connection.Exchange();
            if (frame.Length < 12 || BinaryPrimitives.ReadInt32BigEndian(frame[8..]) <= 0) throw new IOException($"{server} refused the session");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public ReplyHeader Create(string path, ReadOnlySpan<byte> data)
    {
        Wire.CreateNode(_out, ++_xid, System.Text.Encoding.UTF8.GetBytes(path), data);
        return ReplyHeader.Read(Exchange());
    }

    public ReplyHeader Set(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data)
    {
        Wire.Set(_out, ++_xid, path, data);
        return ReplyHeader.Read(Exchange());
    }

    public ReplyHeader Sync(string path)
    {
        Wire.SyncPath(_out, ++_xid, System.Text.Encoding.UTF8.GetBytes(path));
        return ReplyHeader.Read(Exchange());
    }

    public void Dispose() => Socket.Dispose();

    /// <summary>Sends what was written and waits for the next frame; valid until the next call.</summary>
    private ReadOnlySpan<byte> Exchange()
    {
        for (int sent = 0; sent < _out.Length;) sent += Socket.Send(_out.Written[sent..]);
        _out.Clear();
        _have = 0;
        while (true)
        {
            int length = Wire.FrameLength(_in.AsSpan(0, _have));
            if (length > 0) return _in.AsSpan(0, length);
            if (_have == _in.Length) Array.Resize(ref _in, _in.Length * 2);
            int n = Socket.Receive(_in.AsSpan(_have));
            if (n == 0) throw new IOException("the server closed the connection");
            _have += n;
        }
    }
}
