using Quorate.Primitives.Tree;
using Quorate.Runtime.Faces;

namespace Quorate.ZooKeeper;

/// <summary>
/// The client port: hands out a <see cref="ZooKeeperConnection"/> for each client, keeps what they share (watches, queues on loan, figures), and passes the tree's events on.
/// Events come while a transaction is applied and are written before any reply that shows it (sessions.md §7.5).
/// </summary>
public sealed class ZooKeeperFace : IFace
{
    private readonly ISessions _sessions;
    private readonly INotes _notes;
    private readonly List<ZooKeeperConnection?> _slots = [];
    private readonly List<int> _freeSlots = [];
    private readonly Dictionary<string, int> _byAddress = [];
    private readonly Queue<(ZooKeeperConnection Connection, long Deadline)> _fresh = new();
    private readonly List<ZooKeeperConnection> _awaitingWindow = [];
    private readonly List<ZooKeeperConnection> _unsent = [];
    private readonly List<ParkQueue> _spare = [];
    private readonly List<ZooKeeperConnection> _listing = [];
    private ChildList? _spareList;
    private readonly ByteWriter _event = new(256);
    private (string Address, byte[] Identities) _newestAddress = ("", []);

    public ZooKeeperFace(DataTree tree, ISessions sessions, FaceOptions options, INotes notes, IMemberFigures? figures = null)
    {
        Tree = tree;
        _sessions = sessions;
        Options = options;
        _notes = notes;
        FourLetters = new FourLetterWords(this, sessions, figures);
    }

    public FaceOptions Options { get; }

    /// <summary>Clients that are connected, before their handshake, too.</summary>
    public int ConnectionCount { get; private set; }

    public int WatchCount => Watches.Count;
    public int WatchedPaths => Watches.PathCount;
    public int WatchingConnections => Watches.OwnerCount;

    /// <summary>Requests read and answers written since the last `srst`.</summary>
    public long Received { get; internal set; }

    public long Sent { get; internal set; }

    /// <summary>Connections refused at the door since the start: too many of one address.</summary>
    public long Rejected { get; private set; }

    internal DataTree Tree { get; }
    internal WatchTable Watches { get; } = new();
    internal FourLetterWords FourLetters { get; }
    internal long Turn { get; private set; }
    internal ByteWriter Request { get; } = new(4096);
    internal ByteWriter Scratch { get; } = new(1024);
    internal LatencyFigures Latency;
    internal IReadOnlyList<ZooKeeperConnection?> Slots => _slots;

    /// <summary>A client connected. Null: one too many of its address.</summary>
    public IConnectionOwner? Accept(Connection connection)
    {
        int slot = _freeSlots.Count > 0 ? _freeSlots[^1] : _slots.Count;
        var client = new ZooKeeperConnection(this, connection, _sessions, slot, _sessions.Now.Micros);
        if (Options.MaxClientCnxns > 0)
        {
            _byAddress.TryGetValue(client.Address, out int others);
            if (others >= Options.MaxClientCnxns)
            {
                Rejected++;
                _notes.Note(2, $"too many connections from {client.Address}: the limit is {Options.MaxClientCnxns} (maxClientCnxns)");
                return null;
            }
            _byAddress[client.Address] = others + 1;
        }
        if (slot == _slots.Count)
        {
            _slots.Add(client);
        }
        else
        {
            _freeSlots.RemoveAt(_freeSlots.Count - 1);
            _slots[slot] = client;
        }
        ConnectionCount++;
        connection.Owner = client;
        _fresh.Enqueue((client, _sessions.Now.Micros + Options.HandshakeMillis * Instant.MicrosPerMilli));
        return client;
    }

    public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access)
    {
        var listeners = Watches.Fire(type, path);
        if (listeners.IsEmpty) return;
        _event.Clear();
        WriteEvent(_event, type, path, zxid);
        foreach (int slot in listeners)
            if (_slots[slot] is { } client && client.MayHear(access)) client.SendEvent(_event.Written);
    }

    /// <summary>Before a change to a node, lists of its children that are under way are made to their end (sessions.md §7.4).</summary>
    public void Changing(int row)
    {
#if MUTANTS
        if (Mutants.On(Mutant.ListChangesInTheMiddle)) return;
#endif
        for (int i = _listing.Count - 1; i >= 0; i--)
            if (_listing[i].Listing == row) _listing[i].FinishList();
    }

    public void HangUpAll(string reason)
    {
        for (int i = 0; i < _slots.Count; i++) _slots[i]?.HangUp(reason);
    }

    public void Pump(Instant now)
    {
        if (_unsent.Count > 0) JudgeUnsent();
        Turn++;
        while (_fresh.Count > 0 && (_fresh.Peek().Deadline <= now.Micros || !_fresh.Peek().Connection.IsFresh))
        {
            var (client, deadline) = _fresh.Dequeue();
            if (client.IsFresh && deadline <= now.Micros) client.HangUp("no session was asked for in time");
        }
    }

    public long NextWake => _fresh.Count > 0 ? _fresh.Peek().Deadline : Instant.Never;

    public void WindowOpened()
    {
        if (_awaitingWindow.Count == 0) return;
        foreach (var client in _awaitingWindow)
        {
            client.Awaiting = -1;
            client.Resume();
        }
        _awaitingWindow.Clear();
    }

    internal static void WriteEvent(ByteWriter w, int type, ReadOnlySpan<byte> path, long zxid)
    {
        int frame = w.BeginFrame();
        w.ReplyHeader(-1, zxid, 0);
        w.JuteInt(type);
        w.JuteInt(WatchEvent.SyncConnected);
        w.JuteBuffer(path);
        w.EndFrame(frame);
    }

    /// <summary>An address as a connection keeps it, with the identity that it gives: connections of one address, which mostly come together, share both.</summary>
    internal (string Address, byte[] Identities) IdentityOf(ReadOnlySpan<char> address)
    {
        if (address.SequenceEqual(_newestAddress.Address)) return _newestAddress;
        string text = address.ToString();
        return _newestAddress = (text, Identities.OfAddress(text));
    }

    /// <summary>Long lists of children of which a part is still to be made.</summary>
    internal int ListsUnderWay => _listing.Count;

    /// <summary>Connections whose next write or handshake waits for the stream's window.</summary>
    internal int AwaitingWindow => _awaitingWindow.Count;

    internal void AwaitWindow(ZooKeeperConnection client)
    {
        client.Awaiting = _awaitingWindow.Count;
        _awaitingWindow.Add(client);
    }

    internal void StopAwaiting(ZooKeeperConnection client)
    {
        var last = _awaitingWindow[^1];
        _awaitingWindow[client.Awaiting] = last;
        last.Awaiting = client.Awaiting;
        _awaitingWindow.RemoveAt(_awaitingWindow.Count - 1);
        client.Awaiting = -1;
    }

    /// <summary>It has unsent bytes: they are counted at the next turn.</summary>
    internal void Watch(ZooKeeperConnection client)
    {
        if (client.InUnsent) return;
        client.InUnsent = true;
        _unsent.Add(client);
    }

    internal ParkQueue LendQueue()
    {
        if (_spare.Count == 0) return new ParkQueue();
        var queue = _spare[^1];
        _spare.RemoveAt(_spare.Count - 1);
        return queue;
    }

    internal void TakeBack(ParkQueue queue)
    {
        queue.Reset();
        if (_spare.Count < 256) _spare.Add(queue);
    }

    internal ChildList LendList(ZooKeeperConnection client)
    {
        _listing.Add(client);
        var list = _spareList ?? new ChildList();
        _spareList = null;
        return list;
    }

    internal void TakeBack(ZooKeeperConnection client, ChildList list)
    {
        _listing.Remove(client);
        list.Reset();
        _spareList = list;
    }

    internal void Forget(ZooKeeperConnection client)
    {
        Watches.RemoveOwner(client.Slot);
        _slots[client.Slot] = null;
        _freeSlots.Add(client.Slot);
        ConnectionCount--;
        if (Options.MaxClientCnxns <= 0) return;
        _byAddress.TryGetValue(client.Address, out int left);
        if (left > 1) _byAddress[client.Address] = left - 1;
        else _byAddress.Remove(client.Address);
    }

    internal void ResetFigures()
    {
        Received = Sent = 0;
        Latency = default;
    }

    /// <summary>
    /// Whoever does not read is closed: first each one over its own limit, then the fullest while the member is over its own (sessions.md §7.2).
    /// What was written in this turn the door has not yet tried to send, so it counts from the next turn on, or at once when it alone is twice the limit.
    /// </summary>
    private void JudgeUnsent()
    {
        long total = 0;
        int kept = 0;
        for (int i = 0; i < _unsent.Count; i++)
        {
            var client = _unsent[i];
            if (client.CarriedBytes > Options.MaxUnsentBytes || client.UnsentBytes > 2 * Options.MaxUnsentBytes) client.HangUp("it does not read its replies");
            if (client.UnsentBytes == 0)
            {
                client.InUnsent = false;
                continue;
            }
            total += client.CarriedBytes;
            _unsent[kept++] = client;
        }
        _unsent.RemoveRange(kept, _unsent.Count - kept);
        while (total > Options.MaxUnsentMemberBytes)
        {
            var fullest = _unsent[0];
            foreach (var client in _unsent)
                if (client.CarriedBytes > fullest.CarriedBytes) fullest = client;
            total -= fullest.CarriedBytes;
            fullest.HangUp("the member holds too many unread replies, and this connection most of them");
        }
    }
}
