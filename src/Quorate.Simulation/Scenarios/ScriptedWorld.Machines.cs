using System.Globalization;
using Quorate.Simulation.Served;
using Quorate.Simulation.Time;
using Quorate.Storage;

namespace Quorate.Simulation.Scenarios;

/// <summary>Machines: members and clients that come, go, sleep and come again.</summary>
internal sealed partial class ScriptedWorld
{
    private readonly SortedDictionary<int, SimMember> _members = [];
    private readonly SortedDictionary<int, IReadOnlyList<(ReplicaId Id, string Address)>> _listed = [];
    private readonly SortedDictionary<int, List<string>> _told = [];
    private readonly SortedDictionary<string, ScriptedClient> _clients = new(StringComparer.Ordinal);

    private bool DoWithMachines(string verb, Words words)
    {
        switch (verb)
        {
            case "cluster":
                Cluster(words);
                return true;
            case "join":
                Join(words.Next("a member"));
                return true;
            case "client":
                Welcome(words);
                return true;
            case "start":
                Starts(MemberOf(words.Next("a member")), words);
                return true;
            case "kill" or "power" or "stop":
                foreach (string name in words.Rest()) Ends(verb, MemberOf(name));
                Settles();
                return true;
            case "wipe":
                Wipe(MemberOf(words.Next("a member")));
                return true;
            case "pause":
                Pause(words);
                return true;
            case "sleep":
                ClientOf(words.Next("a client")).SleepFor(words.Micros());
                return true;
            default:
                return false;
        }
    }

    /// <summary><c>cluster 3 leader=n1 seed=7 snapshot=20KiB trailing=4KiB level=mapped</c>: listed, started, and waited for when all are.</summary>
    private void Cluster(Words words)
    {
        if (words.Setting("seed") is { } seed) _seeds = new Prng(ulong.Parse(seed, CultureInfo.InvariantCulture));
        if (words.Setting("snapshot") is { } snapshot) SnapshotBytes = Words.BytesOf(snapshot);
        if (words.Setting("trailing") is { } trailing) TrailingBytes = Words.BytesOf(trailing);
        if (words.Setting("level") is { } level) Level = Enum.Parse<StorageLevel>(level, ignoreCase: true);
        int members = int.Parse(words.Next("a number"), CultureInfo.InvariantCulture);
        for (int i = 1; i <= members; i++) Make(i);
        IReadOnlyList<(ReplicaId Id, string Address)> listed = [.. _members.Values.Select(m => (new ReplicaId((byte)m.Number), m.PeerAddress))];
        for (int i = 1; i <= members; i++) _listed[i] = listed;
        if (words.Take("down")) return;
        int before = Said.Count;
        foreach (var member in _members.Values) Starts(member);
        Until(words, () => Unsettled([]));
        if (words.Setting("leader") is { } leader) Transfer(leader);
        Until(words, () => Unsettled([]));
        Said.RemoveRange(before, Said.Count - before);
        Say($"{NameOf(Leader())} leads");
    }

    private SimMember Make(int number)
    {
        var clock = new SimClock(_seeds.Below(1L << 40), 0, 1_700_000_000_000);
        var member = new SimMember(this, number, clock, NewDisk(), _seeds.Next());
        _members.Add(number, member);
        _told.Add(number, []);
        return member;
    }

    private SimDisk NewDisk() => new(_seeds.Next()) { JournalMicros = (100, 100), BackgroundMicros = (1_000, 1_000) };

    /// <summary>A machine with an empty directory that lists the cluster and itself.</summary>
    private void Join(string name)
    {
        var member = Make(NumberOf(name));
        _listed[member.Number] = [.. _listed[1], (new ReplicaId((byte)member.Number), member.PeerAddress)];
        Starts(member);
        Settles();
    }

    /// <summary><c>client X n1 n2 timeout=4s session=Y</c>: tries the members in this order; waits until it is connected unless it says <c>later</c>.</summary>
    private void Welcome(Words words)
    {
        string name = words.Next("a name");
        if (_clients.ContainsKey(name) || name.Length > 3 || !char.IsAsciiLetterUpper(name[0])) throw new ScenarioException($"'{name}' cannot be a new client's name");
        var servers = words.Rest();
        bool later = servers.Remove("later");
        long begin = _seeds.Below(1L << 40);
        int timeout = (int)(words.Setting("timeout") is { } text ? Words.MicrosOf(text) / 1_000 : 4_000);
        var client = new ScriptedClient(this, name, begin, servers.ConvertAll(s => MemberOf(s).ClientAddress), timeout);
        _clients.Add(name, client);
        client.Begin(words.Setting("session") is { } other ? ClientOf(other) : null);
        if (!later) Until(words, () => client.Client.State == ZooKeeper.Client.ClientState.Connected ? null : $"{name} is {client.Client.State}");
    }

    /// <summary>Starts the process. <c>cut=40</c>: the power goes at the 40th disk operation from now, in the middle of its recovery.</summary>
    private void Starts(SimMember member, Words? words = null)
    {
        if (member.Alive) throw new ScenarioException($"{NameOf(member)} is up");
        member.Clock.Restart(_seeds.Below(1L << 40));
        if (words?.Setting("cut") is { } cut) member.Disk.CrashAfter(long.Parse(cut, CultureInfo.InvariantCulture));
        try
        {
            member.Start();
            member.Disk.CrashAfter(long.MaxValue);
            if (words is not null) Settles();
        }
        catch (SimCrash)
        {
            Say($"{NameOf(member)} loses power in the middle of its start");
            member.LosePower();
        }
        catch (Exception refused) when (refused is StorageRefusal or DiskException)
        {
            Say($"{NameOf(member)} does not start: {Spoken.Plain(refused.Message)}");
            _told[member.Number].Add("does not start: " + refused.Message);
            member.Kill();
        }
    }

    private void Ends(string verb, SimMember member)
    {
        // The power may also go after the process did.
        if (verb == "stop") Stop(member);
        else if (verb == "power") member.LosePower();
        else member.Kill();
    }

    /// <summary>SIGTERM: hand over, hang up, the empty batch behind what was gathered (storage.md §1.6).</summary>
    private void Stop(SimMember member)
    {
        long deadline = Schedule.NowMicros + 4_000_000;
        member.Member.Retire();
        member.WakeAt(Schedule.NowMicros + 1);
        while (!member.Member.Retired && Schedule.NowMicros < deadline) Run(1_000);
        member.Member.BeginClose();
        member.WakeAt(Schedule.NowMicros + 1);
        deadline = Schedule.NowMicros + 1_000_000;
        while (!member.Member.Closed && Schedule.NowMicros < deadline) Run(1_000);
        Say($"{NameOf(member)} {(member.Member.Closed ? "stops" : "is stopped in the middle")}");
        member.Kill();
    }

    private void Wipe(SimMember member)
    {
        if (member.Alive) throw new ScenarioException($"{NameOf(member)} is up");
        member.Disk = NewDisk();
    }

    private void Pause(Words words)
    {
        var names = words.Rest();
        long micros = Words.MicrosOf(names[^1]);
        foreach (string name in names[..^1])
        {
            if (_clients.TryGetValue(name, out var client)) client.PauseFor(micros);
            else MemberOf(name).PausedUntil = Schedule.NowMicros + micros;
        }
    }

    public void Settles() => Run(Dust);

    // ---- Names

    public static string NameOf(SimMember member) => string.Create(CultureInfo.InvariantCulture, $"n{member.Number}");

    /// <summary>The member or client at this address.</summary>
    public string NameAt(string address) => _members.Values.Where(m => m.ClientAddress == address).Select(NameOf).FirstOrDefault() ?? address;

    /// <summary>Whose session this is.</summary>
    public string OwnerOf(long session) => _clients.Values.Where(c => c.Sessions.Contains(session)).Select(c => c.Name).LastOrDefault() ?? "nobody";

    public static int NumberOf(string name) =>
        name.Length > 1 && name[0] == 'n' && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new ScenarioException($"'{name}' is no member's name");

    private SimMember MemberOf(string name) => _members.TryGetValue(NumberOf(name), out var member) ? member : throw new ScenarioException($"there is no {name}");

    private ScriptedClient ClientOf(string name) => _clients.TryGetValue(name, out var client) ? client : throw new ScenarioException($"there is no client {name}");

    private int MachineOf(string name) => _clients.TryGetValue(name, out var client) ? client.Machine : MemberOf(name).Network.Number;
}
