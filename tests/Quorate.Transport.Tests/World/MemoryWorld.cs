using Quorate.Transport;

namespace Quorate.Transport.Tests.World;

/// <summary>A small network in memory: seeded delays and chunking, streams that stay in order, cuts, partitions, dead and stopped members.</summary>
public sealed class MemoryWorld(ulong seed)
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly HashSet<(int, int)> _parted = [];
    private long _order;

    public Prng Prng = new(seed);
    public long Now { get; private set; } = 1_000_000;
    public List<MemoryMember> Members { get; } = [];
    public List<MemoryConnection> Connections { get; } = [];

    /// <summary>Bytes a millisecond that one direction of a connection carries; 0 for no bound.</summary>
    public int BytesAMilli { get; set; }

    public long LongestDelay { get; set; } = 500;

    public MemoryMember Add(byte id, ulong directory, ulong run = 1, ulong cluster = 7, ushort format = 1, string? address = null)
    {
        var member = new MemoryMember(this, new MeshIdentity(new ReplicaId(id), directory, run, cluster, format, address ?? $"m{id}:1"));
        Members.Add(member);
        return member;
    }

    public void At(long delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    public void AtTime(long at, Action action) => _events.Enqueue(action, (Math.Max(at, Now), _order++));

    public long Delay() => Prng.Between(10, LongestDelay);

    public void Part(MemoryMember a, MemoryMember b, bool parted)
    {
        foreach (var pair in new[] { (a.Place, b.Place), (b.Place, a.Place) })
        {
            if (parted) _parted.Add(pair);
            else _parted.Remove(pair);
        }
        if (parted) return;
        foreach (var connection in Connections) connection.Kick();
    }

    public bool Parted(MemoryMember a, MemoryMember b) => _parted.Contains((a.Place, b.Place));

    public MemoryMember? Listening(string address) => Members.Find(member => member.Alive && member.Address == address);

    /// <summary>Runs for so many simulated micros.</summary>
    public void Run(long micros)
    {
        long until = Now + micros;
        while (true)
        {
            long next = _events.TryPeek(out _, out var key) ? key.At : long.MaxValue;
            foreach (var member in Members)
                if (member is { Alive: true, Paused: false }) next = Math.Min(next, Math.Max(member.Due, Now));
            if (next > until) break;
            if (next > Now) Now = next;
            while (_events.TryPeek(out _, out key) && key.At <= Now) _events.Dequeue()();
            bool turned = false;
            foreach (var member in Members) turned |= member.Turn();
            // Time goes on by itself, so that a mesh that asks for a wake again and again is seen as slow and not as endless.
            if (turned) Now++;
        }
        Now = Math.Max(Now, until);
    }
}

/// <summary>A member's mesh with its door of peers, and a record of what it heard.</summary>
public sealed class MemoryMember : INetwork, IMeshHandler, INotes
{
    private readonly MemoryWorld _world;
    private readonly List<MemoryConnection> _dirty = [];
    private readonly List<Action> _arrived = [];
    private long _numbers, _lastTurn;
    private bool _touched = true;
    private Func<Connection, IConnectionOwner?>? _accept;

    public MemoryMember(MemoryWorld world, MeshIdentity identity)
    {
        _world = world;
        Place = world.Members.Count;
        Address = identity.Address;
        Mesh = new Mesh(this, this, identity, this);
        Mesh.Listen(Address);
    }

    public int Place { get; }
    public string Address { get; }
    public Mesh Mesh { get; private set; }
    public bool Alive { get; private set; } = true;
    public bool Paused { get; private set; }
    /// <summary>When it must be turned.</summary>
    public long Due => _touched ? 0 : Mesh.NextWake;

    public int Dials { get; private set; }
    public int Pumps { get; private set; }
    public List<string> Notes { get; } = [];
    public List<string> Heard { get; } = [];
    public List<(Sender From, FrameKind Kind, byte[] Body, long At)> Frames { get; } = [];
    public List<(ReplicaId Peer, string Reason)> Refusals { get; } = [];
    public Dictionary<byte, ByteWriter> Bodies { get; } = [];
    public List<(byte From, bool Whole, long Length)> BodyEnds { get; } = [];
    public Action<Sender, byte[]>? Frame { get; set; }
    public Action? BeforePump { get; set; }
    public long Backlog { get; set; }

    public void Know(params MemoryMember[] others) => Mesh.SetPeers([.. others.Select(other => (other.Mesh.Identity.Self, other.Address))]);

    public bool Send(byte to, string text)
    {
        var body = Mesh.Begin(new ReplicaId(to), FrameKind.Protocol);
        if (body == null) return false;
        body.Bytes(System.Text.Encoding.UTF8.GetBytes(text));
        Mesh.End(new ReplicaId(to));
        _touched = true;
        return true;
    }

    public void Touch() => _touched = true;

    /// <summary>The process dies: every connection is reset.</summary>
    public void Kill()
    {
        Alive = false;
        _arrived.Clear();
        foreach (var connection in _world.Connections.ToArray())
            if (connection.Member == this) connection.Die();
    }

    public void Restart(ulong? directory = null)
    {
        Alive = true;
        Paused = false;
        var before = Mesh.Identity;
        Mesh = new Mesh(this, this, before with { Run = before.Run + 1, Directory = directory ?? before.Directory }, this);
        Mesh.Listen(Address);
        _lastTurn = 0;
        _touched = true;
    }

    public void Pause() => Paused = true;

    public void Resume()
    {
        Paused = false;
        _touched = true;
    }

    /// <summary>Something arrives at this member; while it is stopped it waits in its socket.</summary>
    public void Arrive(Action action)
    {
        if (!Alive) return;
        _touched = true;
        _arrived.Add(action);
    }

    public bool Turn()
    {
        if (!Alive || Paused || Due > _world.Now) return false;
        Pumps++;
        if (_lastTurn != 0 && _world.Now - Math.Max(_lastTurn, Math.Min(Mesh.NextWake, _world.Now)) > Limits.MaxJudgedGapMicros) Mesh.AfterGap();
        _lastTurn = _world.Now;
        var arrived = _arrived.ToArray();
        _arrived.Clear();
        foreach (var action in arrived) action();
        BeforePump?.Invoke();
        Mesh.Pump(new Instant(_world.Now, _world.Now / 1000));
        foreach (var connection in _dirty.ToArray()) connection.SendNow();
        _dirty.Clear();
        _touched = _arrived.Count > 0;
        return true;
    }

    public Connection Connect(string address, IConnectionOwner owner)
    {
        if (!address.Contains(':')) throw new NetworkException($"'{address}' is not HOST:PORT");
        Dials++;
        var mine = new MemoryConnection(_world, this) { Number = ++_numbers, RemoteAddress = address, Owner = owner };
        _world.Connections.Add(mine);
        _world.At(_world.Delay(), () =>
        {
            var other = _world.Listening(address);
            if (other != null && _world.Parted(this, other)) return;        // the SYN is lost
            if (other == null) Arrive(() => mine.Tell("refused"));
            else
            {
                var theirs = new MemoryConnection(_world, other) { Number = ++other._numbers, RemoteAddress = $"{Address.Split(':')[0]}:{50_000 + _numbers}" };
                _world.Connections.Add(theirs);
                mine.Join(theirs);
                other.Arrive(() =>
                {
                    theirs.Owner = other._accept!(theirs);
                    if (theirs.Owner == null) theirs.Abort();
                });
                Arrive(() => { if (mine.Open) mine.Owner?.OnConnected(mine); });
            }
        });
        return mine;
    }

    public string Listen(string address, Func<Connection, IConnectionOwner?> accept)
    {
        _accept = accept;
        return address;
    }

    public void Dirty(MemoryConnection connection)
    {
        _touched = true;
        _dirty.Add(connection);
    }

    public void Note(int level, string text) => Notes.Add(text);
    public void OnLinkUp(ReplicaId peer, ulong directory, ulong run, long link) => Heard.Add($"up {peer} {directory} run {run}");
    public void OnLinkDown(ReplicaId peer) => Heard.Add($"down {peer}");
    public void OnRefused(ReplicaId peer, string reason) => Refusals.Add((peer, reason));
    public long BulkBacklog(ReplicaId from) => Backlog;

    public void OnFrame(Sender from, FrameKind kind, ReadOnlySpan<byte> body)
    {
        Frames.Add((from, kind, body.ToArray(), _world.Now));
        Frame?.Invoke(from, body.ToArray());
    }

    public void OnBulkBegin(Sender from, ReadOnlySpan<byte> header, long length)
    {
        Bodies[from.Id.Value] = new ByteWriter();
        Heard.Add($"body {from.Id} {System.Text.Encoding.UTF8.GetString(header)} {length}");
    }

    public void OnBulkBytes(Sender from, ReadOnlySpan<byte> bytes) => Bodies[from.Id.Value].Bytes(bytes);
    public void OnBulkEnd(Sender from, bool whole) => BodyEnds.Add((from.Id.Value, whole, Bodies[from.Id.Value].Length));
}
