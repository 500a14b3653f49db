using System.Runtime.InteropServices;
using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

/// <summary>Makes the state behind a step, and checks every promise on the way: the core's own, and those about all members, which see them through this witness.</summary>
internal sealed class ExploredStep : IRaftWitness
{
    private readonly Outbox _outbox = new();
    private readonly List<Flying> _net = [], _left = [];
    private readonly List<Event> _events = [];
    private readonly Dictionary<ulong, ExploredNode> _known = [];
    private readonly byte[] _ownNames = new byte[256];
    private readonly RaftOptions _options;
    private readonly ConfigurationAt _formed;
    private ExploredNode[] _nodes = [];
    private RaftGlobalInvariants? _ghost;
    private Allowance _allowed;

    /// <summary>No chance and no clock is left: the spread of the time-outs is nothing, and a gap counts whole.</summary>
    public ExploredStep(int members)
    {
        _options = new RaftOptions { ElectionSpreadMicros = 0, MaxJudgedGapMicros = 1_000_000_000_000 };
        _formed = new ConfigurationAt(0, new ClusterConfiguration(Enumerable.Range(1, members).Select(i => new ConfiguredMember(new ReplicaId((byte)i), (ulong)i, true, ""))));
        for (int i = 0; i < _ownNames.Length; i++) _ownNames[i] = (byte)i;
    }

    public ExploredState Begin(ExploreBounds bounds)
    {
        _nodes = new ExploredNode[bounds.Members];
        var ghost = new RaftGlobalInvariants(this);
        for (int i = 0; i < _nodes.Length; i++)
        {
            var node = new ExploredNode { Core = new RaftCore(_options), Id = new ReplicaId((byte)(i + 1)), Run = 1 };
            Start(node);
            node.Now = _options.ElectionTimeoutMicros; // nobody heard a leader lately
            var begun = Finish(node);
            _nodes[i] = begun.After;
            ghost = Judge(ghost, begun);
        }
        return new ExploredState
        {
            Nodes = [.. _nodes], Net = [], Ghost = ghost, Left = new Allowance((byte)bounds.Proposals, (byte)bounds.Crashes, (byte)bounds.Timeouts, (byte)bounds.Beats),
        };
    }

    /// <summary>Takes the step and returns the print of what it leads to, which <see cref="Taken"/> makes a state: most steps lead to one that is known. Throws <see cref="InvariantException"/> when a promise breaks.</summary>
    public ulong Take(ExploredState state, Act act)
    {
        int at = act.Member - 1;
        var node = state.Nodes[at];
        var step = StepOf(node, act, act.Deed == Deed.Deliver ? state.Net[act.Of] : null);
        state.Nodes.CopyTo(_nodes, 0);
        _nodes[at] = step.After;
        _net.Clear();
        bool promised = step.After.DiskPromise.Term != node.DiskPromise.Term;
        for (int i = 0; i < state.Net.Length; i++)
        {
            var f = state.Net[i];
            if (act.Deed == Deed.Deliver && i == act.Of) continue;
            if (!promised || f.To.Value != act.Member || !f.IsDeadAt(step.After.DiskPromise.Term)) _net.Add(f);
        }
        foreach (var f in step.Left)
            if (!f.IsDeadAt(_nodes[f.To.Value - 1].DiskPromise.Term)) _net.Add(f);
        _allowed = state.Left.Without(act.Deed);
        _ghost = Judge(state.Ghost, step);
        return new StatePrint(_nodes, CollectionsMarshal.AsSpan(_net), _ghost, _allowed).Least();
    }

    /// <summary>The state behind the step that was taken last.</summary>
    public ExploredState Taken() => new() { Nodes = [.. _nodes], Net = [.. _net], Ghost = _ghost!, Left = _allowed };

    // ---- One member's part, made once

    private NodeStep StepOf(ExploredNode node, Act act, Flying? message)
    {
        var key = new Fingerprint();
        key.Add((ulong)act.Deed);
        key.Add(message is null ? (ulong)act.Of : message.Print);
        key.Add(message is null ? 0UL : message.From.Value);
        if (node.Steps.TryGetValue(key.Value, out var known)) return known;
        var next = act.Deed == Deed.Crash ? Restarted(node, act.Of) : node.Fork();
        if (act.Deed == Deed.Crash) Start(next);
        else
        {
            _outbox.LastTicket = next.LastTicket;
            Do(next, act, message);
        }
        var step = Finish(next);
        node.Steps.Add(key.Value, step);
        return step;
    }

    private NodeStep Finish(ExploredNode node)
    {
        ulong print = node.PrintNamed(_ownNames);
        if (_known.TryGetValue(print, out var same)) node = same;
        else _known.Add(print, node);
        var step = new NodeStep(node, [.. _left], [.. _events]);
        _left.Clear();
        _events.Clear();
        return step;
    }

    private void Do(ExploredNode node, Act act, Flying? message)
    {
        switch (act.Deed)
        {
            case Deed.Deliver:
                node.Core.Receive(Time(node), new Sender(message!.From, message.From.Value, 1), message.Message, _outbox);
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

    private ExploredNode Restarted(ExploredNode old, int survive)
    {
        var (disk, promise) = (old.Disk, old.DiskPromise);
        for (int i = 0; i < survive; i++)
        {
            disk = ExploredNode.Write(disk, old.Pending[i]);
            if (old.Pending[i].IsPromise) promise = old.Pending[i].Promise;
        }
        return new ExploredNode { Core = new RaftCore(_options), Id = old.Id, Run = old.Run + 1, Now = old.Now, Memory = disk, Disk = disk, DiskPromise = promise };
    }

    private void Start(ExploredNode node)
    {
        _outbox.LastTicket = default;
        _events.Add(new Event(EventKind.Started));
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
        if (node.State.Role == Role.Leader) _events.Add(new Event(EventKind.Leads));
        if (delivered == 0) return;
        node.Core.Receive(Time(node), Sender.Host, new Applied(delivered), _outbox);
        Process(node);
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
            _events.Add(new Event(EventKind.Appended, index, v.Term, index == 1 ? 0 : node.Memory[index - 2].Term, entries[i].Entry));
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
        _left.Add(new Flying(node.Id, to, message));
        _events.Add(new Event(EventKind.Left));
    }

    private void Deliver(ExploredNode node, long first, long last)
    {
        if (node.State.Role == Role.Leader) _events.Add(new Event(EventKind.Committed));
        for (long i = first; i <= last; i++)
        {
            var slot = node.Memory[i - 1];
            _events.Add(new Event(EventKind.Delivered, i, slot.Term, node.State.Term, slot.Entry));
        }
    }

    // ---- The promises about all members, with everybody as the step leaves them

    private RaftGlobalInvariants Judge(RaftGlobalInvariants ghost, NodeStep step)
    {
        var node = step.After;
        var after = ghost;
        if (step.Remembers && !step.Histories.TryGetValue(ghost, out after!))
        {
            after = ghost.Copy();
            foreach (ref readonly var e in step.Events.AsSpan()) Remember(after, node, e);
            step.Histories.Add(ghost, after);
        }
        int left = 0;
        foreach (ref readonly var e in step.Events.AsSpan())
        {
            if (e.Kind == EventKind.Committed) after.Committed(node.State);
            else if (e.Kind == EventKind.Left)
            {
                var f = step.Left[left++];
                after.Leaves(f.From, f.From.Value, f.To, f.Message);
            }
            else if (e.Kind == EventKind.Leads && !after.HasLed(node.State.Term, node.Id))
            {
                after = after.Copy();
                after.Led(node.State);
            }
        }
        return after;
    }

    private static void Remember(RaftGlobalInvariants ghost, ExploredNode node, in Event e)
    {
        switch (e.Kind)
        {
            case EventKind.Started: ghost.Started(node.Id, 0); break;
            case EventKind.Appended: ghost.Appended(e.Index, e.Term, e.Other, e.Entry.Kind, e.Entry.Payload.Checksum); break;
            case EventKind.Delivered: ghost.Delivered(node.Id, e.Other, e.Index, e.Term, e.Entry.Kind, e.Entry.Payload.Checksum); break;
        }
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
