using System.Buffers.Binary;
using Quorate.Runtime.Faces;

namespace Quorate.ZooKeeper;

/// <summary>The first frame (zookeeper.md §1.2). What it asks is answered from the log, never from the local table (sessions.md §5.2); all that is pipelined behind it waits.</summary>
public sealed partial class ZooKeeperConnection
{
    /// <summary>Version, lastZxidSeen, time-out, session, and the password's length.</summary>
    private const int ShortestConnect = 28;

    private bool _readOnlyByte;
    private long _lastZxidSeen;

    private int TakeFirst(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4) return 0;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (FourLetterWords.IsWord(length))
        {
            _face.FourLetters.Answer(length, _connection.Output);
            End();
            return 0;
        }
        if (length < ShortestConnect || length > _face.Options.MaxRequestBytes)
        {
            End();
            return 0;
        }
        if (bytes.Length - 4 < length) return 0;
        if (!_sessions.Serving)
        {
            // Before the window: without a leader that opens for nobody, and who waits for it would wait here (sessions.md §6.2).
            End();
            return 0;
        }
        if (!_sessions.WindowOpen)
        {
            WaitForWindow();
            return 0;
        }
        Connect(bytes.Slice(4, length));
        return 4 + length;
    }

    private void Connect(ReadOnlySpan<byte> body)
    {
        var r = new JuteReader(body);
        r.Int(); // its version is not looked at
        _lastZxidSeen = r.Long();
        int asked = r.Int();
        long session = r.Long();
        var password = r.Buffer(out _);
        _readOnlyByte = r.Remaining > 0;
        bool ahead = session == 0 && _lastZxidSeen > _sessions.LastZxid;
        bool refused = session == 0 && !_sessions.HasRoom;
        if (r.Failed || !_sessions.Serving || ahead || refused)
        {
            End();
            return;
        }
        _stage = Stage.Handshaking;
        Count(OpCode.Notification, 0);
        int timeout = _face.Options.Negotiate(asked);
        if (session == 0) _sessions.Open(this, timeout);
        else _sessions.Attach(this, session, password, timeout);
    }

    public override void OnHandshake(in HandshakeResult result)
    {
        if (_stage != Stage.Handshaking) return;
        BeginTurn();
        if (result.Verdict != HandshakeVerdict.Attached)
        {
            ConnectReply(0, 0, stackalloc byte[16]);
            _stage = Stage.Ending;
            End();
            return;
        }
        if (_lastZxidSeen > result.Zxid)
        {
            // It saw another cluster's history: no reply (zookeeper.md §1.2).
            End();
            return;
        }
        _stage = Stage.Open;
        _sessionId = result.Session;
        _timeout = result.TimeoutMillis;
        ConnectReply(result.TimeoutMillis, result.Session, result.Password);
        Answered(_established, 0);
        Flush();
        if (_hold != Hold.None) Release(Hold.Handshake);
    }

    private void ConnectReply(int timeout, long session, ReadOnlySpan<byte> password)
    {
        var w = _connection.Output;
        int frame = w.BeginFrame();
        w.JuteInt(0);
        w.JuteInt(timeout);
        w.JuteLong(session);
        w.JuteBuffer(password);
        if (_readOnlyByte) w.JuteBool(false);
        w.EndFrame(frame);
    }
}
