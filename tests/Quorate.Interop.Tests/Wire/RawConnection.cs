using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Quorate.Interop.Tests.Wire;

/// <summary>A bare TCP connection that speaks length-prefixed frames, and nothing more unless told to.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _held = new byte[4096];
    private int _from, _to;

    public RawConnection(int port, double sendSeconds = 10)
    {
        _socket.SendTimeout = (int)(sendSeconds * 1000);
        _socket.Connect(IPAddress.Loopback, port);
    }

    public Socket Socket => _socket;

    public static byte[] Frame(ReadOnlySpan<byte> body)
    {
        var f = new byte[4 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(f, body.Length);
        body.CopyTo(f.AsSpan(4));
        return f;
    }

    public static byte[] Request(int xid, int op, byte[] body) => Frame(new JuteWriter().Int(xid).Int(op).Raw(body).ToArray());

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[_socket.Send(bytes)..];
    }

    /// <summary>The next frame's body; null when the peer closed; <see cref="TimeoutException"/> when nothing came.</summary>
    public byte[]? ReadFrame(double seconds = 10)
    {
        var end = DateTime.UtcNow.AddSeconds(seconds);
        if (!Fill(4, end)) return null;
        var n = BinaryPrimitives.ReadInt32BigEndian(_held.AsSpan(_from, 4));
        if (n < 0 || n > 64 << 20) throw new InvalidDataException("a frame of length " + n);
        if (!Fill(4 + n, end)) return null;
        var body = _held[(_from + 4)..(_from + 4 + n)];
        _from += 4 + n;
        return body;
    }

    /// <summary>Everything until the end of the stream (or a reset); <see cref="TimeoutException"/> when the end does not come.</summary>
    public byte[] ReadToEnd(double seconds = 10)
    {
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (Fill(_to - _from + 1, end))
        {
        }
        var all = _held[_from.._to];
        _from = _to;
        return all;
    }

    private bool Fill(int n, DateTime end)
    {
        while (_to - _from < n)
        {
            if (_from > 0 && _held.Length - _from < n)
            {
                Buffer.BlockCopy(_held, _from, _held, 0, _to - _from);
                _to -= _from;
                _from = 0;
            }
            if (_held.Length < Math.Max(n, _to + 1)) Array.Resize(ref _held, Math.Max(n, _to) * 2);
            var left = (int)(end - DateTime.UtcNow).TotalMilliseconds;
            if (left <= 0) throw new TimeoutException();
            _socket.ReceiveTimeout = left;
            try
            {
                var got = _socket.Receive(_held.AsSpan(_to));
                if (got == 0) return false;
                _to += got;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                throw new TimeoutException();
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                return false;
            }
        }
        return true;
    }

    public void Dispose() => _socket.Dispose();
}

/// <summary>ConnectRequest (§1.2); every field can be bent.</summary>
internal sealed record Hello
{
    public int Version { get; init; }
    public long LastZxid { get; init; }
    public int TimeOut { get; init; } = 10000;
    public long SessionId { get; init; }
    public byte[]? Password { get; init; } = new byte[16];
    /// <summary>null leaves the byte out, as old clients do.</summary>
    public bool? ReadOnly { get; init; } = false;

    public byte[] ToFrame()
    {
        var w = new JuteWriter().Int(Version).Long(LastZxid).Int(TimeOut).Long(SessionId).Buffer(Password);
        if (ReadOnly is { } r) w.Bool(r);
        return RawConnection.Frame(w.ToArray());
    }
}

/// <summary>ConnectResponse.</summary>
internal sealed record Welcome(int Length, int Version, int TimeOut, long SessionId, byte[] Password, int ReadOnly)
{
    public static Welcome Parse(byte[] body)
    {
        var r = new JuteReader(body);
        var (v, t, s, p) = (r.Int(), r.Int(), r.Long(), r.Buffer() ?? []);
        return new Welcome(body.Length, v, t, s, p, r.Left > 0 ? r.Byte() : -1);
    }
}

/// <summary>ReplyHeader and what follows it.</summary>
internal sealed record Reply(int Xid, long Zxid, int Err, byte[] Body)
{
    public static Reply Parse(byte[] frame)
    {
        var r = new JuteReader(frame);
        return new Reply(r.Int(), r.Long(), r.Int(), r.Rest());
    }
}
