using System.Globalization;
using Quorate.Simulation.Checkers;
using Quorate.Simulation.Network;
using Quorate.Simulation.Served;
using Quorate.Simulation.Time;

namespace Quorate.Simulation.Scenarios;

/// <summary>
/// The served world with a script in the place of chance: the very members, disks, cables and clients, delays that are always the same, and nothing goes wrong but by command.
/// The promises of the seeded world are held after every turn all the same. This part: time, what is said, and the commands' names.
/// </summary>
internal sealed partial class ScriptedWorld : IMemberWorld
{
    private const long Patience = 30_000_000;

    /// <summary>After a command that waits for its answer: followers hear of it, events arrive.</summary>
    private const long Dust = 3_000;

    private readonly Trace _trace;
    private readonly MemberChecker _checker;
    private readonly List<string> _all = [];
    private Prng _seeds = new(1);

    public ScriptedWorld(Action<string>? line)
    {
        _trace = new Trace(line);
        Fabric = new SimFabric(Schedule, 1, _trace) { Usual = new Delay(50, 1), Chop = 0 };
        _checker = new MemberChecker(_trace, Digests);
    }

    public Schedule Schedule { get; } = new();
    public SimFabric Fabric { get; }
    public DigestChecker Digests { get; } = new();
    public LockBelief Locks { get; } = new();
    public long SnapshotBytes { get; private set; } = 10_000_000;
    public long TrailingBytes { get; private set; }
    public Storage.StorageLevel Level { get; private set; } = Storage.StorageLevel.Disk;

    /// <summary>What came of the present command.</summary>
    public List<string> Said { get; } = [];

    /// <summary>Something was expected.</summary>
    public bool Judged { get; private set; }

    public void Do(string line)
    {
        var words = new Words(line);
        string verb = words.Next();
        if (_clients.TryGetValue(verb, out var client)) client.Do(words);
        else if (!DoWithTime(verb, words) && !DoWithMachines(verb, words) && !DoWithDisks(verb, words) && !DoWithCables(verb, words) && !DoAsOperator(verb, words)) throw new ScenarioException($"no such command: {line}");
        words.End();
    }

    private bool DoWithTime(string verb, Words words)
    {
        switch (verb)
        {
            case "run":
                Run(words.Micros());
                return true;
            case "until":
                Until(words, Condition(words));
                return true;
            case "expect":
                Judged = true;
                Expect(words);
                return true;
            case "settle":
                Settle(words);
                return true;
            case "repeat":
                Repeat(int.Parse(words.Next("a number"), CultureInfo.InvariantCulture), words);
                return true;
            default:
                return false;
        }
    }

    private void Repeat(int times, Words words)
    {
        string command = string.Join(' ', words.Rest().Select(w => w.Contains(' ', StringComparison.Ordinal) ? $"\"{w}\"" : w));
        for (int i = 1; i <= times; i++) Do(command.Replace("$i", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
    }

    public void Run(long micros)
    {
        long until = Schedule.NowMicros + micros;
        while (Schedule.Step(until))
        {
        }
    }

    /// <summary>Runs until it is so; the play ends when it does not become so in time.</summary>
    private void Until(Words words, Func<string?> wanting)
    {
        long deadline = Schedule.NowMicros + (words.Setting("within") is { } within ? Words.MicrosOf(within) : Patience);
        while (wanting() is { } missing)
        {
            if (Schedule.NowMicros >= deadline) throw new ScenarioException($"it never came to that: {missing}");
            Run(1_000);
        }
    }

    private void Expect(Words words)
    {
        if (Condition(words)() is { } missing) throw new ScenarioException(missing);
    }

    /// <summary>Until every member that is up serves and has applied the same, and no client waits for anything.</summary>
    private void Settle(Words words)
    {
        var only = words.Rest();
        Until(words, () => Unsettled(only));
        Run(100_000);
    }

    private string? Unsettled(List<string> only)
    {
        long applied = -1;
        foreach (var member in _members.Values)
        {
            if (!member.Alive || (only.Count > 0 && !only.Contains(NameOf(member)))) continue;
            if (member.Member.Host is null || !member.Member.Sessions.Serving) return $"{NameOf(member)} does not serve";
            if (applied >= 0 && applied != member.Member.Sessions.AppliedIndex) return $"{NameOf(member)} has applied another index";
            applied = member.Member.Sessions.AppliedIndex;
        }
        foreach (var client in _clients.Values)
            if (client.Waits && (only.Count == 0 || only.Contains(client.Name))) return $"{client.Name} waits for an answer";
        return null;
    }

    public void Say(string line)
    {
        Said.Add(line);
        _all.Add(line);
        if (_trace.Verbose) _trace.Line(Schedule.NowMicros, "", line);
    }

    // ---- What members tell their world

    public IReadOnlyList<(ReplicaId Id, string Address)> ListedFor(SimMember member) => _listed[member.Number];

    public void Noted(SimMember member, int level, string text)
    {
        if (_trace.Verbose) _trace.Line(Schedule.NowMicros, NameOf(member), text);
        _told[member.Number].Add(text);
        if (Spoken.Of(this, member, level, text) is { } line) Say($"{NameOf(member)} {line}");
    }

    public void OnTurn(SimMember member) => _checker.After(member, Schedule.NowMicros);

    public void OnStopped(SimMember member) => member.Kill();
}
