using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

/// <summary>Makes the state behind a step, and checks every promise on the way: the core's own, and those about all members, which see them through this witness.</summary>
internal sealed class ExploredStep : IRaftWitness
{
    private readonly Outbox _outbox = new();
    private readonly List<Flying> _net = [];
    private readonly RaftOptions _options;
    private readonly ConfigurationAt _formed;
    private ExploredNode[] _nodes = [];
    private RaftGlobalInvariants _ghost;
    private bool _ghostOwned;

    /// <summary>No chance and no clock is left: the spread of the time-outs is nothing, and a gap counts whole.</summary>
    public ExploredStep(int members)
    {
        _options = new RaftOptions { ElectionSpreadMicros = 0, MaxJudgedGapMicros = 1_000_000_000_000 };
        _formed = new ConfigurationAt(0, new ClusterConfiguration(Enumerable.Range(1, members).Select(i => new ConfiguredMember(new ReplicaId((byte)i), (ulong)i, true, ""))));
        _ghost = new RaftGlobalInvariants(this);
    }

    public ExploredState Begin(ExploreBounds bounds)
    {
        _nodes = new ExploredNode[bounds.Members];
        _net.Clear();
        _ghostOwned = true;
        for (int i = 0; i < _nodes.Length; i++)
        {
            Start(i, new ExploredNode { Core = new RaftCore(_options), Id = new ReplicaId((byte)(i + 1)), Run = 1 });
            _nodes[i].Now = _options.ElectionTimeoutMicros; // nobody heard a leader lately
        }
        return new ExploredState
        {
            Nodes = _nodes, Net = [], Ghost = _ghost, Proposals = (byte)bounds.Proposals, Crashes = (byte)bounds.Crashes, Timeouts = (byte)bounds.Timeouts, Beats = (byte)bounds.Beats,
        };
    }

    /// <summary>Throws <see cref="InvariantException"/> when a promise breaks.</summary>
    public ExploredState After(ExploredState state, Act act)
    {
        int at = act.Member - 1;
        _nodes = (ExploredNode[])state.Nodes.Clone();
        _net.Clear();
        _net.AddRange(state.Net);
        _ghost = state.Ghost;
        _ghostOwned = false;
        if (act.Deed == Deed.Crash) Restart(at, act.Of);
        else
        {
            var node = _nodes[at] = state.Nodes[at].Fork();
            _outbox.LastTicket = node.LastTicket;
            Do(node, act);
        }
        ulong durable = _nodes[at].DiskPromise.Term;
        if (durable != state.Nodes[at].DiskPromise.Term) _net.RemoveAll(f => f.To.Value == act.Member && f.IsDeadAt(durable));
        return new ExploredState
        {
            Nodes = _nodes, Net = [.. _net], Ghost = _ghost,
            Proposals = (byte)(state.Proposals - (act.Deed == Deed.Propose ? 1 : 0)), Crashes = (byte)(state.Crashes - (act.Deed == Deed.Crash ? 1 : 0)),
            Timeouts = (byte)(state.Timeouts - (act.Deed == Deed.Timeout ? 1 : 0)), Beats = (byte)(state.Beats - (act.Deed == Deed.Beat ? 1 : 0)),
        };
    }

    private void Do(ExploredNode node, Act act)
    {
        switch (act.Deed)
        {
            case Deed.Deliver:
                var f = _net[act.Of];
                _net.RemoveAt(act.Of);
                node.Core.Receive(Time(node), new Sender(f.From, f.From.Value, 1), f.Message, _outbox);
                break;
            case Deed.Sync:
                node.CompleteOldest();
                Release(node);
                node.Core.Durable(Time(node), node.Durable, _outbox);
                break;
            case Deed.Timeout:
                Reach(node, node.State.Role == Role.Leader ? node.State.QuorumDeadline : node.State.ElectionDeadline);
                node.Core.Wake(Time(node), _outbox);
                break;
            case Deed.Quiet:
                Reach(node, node.State.ElectionDeadline); // the next input finds that the time has passed; the timer itself did not fire yet
                return;
            case Deed.Beat:
                Reach(node, node.State.HeartbeatDeadline);
                node.Core.Wake(Time(node), _outbox);
                break;
            case Deed.Propose:
                node.Core.Propose(Time(node), [new Proposal(1, ProposalKind.Command, Payload.Of([(byte)node.State.Term, (byte)node.Memory.Length, node.Id.Value]))], _outbox);
                break;
        }
        Process(node);
    }

    private static Instant Time(ExploredNode node) => new(node.Now, 0);

    private static void Reach(ExploredNode node, long deadline) => node.Now = Math.Max(node.Now, node.State.LastNow + (deadline - node.State.Judged));

    // ---- Crash and start

    private void Restart(int at, int survive)
    {
        var old = _nodes[at];
        var (disk, promise) = (old.Disk, old.DiskPromise);
        for (int i = 0; i < survive; i++)
        {
            disk = ExploredNode.Write(disk, old.Pending[i]);
            if (old.Pending[i].IsPromise) promise = old.Pending[i].Promise;
        }
        Start(at, new ExploredNode { Core = new RaftCore(_options), Id = old.Id, Run = old.Run + 1, Now = old.Now, Memory = disk, Disk = disk, DiskPromise = promise });
    }

    private void Start(int at, ExploredNode node)
    {
        _nodes[at] = node;
        _outbox.LastTicket = default;
        OwnGhost().Started(node.Id, 0);
        node.Core.Start(Time(node), new Recovered
        {
            Self = node.Id, Directory = node.Id.Value, Run = node.Run, Seed = 1, Promise = node.DiskPromise, Log = node.DurableLog(), Configurations = [_formed],
        }, _outbox);
        Process(node);
        node.Core.Receive(Time(node), Sender.Host, new Answered(0), _outbox); // claims no time, so that no message holds one
        Process(node);
    }

    // ---- What a step asked for

    private void Process(ExploredNode node)
    {
        long delivered = 0;
        foreach (ref readonly var v in _outbox.Verbs)
        {
            switch (v.Kind)
            {
                case VerbKind.Persist: Persist(node, v); break;
                case VerbKind.Send when v.Ticket <= node.Durable: Leave(node, v.To, v.Message!); break;
                case VerbKind.Send: node.Held = [.. node.Held, new Held(v.To, v.Message!, v.Ticket)]; break;
                case VerbKind.Deliver:
                    Deliver(node, v.First, v.Last);
                    delivered = v.Last;
                    break;
                case VerbKind.Answer or VerbKind.Note: break;
                default: throw new InvalidOperationException($"the explorer's worlds have no {v.Kind}");
            }
        }
        _outbox.Clear();
        node.LastTicket = _outbox.LastTicket;
        node.Core.CheckInvariants();
        if (node.State.Role == Role.Leader) Lead(node);
        if (delivered == 0) return;
        node.Core.Receive(Time(node), Sender.Host, new Applied(delivered), _outbox);
        Process(node);
    }

    private void Lead(ExploredNode node)
    {
        if (!_ghost.HasLed(node.State.Term, node.Id)) OwnGhost().Led(node.State);
    }

    private void Persist(ExploredNode node, in Verb v)
    {
        Slot[] entries = [];
        if (v.Persist == PersistKind.Append)
        {
            entries = new Slot[v.EntryCount];
            for (int i = 0; i < entries.Length; i++) entries[i] = new Slot(v.Term, _outbox.EntriesOf(v)[i]);
        }
        else if (v.Persist != PersistKind.Promise) throw new InvalidOperationException($"the explorer's worlds have no {v.Persist}");
        var write = new Writing(v.Ticket, v.Persist == PersistKind.Promise, v.Promise, v.First, entries);
        node.Memory = ExploredNode.Write(node.Memory, write);
        node.Pending = [.. node.Pending, write];
        for (int i = 0; i < entries.Length; i++)
        {
            long index = v.First + i;
            OwnGhost().Appended(index, v.Term, index == 1 ? 0 : node.Memory[index - 2].Term, entries[i].Entry.Kind, entries[i].Entry.Payload.Checksum);
        }
    }

    private void Release(ExploredNode node)
    {
        int kept = 0;
        var held = node.Held;
        foreach (var h in held)
            if (h.After > node.Durable) kept++;
        if (kept == held.Length) return;
        var left = new Held[kept];
        kept = 0;
        foreach (var h in held)
        {
            if (h.After > node.Durable) left[kept++] = h;
            else Leave(node, h.To, h.Message);
        }
        node.Held = left;
    }

    /// <summary>The host reads the bytes of a range when the message leaves; when they are gone it does not leave.</summary>
    private void Leave(ExploredNode node, ReplicaId to, ProtocolMessage message)
    {
        if (message is Append { Count: > 0 } a)
        {
            if (a.Last > node.Memory.Length) return;
            var entries = new TermedEntry[a.Count];
            for (int i = 0; i < entries.Length; i++) entries[i] = new TermedEntry(node.Memory[a.PrevIndex + i].Term, node.Memory[a.PrevIndex + i].Entry);
            message = new Append { Term = a.Term, PrevIndex = a.PrevIndex, PrevTerm = a.PrevTerm, Last = a.Last, Commit = a.Commit, Round = a.Round, ProvenMicros = a.ProvenMicros, ProvenRun = a.ProvenRun, Entries = entries };
        }
        _ghost.Leaves(node.Id, node.Id.Value, to, message);
        var flying = new Flying(node.Id, to, message);
        if (!flying.IsDeadAt(_nodes[to.Value - 1].DiskPromise.Term)) _net.Add(flying);
    }

    private void Deliver(ExploredNode node, long first, long last)
    {
        if (node.State.Role == Role.Leader) _ghost.Committed(node.State);
        for (long i = first; i <= last; i++)
        {
            var slot = node.Memory[i - 1];
            OwnGhost().Delivered(node.Id, node.State.Term, i, slot.Term, slot.Entry.Kind, slot.Entry.Payload.Checksum);
        }
    }

    private RaftGlobalInvariants OwnGhost()
    {
        if (_ghostOwned) return _ghost;
        _ghostOwned = true;
        return _ghost = _ghost.Copy();
    }

    // ---- IRaftWitness

    public LogMap? DurableLog(ReplicaId id, ulong directory) => _nodes[id.Value - 1].DurableLog();

    public Promise DurablePromise(ReplicaId id) => _nodes[id.Value - 1].DiskPromise;

    public LogMap? LogOfLeader(ulong term)
    {
        foreach (var n in _nodes)
            if (n is not null && n.State.Role == Role.Leader && n.State.Term == term) return n.State.Log;
        return null;
    }

    public bool IsMarked(ReplicaId id, long index) => false;
}
