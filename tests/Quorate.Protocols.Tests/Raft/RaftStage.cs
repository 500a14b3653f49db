using System.Globalization;
using System.Text;
using Quorate.Protocols.Raft;

namespace Quorate.Protocols.Tests.Raft;

/// <summary>
/// Plays a scenario: real cores, nothing moves but by command, everything that they ask is written down. A file holds commands at the margin and below each, indented, what came of it.
/// <code>
/// cluster 3 · pass 200 (milliseconds, nobody is woken) · wake n1 · beat n1 · deliver n1->n2 [count] · drop n1->* · keep n1->n2 name / replay name · sync n1 [writes] · disk n1 hold|free · settle · quiet|unquiet n1 (settle without it)
/// damage n1 3[-4] (of who is down: the bytes rot, their headers survive) · accept-loss n1 3,4
/// propose n1 x · read n1 · configure n1 1,2,3,4 (4? is a learner) · transfer n1 n2 · hint n2 n1 · snapshot n1 · unstored n1->n2 (a snapshot that came whole and could not be stored) · crash n1 · restart n1 · join n4 · expect leader|commit|term|log|mark ...
/// </code>
/// </summary>
internal sealed class RaftStage : IRaftTheatre, IRaftWitness
{
    private readonly List<(ReplicaId From, ReplicaId To, Sender Sender, byte[] Bytes, BodyHandle Body)> _wire = [];
    private readonly Dictionary<string, (ReplicaId To, Sender Sender, byte[] Bytes, BodyHandle Body)> _kept = [];
    private readonly Dictionary<SnapshotIdentity, ConfigurationAt> _snapshots = [];
    private readonly SortedDictionary<byte, RaftNode> _nodes = [];
    private readonly Dictionary<RaftNode, long> _clock = [];
    private readonly HashSet<RaftNode> _stalled = [], _quiet = [];
    private readonly RaftCodec _codec = new();
    private readonly StringBuilder _said = new();
    private long _proposal;

    public RaftStage() => Ghost = new RaftGlobalInvariants(this);

    public RaftGlobalInvariants Ghost { get; }

    public static string Play(string script)
    {
        var stage = new RaftStage();
        bool broken = false;
        foreach (string line in script.Split('\n'))
        {
            if (line.StartsWith(' ')) continue; // what came of it the last time
            string command = line.TrimEnd();
            stage._said.Append(command).Append('\n');
            if (broken || command.Length == 0 || command[0] == '#') continue; // a broken play keeps its script
            try
            {
                stage.Do(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                stage.Say($"BROKEN: {e.Message}");
                broken = true;
            }
        }
        return stage._said.ToString().TrimEnd('\n') + "\n";
    }

    private void Do(string[] words)
    {
        switch (words[0])
        {
            case "cluster": Cluster(int.Parse(words[1], CultureInfo.InvariantCulture)); break;
            case "join": Join(words[1]); break;
            case "pass": Pass(long.Parse(words[1], CultureInfo.InvariantCulture) * 1000); break;
            case "wake": WakeUp(Node(words[1])); break;
            case "beat": Step(Node(words[1]), 25_000); break;
            case "deliver": Deliver(words[1], words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : int.MaxValue); break;
            case "drop": Take(words[1]); break;
            case "keep": Keep(words[1], words[2]); break;
            case "replay": Replay(words[1]); break;
            case "sync": Node(words[1]).Sync(Now(Node(words[1])), words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : int.MaxValue); break;
            case "disk" when words[2] == "hold": _stalled.Add(Node(words[1])); break;
            case "disk": _stalled.Remove(Node(words[1])); break;
            case "quiet": _quiet.Add(Node(words[1])); break;
            case "unquiet": _quiet.Remove(Node(words[1])); break;
            case "settle": Settle(); break;
            case "propose": Propose(words[1], new Proposal(++_proposal, ProposalKind.Command, Payload.Of(Encoding.UTF8.GetBytes(words[2])))); break;
            case "read": Propose(words[1], new Proposal(++_proposal, ProposalKind.Read)); break;
            case "transfer": Propose(words[1], new Proposal(++_proposal, ProposalKind.Transfer, Target: Node(words[2]).Id)); break;
            case "configure": Propose(words[1], new Proposal(++_proposal, ProposalKind.Configuration, Configuration: Parse(words[2]))); break;
            case "unstored": Unstored(words[1]); break;
            case "hint": Hear(words[1], new LinkDown(Node(words[2]).Id)); break;
            case "snapshot": Snapshot(Node(words[1])); break;
            case "crash": Node(words[1]).Crash(0); break;
            case "damage": Damage(Node(words[1]), words[2].Split('-')); break;
            case "accept-loss": Hear(words[1], new AcceptLoss(Numbered(), [.. words[2].Split(',').Select(w => long.Parse(w, CultureInfo.InvariantCulture))])); break;
            case "restart": Node(words[1]).Start(Now(Node(words[1])), 7); break;
            case "expect": Expect(words); break;
            default: throw new InvalidOperationException($"no such command: {words[0]}");
        }
    }

    private void Cluster(int count)
    {
        for (int i = 1; i <= count; i++) Make(i);
        var formed = new ConfigurationAt(0, new ClusterConfiguration(_nodes.Values.Select(n => new ConfiguredMember(n.Id, n.Directory, true, $"{n.Id}"))));
        foreach (var n in _nodes.Values)
        {
            n.Formed = formed;
            n.Start(Now(n), (ulong)n.Id.Value);
        }
        Pass(160_000);
    }

    /// <summary>Every clock goes on; nobody is woken.</summary>
    private void Pass(long micros)
    {
        foreach (var n in _nodes.Values) _clock[n] += micros;
    }

    private void Join(string name)
    {
        var node = Make(int.Parse(name.AsSpan(1), CultureInfo.InvariantCulture));
        node.Start(Now(node), 1);
    }

    private RaftNode Make(int i)
    {
        var options = new RaftOptions { TrailingBytes = 0, MaxAppendBytes = 1 };
        var node = new RaftNode(new ReplicaId((byte)i), (ulong)i * 1000, options, this);
        _nodes.Add((byte)i, node);
        _clock[node] = 1_000_000;
        return node;
    }

    private ClusterConfiguration Parse(string list) => new(list.Split(',').Select(w =>
    {
        var node = Node("n" + w.TrimEnd('?'));
        return new ConfiguredMember(node.Id, node.Directory, !w.EndsWith('?'), $"{node.Id}");
    }));

    /// <summary>Lets the node's own clock run until its timer made it do something.</summary>
    private void WakeUp(RaftNode node)
    {
        int before = _said.Length;
        for (int i = 0; i < 40 && _said.Length == before; i++) Step(node, node.Core.NextWake - _clock[node]);
    }

    private void Step(RaftNode node, long micros)
    {
        _clock[node] += Math.Max(0, micros);
        node.Wake(Now(node));
    }

    private static void Damage(RaftNode node, string[] range) => node.Damage(long.Parse(range[0], CultureInfo.InvariantCulture), long.Parse(range[^1], CultureInfo.InvariantCulture));

    private long Numbered()
    {
        Say($"#{++_proposal}");
        return _proposal;
    }

    private void Propose(string name, Proposal proposal)
    {
        Say($"#{proposal.Id}");
        Node(name).Propose(Now(Node(name)), proposal);
    }

    private void Hear(string name, HostMessage message) => Node(name).Receive(Now(Node(name)), Sender.Host, message);

    /// <summary>The body came whole, and the disk did not take it.</summary>
    private void Unstored(string link)
    {
        var w = Take(link, 1).Single();
        Hear(w.To.ToString(), new ReceiveFailed(w.From, w.Body.Snapshot));
    }

    private void Snapshot(RaftNode node)
    {
        node.Memory.Map.TryTermOf(node.Delivered, out ulong term);
        var identity = new SnapshotIdentity(node.Delivered, term, node.Digest);
        _snapshots[identity] = node.DeliveredConfiguration;
        node.Receive(Now(node), Sender.Host, new SnapshotStored(identity));
    }

    private void Settle()
    {
        for (int round = 0; round < 400; round++)
        {
            bool moved = false;
            foreach (var node in _nodes.Values)
            {
                if (!node.Up || _quiet.Contains(node) || _stalled.Contains(node) || node.Pending == 0) continue;
                node.Sync(Now(node), int.MaxValue);
                moved = true;
            }
            int at = _wire.FindIndex(w => !_quiet.Contains(_nodes[w.To.Value]) && !_quiet.Contains(_nodes[w.From.Value]));
            if (at >= 0)
            {
                var w = _wire[at];
                _wire.RemoveAt(at);
                Arrive(w.To, w.Sender, w.Bytes, w.Body);
                moved = true;
            }
            if (!moved) return;
        }
        throw new InvalidOperationException("it does not settle");
    }

    private void Deliver(string link, int count)
    {
        foreach (var w in Take(link, count)) Arrive(w.To, w.Sender, w.Bytes, w.Body);
    }

    private List<(ReplicaId From, ReplicaId To, Sender Sender, byte[] Bytes, BodyHandle Body)> Take(string link, int count = int.MaxValue)
    {
        var ends = link.Split("->");
        var taken = _wire.Where(w => Fits(ends[0], w.From) && Fits(ends[1], w.To)).Take(count).ToList();
        foreach (var w in taken) _wire.Remove(w);
        return taken;

        static bool Fits(string name, ReplicaId id) => name == "*" || name == id.ToString();
    }

    private void Keep(string link, string name)
    {
        var w = Take(link, 1).Single();
        _kept[name] = (w.To, w.Sender, w.Bytes, w.Body);
    }

    private void Replay(string name) => Arrive(_kept[name].To, _kept[name].Sender, _kept[name].Bytes, _kept[name].Body);

    private void Arrive(ReplicaId to, Sender sender, byte[] bytes, BodyHandle body)
    {
        var node = _nodes[to.Value];
        if (!node.Up) return;
        node.Receive(Now(node), sender, _codec.Decode(bytes, node.Chunks, body)!);
    }

    private void Expect(string[] words)
    {
        string found = words[1] switch
        {
            "leader" => string.Join(",", _nodes.Values.Where(n => n.Up && n.Core.State.Role == Role.Leader).Select(n => n.Id.ToString())) is { Length: > 0 } l ? l : "none",
            "commit" => words[2] + " " + Node(words[2]).Core.State.Commit,
            "term" => words[2] + " " + Node(words[2]).Core.State.Term,
            "mark" => words[2] + " " + (Node(words[2]).Core.State.Mark is { Count: > 0 } mark ? string.Join(",", mark.Select(d => d.Index)) : "none"),
            "log" => words[2] + " " + string.Join(",", Terms(Node(words[2]).Memory.Map)),
            _ => throw new InvalidOperationException($"expect what: {words[1]}"),
        };
        string wanted = string.Join(" ", words.Skip(2));
        if (found != wanted) throw new InvalidOperationException($"expected {words[1]} {wanted}, found {found}");
    }

    private static IEnumerable<string> Terms(LogMap map)
    {
        if (map.BeginIndex > 0) yield return $"({map.BeginIndex}:{map.BeginTerm})";
        for (long i = map.First; i <= map.Last; i++)
            if (map.TryTermOf(i, out ulong term)) yield return term.ToString(CultureInfo.InvariantCulture);
    }

    private RaftNode Node(string name) => _nodes[byte.Parse(name.AsSpan(1), CultureInfo.InvariantCulture)];

    private Instant Now(RaftNode node) => new(_clock[node], 0);

    private void Say(string line) => _said.Append("  ").Append(line.Replace("\n", "\n  ", StringComparison.Ordinal)).Append('\n');

    // ---- What the nodes do

    public void Leave(RaftNode from, ReplicaId to, ProtocolMessage message)
    {
        Ghost.Leaves(from.Id, from.Directory, to, message);
        Say($"{from.Id}->{to} {Tell(message)}");
        var bytes = new ByteWriter();
        Assert.Equal(EntryRead.Here, _codec.Encode(message, from.Memory, bytes));
        var body = message is BodyMessage b ? b.Body with { Token = 1 } : default;
        _wire.Add((from.Id, to, new Sender(from.Id, from.Directory, (long)from.Run), bytes.Written.ToArray(), body));
    }

    public void Answered(RaftNode node, in Verb answer) => Say($"{node.Id} answers #{answer.Proposal} {answer.Answer}{(answer.Answer == AnswerKind.ReadAt ? $" {answer.A}" : "")}{(answer.Text is null ? "" : $": {answer.Text}")}");

    public void Noted(RaftNode node, in Verb note)
    {
        if (note.Text!.StartsWith("recovered", StringComparison.Ordinal)) return;
        Say($"{node.Id} notes {note.Text} {note.A}{(note.B != 0 || note.C != 0 ? $" {note.B}" : "")}{(note.C != 0 ? $" {note.C}" : "")}");
    }

    public ConfigurationAt SnapshotConfiguration(in SnapshotIdentity snapshot) => _snapshots[snapshot];

    public LogMap? DurableLog(ReplicaId id, ulong directory) => _nodes[id.Value].Disk.Map;

    public Promise DurablePromise(ReplicaId id) => _nodes[id.Value].Disk.Promise;

    public LogMap? LogOfLeader(ulong term) => _nodes.Values.FirstOrDefault(n => n.Up && n.Core.State.Role == Role.Leader && n.Core.State.Term == term)?.Core.State.Log;

    public bool IsMarked(ReplicaId id, long index) => _nodes[id.Value].Mark.Any(d => d.Index == index);

    private static string Tell(ProtocolMessage message) => message switch
    {
        PreVote m => $"PreVote for term {m.NextTerm}, log ({m.LastIndex}, {m.LastTerm})",
        PreVoteReply m => $"PreVoteReply {(m.Granted ? "granted" : "refused")}, term {m.Term}",
        RequestVote m => $"RequestVote term {m.Term}, log ({m.LastIndex}, {m.LastTerm}){(m.Transfer ? ", transfer" : "")}",
        VoteReply m => $"VoteReply {(m.Granted ? "granted" : "refused")}, term {m.Term}",
        Append m => $"Append term {m.Term}, behind ({m.PrevIndex}, {m.PrevTerm}) {m.Count}, commit {m.Commit}, round {m.Round}",
        AppendReply { Ok: true } m => $"AppendReply ok, match {m.Match}, term {m.Term}, round {m.Round}",
        AppendReply m => $"AppendReply rejected {m.RejectedPrev}, hint ({m.HintIndex}, {m.HintTerm}), term {m.Term}",
        InstallSnapshot m => $"InstallSnapshot term {m.Term}, ({m.Body.Snapshot.Index}, {m.Body.Snapshot.Term})",
        InstallReply m => $"InstallReply match {m.Match}, term {m.Term}",
        TimeoutNow m => $"TimeoutNow term {m.Term}",
        LossQuestion m => $"LossQuestion term {m.Term}, {string.Join(" ", m.Entries.Select(e => $"({e.Index}, {e.Term})"))}",
        LossAnswer m => $"LossAnswer to term {m.Asked}, {string.Join(" ", m.Entries.Zip(m.Words, (e, w) => $"({e.Index}, {e.Term}) {w}"))}, term {m.Term}",
        ReadIndex => "ReadIndex",
        ReadIndexReply m => m.Granted ? $"ReadIndexReply {m.Index}" : "ReadIndexReply refused",
        _ => message.GetType().Name,
    };
}
