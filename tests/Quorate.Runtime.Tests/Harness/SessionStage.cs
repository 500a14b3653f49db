using Quorate.Runtime.Sessions;

namespace Quorate.Runtime.Tests.Harness;

/// <summary>
/// Several session layers over real meshes, and in the place of the core one log that the test decides about: who leads, how far is committed, how far each one may apply, what the leader may propose, how long each may serve.
/// It proves nothing of Raft; it is there to lead the session layer through a schedule exactly.
/// </summary>
public sealed class SessionStage
{
    private readonly List<(ulong Term, EntryKind Kind, byte[] Payload)> _log = [];

    public SessionStage(int members = 3, Func<byte, SessionOptions>? options = null)
    {
        Configuration = new ClusterConfiguration(Enumerable.Range(1, members).Select(i => new ConfiguredMember(new ReplicaId((byte)i), 100 + (ulong)i, true, $"m{i}:1")));
        for (byte i = 1; i <= members; i++) Nodes.Add(new SessionNode(this, i, 1, options?.Invoke(i) ?? new SessionOptions()));
        foreach (var node in Nodes) node.DialAll();
        Street.Until(() => Nodes.TrueForAll(n => Nodes.TrueForAll(o => o == n || n.Mesh.IsUp(o.Id))));
    }

    public Street Street { get; } = new();
    public List<SessionNode> Nodes { get; } = [];
    public ClusterConfiguration Configuration { get; private set; }
    public SessionNode? Leader { get; private set; }
    public ulong Term { get; private set; }
    public long LastConfiguration { get; private set; }
    public int Last => _log.Count;

    /// <summary>Bytes that the core offers; 0 while it is transferring, out of room, over a window.</summary>
    public int MayPropose { get; set; } = 64 * 1024 * 1024;

    /// <summary>Micros that a read index takes.</summary>
    public long RoundMicros { get; set; } = 1_000;

    public SessionNode this[int id] => Nodes[id - 1];

    public void Lead(SessionNode leader)
    {
        Term++;
        Leader = leader;
        Append(EntryKind.TermOpened, [1]);
        Street.Until(() => leader.Sessions.Leading);
        Street.Until(() => Nodes.TrueForAll(n => n.HeldAt < long.MaxValue || !n.Follows || n.Sessions.Serving || !Configuration.Names(n.Id, n.Directory)));
    }

    public long Append(EntryKind kind, byte[] payload)
    {
        _log.Add((Term, kind, payload));
        return _log.Count;
    }

    public void Change(ClusterConfiguration next)
    {
        Configuration = next;
        LastConfiguration = Append(EntryKind.Configuration, next.Encode());
    }

    public EntryView Entry(long index)
    {
        var (term, kind, payload) = _log[(int)index - 1];
        return new EntryView { Index = index, Term = term, Kind = kind, Payload = payload };
    }

    /// <summary>The entry's command, or Stale for what is none.</summary>
    public CommandKind KindAt(long index) => _log[(int)index - 1].Kind == EntryKind.Command ? Command.Read(_log[(int)index - 1].Payload).Kind : 0;

    public int Count(CommandKind kind) => Enumerable.Range(1, Last).Count(i => KindAt(i) == kind);

    public Client Welcome(SessionNode at, int timeoutMillis = 4000)
    {
        var client = Client.Open(at.Sessions, timeoutMillis);
        Street.Until(() => client.Welcomed);
        return client;
    }

    public void AllApplied() => Street.Until(() => Nodes.TrueForAll(n => n.Sessions.AppliedIndex == Last));
}
