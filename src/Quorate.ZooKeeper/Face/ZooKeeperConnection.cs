using System.Buffers.Binary;
using Quorate.Runtime.Faces;

namespace Quorate.ZooKeeper;

/// <summary>
/// One client's connection: bytes in, bytes out. It is one queue (sessions.md §7): writes are forwarded in the turn that reads them, everything else waits behind what is unanswered, and what nothing holds back is answered at once.
/// This part: its life, its budgets, and the cutting of frames.
/// </summary>
public sealed partial class ZooKeeperConnection : SessionConnection, IConnectionOwner
{
    private enum Stage : byte
    {
        /// <summary>Nothing understood yet: a four-letter word or a handshake comes.</summary>
        Fresh,

        /// <summary>The log has not yet answered.</summary>
        Handshaking,
        Open,

        /// <summary>The last reply is written; closes once it is sent.</summary>
        Ending,
        Gone,
    }

    [Flags]
    private enum Hold : byte
    {
        None = 0,
        Handshake = 1,
        Window = 2,
        Parked = 4,
    }

    private readonly ZooKeeperFace _face;
    private readonly Connection _connection;
    private readonly ISessions _sessions;
    private Stage _stage;
    private Hold _hold;
    private bool _noMore; // behind a close or an unknown operation nothing is read
    private long _turn = -1;
    private int _turnRequests, _turnBytes, _carried;

    internal ZooKeeperConnection(ZooKeeperFace face, Connection connection, ISessions sessions, int slot, long now)
    {
        _face = face;
        _connection = connection;
        _sessions = sessions;
        Slot = slot;
        (Address, _identities) = face.IdentityOf(AddressOf(connection.RemoteAddress));
        _established = now;
    }

    /// <summary>The small number by which the watch table knows it.</summary>
    internal int Slot { get; }

    /// <summary>The client's address without its port.</summary>
    internal string Address { get; }

    /// <summary>Output that earlier turns left over.</summary>
    internal long CarriedBytes => _stage == Stage.Gone ? 0 : _turn == _face.Turn ? _carried : _connection.Output.Length;

    internal long UnsentBytes => _stage == Stage.Gone ? 0 : _connection.Output.Length + (_list?.Behind.Length ?? 0);

    internal long SessionId => _sessionId;
    internal bool IsFresh => _stage == Stage.Fresh;
    internal bool HasLeft => _stage == Stage.Gone;
    internal bool InUnsent { get; set; }

    /// <summary>Its place among those who wait for the window; -1 for none.</summary>
    internal int Awaiting { get; set; } = -1;

    public void OnConnected(Connection connection) { }

    public void OnClosed(Connection connection, string reason) => Leave();

    public override void HangUp(string reason)
    {
        if (_stage == Stage.Gone) return;
        Leave();
        _connection.Abort();
    }

    public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes)
    {
        if (_stage >= Stage.Ending) return bytes.Length;
        BeginTurn();
        Drain(budgeted: true);
        int used = 0;
        while (used < bytes.Length && _stage < Stage.Ending)
        {
            int took = _stage switch
            {
                Stage.Fresh => TakeFirst(bytes[used..]),
                Stage.Open => TakeRequest(bytes[used..]),
                _ => 0,
            };
            if (took == 0) break;
            used += took;
        }
        if (_stage == Stage.Handshaking && used < bytes.Length) Holding(Hold.Handshake);
#if MUTANTS
        if (Mutants.On(Mutant.TouchBehindHandshake) && _stage == Stage.Handshaking && used < bytes.Length) _sessions.Touch(this);
#endif
        Flush();
        return _stage >= Stage.Ending || _noMore ? bytes.Length : used;
    }

    /// <summary>The stream's window or the log has room again.</summary>
    internal void Resume() => Release(Hold.Window);

    /// <summary>Closes after what is written; nothing more is said or heard. A reply that was promised to a parked request is not made.</summary>
    internal void End()
    {
        if (_stage == Stage.Gone) return;
        Flush();
        Leave();
        _connection.Close();
    }

    private int TakeRequest(ReadOnlySpan<byte> bytes)
    {
        if (_noMore) return bytes.Length;
        if (bytes.Length < 4) return 0;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (length < 8 || length > _face.Options.MaxRequestBytes)
        {
            End();
            return 0;
        }
        if (bytes.Length - 4 < length) return 0;
        if (BudgetUsed || _list is not null)
        {
            _connection.Again();
            return 0;
        }
        if (!Dispatch(bytes.Slice(4, length))) return 0;
        _turnRequests++;
        return 4 + length;
    }

    private bool BudgetUsed => _turnRequests >= _face.Options.TurnRequests || _turnBytes >= _face.Options.TurnReplyBytes;

    private void BeginTurn()
    {
        if (_turn == _face.Turn) return;
        _turn = _face.Turn;
        _turnRequests = _turnBytes = 0;
        _carried = _connection.Output.Length;
    }

    private void Holding(Hold reason)
    {
        if (_hold == Hold.None) _connection.Reading = false;
        _hold |= reason;
    }

    /// <summary>A write is next and the stream's window is full: it stays unread (sessions.md §7.2).</summary>
    private void WaitForWindow()
    {
        if ((_hold & Hold.Window) != 0) return;
        Holding(Hold.Window);
        _face.AwaitWindow(this);
    }

    private void Release(Hold reason)
    {
        if ((_hold & reason) == 0 || _stage == Stage.Gone) return;
        _hold &= ~reason;
        if (_hold != Hold.None) return;
        _connection.Reading = true;
        _connection.Again();
    }

    private void Flush()
    {
        if (_stage == Stage.Gone || _connection.Output.Length == 0) return;
        _connection.Flush();
        _face.Watch(this);
    }

    private void Leave()
    {
        if (_stage == Stage.Gone) return;
        bool known = _stage is Stage.Handshaking or Stage.Open or Stage.Ending;
        _stage = Stage.Gone;
        GiveQueueBack();
        DropList();
        if (Awaiting >= 0) _face.StopAwaiting(this);
        _face.Forget(this);
        if (known) _sessions.Gone(this);
    }

    /// <summary>ADDRESS of ADDRESS:PORT, an IPv4 address that came over an IPv6 socket in its own form.</summary>
    private static ReadOnlySpan<char> AddressOf(string remote)
    {
        int colon = remote.LastIndexOf(':');
        var address = (colon < 0 ? remote : remote.AsSpan(0, colon)).Trim("[]");
        return address.StartsWith("::ffff:", StringComparison.OrdinalIgnoreCase) && address.Contains('.') ? address[7..] : address;
    }
}
