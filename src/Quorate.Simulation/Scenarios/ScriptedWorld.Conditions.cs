using System.Globalization;
using System.Text;
using Quorate.Primitives.Tree;
using Quorate.Runtime.Replica;
using Quorate.Simulation.Served;
using Quorate.ZooKeeper.Client;

namespace Quorate.Simulation.Scenarios;

/// <summary>What can be waited for and expected: one grammar. A condition tells what is missing, or null when it holds.</summary>
internal sealed partial class ScriptedWorld
{
    private Func<string?> Condition(Words words)
    {
        if (words.Take("not"))
        {
            string line = words.Line;
            var inner = Condition(words);
            return () => inner() is null ? $"it is so after all: {line}" : null;
        }
        string subject = words.Next("a condition");
        if (_clients.TryGetValue(subject, out var client)) return OfClient(client, words);
        return subject switch
        {
            "nobody" => OfNobody(words),
            "somebody" when words.Take("leads") => () => _members.Values.Any(Leads) ? null : "nobody leads",
            "everybody" when words.Take("connected") => () => _clients.Values.FirstOrDefault(c => c.Client.State != ClientState.Connected) is { } other ? $"{other.Name} is {other.Client.State}" : null,
            "voters" => OfConfiguration(string.Join(' ', words.Rest())),
            "digests" when words.Take("equal") => DigestsDiffer,
            "owner" => OfOwner(words.Next("a path"), words.Next("an owner"), At(words)),
            "node" => OfNode(words),
            "order" => OfOrder(words.Next("what comes first"), words.Next("what comes behind")),
            _ => OfMember(MemberOf(subject), words),
        };
    }

    private Func<string?> OfNobody(Words words) => words.Next("what nobody does") switch
    {
        "leads" => () => _members.Values.FirstOrDefault(Leads) is { } leader ? $"{NameOf(leader)} leads" : null,
        "serves" => () => _members.Values.FirstOrDefault(Serves) is { } member ? $"{NameOf(member)} serves" : null,
        var other => throw new ScenarioException($"nobody can be expected to {other}"),
    };

    private Func<string?> OfMember(SimMember member, Words words)
    {
        string name = NameOf(member), what = words.Next("what it does");
        Func<bool> holds = what switch
        {
            "leads" => () => Leads(member),
            "serves" => () => Serves(member),
            "up" => () => member.Alive,
            "down" => () => !member.Alive,
            "formed" => () => member.Alive && member.Member.Formed,
            "votes" => () => _members.Values.FirstOrDefault(Leads) is { } leader && leader.Member.Sessions.Configuration.Find(new ReplicaId((byte)member.Number)) is { Voter: true } m && member.Alive && m.Directory == member.Member.Store.Identity.Directory,
            "learns" => () => _members.Values.FirstOrDefault(Leads) is { } leader && leader.Member.Sessions.Configuration.Find(new ReplicaId((byte)member.Number)) is { Voter: false },
            "said" => Told(member, words.Next("a text")),
            "connections" => Connections(member, int.Parse(words.Next("a number"), CultureInfo.InvariantCulture)),
            "level" => () => member.Alive && _members.Values.Where(m => m.Alive && m.Member.Host is not null).All(m => m.Member.Sessions.AppliedIndex <= member.Member.Sessions.AppliedIndex),
            _ => throw new ScenarioException($"a member cannot be expected to be: {what}"),
        };
        return () => holds() ? null : $"not so: {name} {what} ({StandingOf(member)}; {string.Join("; ", _told[member.Number].TakeLast(3))})";
    }

    private static Func<bool> Connections(SimMember member, int count) => () => (member is { Alive: true, Member.Host: not null } ? member.Member.Sessions.ConnectionCount : 0) == count;

    private Func<bool> Told(SimMember member, string text) => () => _told[member.Number].Exists(t => t.Contains(text, StringComparison.Ordinal));

    private static string StandingOf(SimMember member) =>
        !member.Alive ? "down" : member.Member.Host is null ? "not formed"
        : string.Create(CultureInfo.InvariantCulture, $"{member.Member.Standing.Role}, term {member.Member.Standing.Term}, applied {member.Member.Sessions.AppliedIndex}, {(member.Member.Sessions.Serving ? "serving" : "not serving")}");

    private bool Serves(SimMember member) => member is { Alive: true, Member.Host: not null } && member.Member.Sessions.Serving && Schedule.NowMicros >= member.PausedUntil;

    private Func<string?> OfClient(ScriptedClient client, Words words)
    {
        string what = words.Next("what it is");
        switch (what)
        {
            case "connected":
                string? to = words.Take("to") ? words.Next("a member") : null;
                return () => client.Client.State == ClientState.Connected && (to is null || NameAt(client.Client.Server) == to) ? null : $"{client.Name} is {client.Client.State} at {NameAt(client.Client.Server)}";
            case "disconnected":
                return () => client.Client.State == ClientState.Disconnected ? null : $"{client.Name} is {client.Client.State} at {NameAt(client.Client.Server)}";
            case "expired":
                return () => client.Expired || client.Sessions.Count > 1 ? null : $"{client.Name}'s session lives";
            case "answered":
                return () => client.Waits ? $"{client.Name} waits for an answer" : null;
            case "told":
                string text = words.Next("an answer");
                return () => client.LastReply == text ? null : $"{client.Name} was told: {client.LastReply}";
            case "sessions":
                int count = int.Parse(words.Next("a number"), CultureInfo.InvariantCulture);
                return () => client.Sessions.Count == count ? null : $"{client.Name} had {client.Sessions.Count} sessions";
            case "losses":
                int losses = int.Parse(words.Next("a number"), CultureInfo.InvariantCulture);
                return () => client.Client.Losses == losses ? null : $"{client.Name} lost {client.Client.Losses} connections";
            case "events":
                string wanted = string.Join(' ', words.Rest());
                return () =>
                {
                    string heard = client.Events.Count == 0 ? "none" : string.Join(", ", client.Events);
                    if (heard != wanted) return $"{client.Name}'s events: {heard}";
                    client.Events.Clear();
                    return null;
                };
            case "silent":
                return () => client.Waits ? null : $"{client.Name} was told: {client.LastReply}";
            case "holds":
                string path = words.Next("a path");
                return () => Locks.HolderOf(path) == client.Name ? null : $"{client.Name} does not believe that it holds {path}";
            default:
                throw new ScenarioException($"a client cannot be expected to be: {what}");
        }
    }

    /// <summary>Both were told, the first before the second.</summary>
    private Func<string?> OfOrder(string first, string second) => () =>
    {
        int a = _all.FindIndex(l => l.Contains(first, StringComparison.Ordinal)), b = _all.FindIndex(l => l.Contains(second, StringComparison.Ordinal));
        return a < 0 ? $"never told: {first}" : b < 0 ? $"never told: {second}" : a < b ? null : $"'{second}' came before '{first}'";
    };

    private Func<string?> OfConfiguration(string wanted) => () =>
        _members.Values.FirstOrDefault(Leads) is not { } leader ? "nobody leads" : ConfigurationOf(leader) == wanted ? null : $"the configuration is {ConfigurationOf(leader)}";

    /// <summary>All members that serve have applied the same and are the same.</summary>
    private string? DigestsDiffer()
    {
        SimMember? first = null;
        foreach (var member in _members.Values)
        {
            if (!Serves(member)) continue;
            first ??= member;
            if (member.Member.Sessions.AppliedIndex != first.Member.Sessions.AppliedIndex) return $"{NameOf(first)} and {NameOf(member)} have not applied the same index";
            if (StateSnapshots.DigestOf(member.Member.Sessions) != StateSnapshots.DigestOf(first.Member.Sessions)) return $"{NameOf(first)} and {NameOf(member)} differ";
        }
        return first is null ? "nobody serves" : null;
    }

    /// <summary>Every member that serves, or the one that the condition names.</summary>
    private Func<IEnumerable<SimMember>> At(Words words)
    {
        if (!words.Take("at")) return () => _members.Values.Where(Serves);
        var member = MemberOf(words.Next("a member"));
        return () => [member];
    }

    private Func<string?> OfOwner(string path, string owner, Func<IEnumerable<SimMember>> at) => () =>
    {
        foreach (var member in at())
        {
            var tree = (DataTree)member.Member.Sessions.Machine;
            int node = tree.Find(Encoding.UTF8.GetBytes(path));
            string found = node == 0 ? "nobody" : OwnerOf(tree.Stat(node).EphemeralOwner);
            if (found != owner) return $"at {NameOf(member)}, {path} is {found}'s";
        }
        return null;
    };

    /// <summary><c>node /a everywhere · node /a nowhere · node /q children 60 · node /a data v1 at n2</c>.</summary>
    private Func<string?> OfNode(Words words)
    {
        byte[] path = Encoding.UTF8.GetBytes(words.Next("a path"));
        string what = words.Next("where or what");
        int children = what == "children" ? int.Parse(words.Next("a number"), CultureInfo.InvariantCulture) : 0;
        string? data = what == "data" ? words.Next("data") : null;
        var at = At(words);
        return () =>
        {
            foreach (var member in at())
            {
                var tree = (DataTree)member.Member.Sessions.Machine;
                int node = tree.Find(path);
                bool fits = what switch
                {
                    "everywhere" => node != 0,
                    "nowhere" => node == 0,
                    "children" => node != 0 && tree.ChildCount(node) == children,
                    "data" => node != 0 && tree.Data(node).SequenceEqual(Encoding.UTF8.GetBytes(data!)),
                    _ => throw new ScenarioException($"a node cannot be: {what}"),
                };
                if (!fits) return $"not so at {NameOf(member)}: {words.Line}";
            }
            return at().Any() ? null : "nobody serves";
        };
    }
}
