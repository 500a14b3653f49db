using Quorate.Simulation.Checkers;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;

namespace Quorate.Simulation.Served;

/// <summary>
/// A world of whole members: the very <see cref="Runtime.Member"/> with mesh, storage, sessions, tree and face over byte streams and simulated disks, and clients of ZooKeeper's wire. First it forms, then faults and load, then a quorum is healed and everything outstanding must complete, then it must become quiet.
/// </summary>
internal sealed class ServedWorld : IMemberWorld
{
    private const long FormMicros = 20_000_000;
    private readonly SimOptions _options;
    private readonly ServedFaults _faults;
    private readonly MemberChecker _checker;
    private readonly List<SimMember> _members = [];
    private readonly List<SimClient> _clients = [];
    private readonly List<Operation> _history = [];
    private readonly int[] _finalVersions = new int[ServedPlan.Registers];
    private Prng _prng, _seeds;
    private Crowd? _crowd;
    private Borrower? _borrower;
    private long _order, _nextValue;

    public ServedWorld(ulong seed, SimOptions options)
    {
        _options = options;
        Trace = new Trace(options.Line);
        _prng = new Prng(seed ^ 0x5E12_7ED0);
        _seeds = new Prng(seed ^ 0x5EED);
        Plan = new ServedPlan(ref _prng);
        Fabric = new SimFabric(Schedule, NextSeed(), Trace) { Chop = Plan.Chop };
        _faults = new ServedFaults(this, _members, _clients, NextSeed());
        _checker = new MemberChecker(Trace, Digests);
    }

    public ServedPlan Plan { get; }
    public Schedule Schedule { get; } = new();
    public Trace Trace { get; }
    public SimFabric Fabric { get; }
    public DigestChecker Digests { get; } = new();
    public IReadOnlyList<(ReplicaId Id, string Address)> Listed { get; private set; } = [];
    public IReadOnlyList<string> ClientAddresses { get; private set; } = [];
    public long SnapshotBytes => Plan.SnapshotBytes;
    public long TrailingBytes => Plan.TrailingBytes;
    public long RecentBytes => Plan.RecentBytes;
    public LockChecker Locks { get; } = new(ServedPlan.Locks);
    public OnceChecker Once { get; } = new();
    public bool Loaded { get; private set; }
    public long Faults => _faults.Struck;
    public long Operations => _history.Count;
    public int Undecided { get; private set; }

    public ulong NextSeed() => _seeds.Next();

    public long NextOrder() => ++_order;

    public long NextValue() => ++_nextValue;

    public void Record(Operation operation) => _history.Add(operation);

    public int FinalVersion(int node) => _finalVersions[node];

    public void SawFinal(int node, int version) => _finalVersions[node] = Math.Max(_finalVersions[node], version);

    public void Run()
    {
        Form();
        Loaded = true;
        if (Plan.Crowd > 0) _crowd = new Crowd(this, NewClock(), Plan.Crowd);
        _faults.Arrange();
        RunUntil(Schedule.NowMicros + _options.FaultMicros);
        Loaded = false;
        _faults.Heal();
        _borrower?.LetGo();
        foreach (var client in _clients) client.Finish();
        _crowd?.Finish();
        long deadline = Schedule.NowMicros + _options.HealMicros;
        while (!AllDone())
        {
            if (Schedule.NowMicros >= deadline) throw new BreachException("Progress", $"healed, and {_options.HealMicros} us later not everything is done: {Standings()}");
            RunUntil(Math.Min(deadline, Schedule.NowMicros + 50_000));
        }
        RunUntil(Schedule.NowMicros + 200_000);
        foreach (var client in _clients) client.Judge();
        _crowd?.Judge();
        foreach (var client in _clients) client.SayGoodbye();
        _crowd?.SayGoodbye();
        BecomeQuiet();
        JudgeHistory();
    }

    public IReadOnlyList<(ReplicaId Id, string Address)> ListedFor(SimMember member) => Listed;

    public void Noted(SimMember member, int level, string text)
    {
        if (Trace.Verbose) Trace.Line(Schedule.NowMicros, "n" + member.Number, text);
    }

    public void OnStopped(SimMember member) => _faults.OnStopped(member);

    public void OnTurn(SimMember member) => _checker.After(member, Schedule.NowMicros);

    private void Form()
    {
        for (int i = 1; i <= Plan.Members; i++) _members.Add(new SimMember(this, i, NewClock(), Plan.NewDisk(NextSeed()), NextSeed()));
        Listed = _members.ConvertAll(m => (new ReplicaId((byte)m.Number), m.PeerAddress));
        ClientAddresses = _members.ConvertAll(m => m.ClientAddress);
        foreach (var member in _members) member.Start();
        for (int i = 1; i <= Plan.Clients; i++) AddClient(setsUp: i == 1);
        while (!_clients[0].IsSetUp)
        {
            if (Schedule.NowMicros > FormMicros) throw new BreachException("Forms", $"not formed and set up after {FormMicros} us: {Standings()}");
            RunUntil(Schedule.NowMicros + 20_000);
        }
    }

    public SimClient AddClient(bool setsUp)
    {
        var client = new SimClient(this, _clients.Count + 1, NewClock(), NextSeed());
        _clients.Add(client);
        client.Begin(setsUp);
        return client;
    }

    /// <summary>The leader of the highest term, if anybody leads.</summary>
    public SimMember? Leader()
    {
        SimMember? best = null;
        foreach (var member in _members)
            if (member is { Alive: true, Member.Host: not null } && member.Member.Standing.Role == Role.Leader && (best is null || member.Member.Standing.Term > best.Member.Standing.Term)) best = member;
        return best;
    }

    private SimClock NewClock() => new(_prng.Below(1L << 40), (int)_prng.Between(-300, 300), 1_700_000_000_000 + _prng.Below(1_000_000));

    public void Borrow(SimClient from)
    {
        _borrower ??= new Borrower(this, NewClock(), NextSeed());
        _borrower.Borrow(from);
    }

    private bool AllDone()
    {
        foreach (var client in _clients)
            if (!client.Done) return false;
        _faults.Calm();
        if (_crowd is { Calm: false }) return false;
        long applied = -1;
        foreach (var member in _members)
        {
            if (!member.Alive) continue;
            if (member.Member.Host is null || !member.Member.Sessions.Serving) return false;
            if (applied >= 0 && applied != member.Member.Sessions.AppliedIndex) return false;
            applied = member.Member.Sessions.AppliedIndex;
        }
        return true;
    }

    // DESIGN §3: an idle group costs beats and nothing else. The sessions of clients that vanished die first.
    private void BecomeQuiet()
    {
        RunUntil(Schedule.NowMicros + Plan.SessionMillis * (Plan.Crowd > 0 ? 2_000L : 1_000L) + 4_000_000);
        var before = _members.ConvertAll(Ends);
        RunUntil(Schedule.NowMicros + 1_000_000);
        for (int i = 0; i < _members.Count; i++)
            if (Ends(_members[i]) != before[i]) throw new BreachException("IdleIsQuiet", $"n{i + 1}: {before[i]} became {Ends(_members[i])} in an idle second; {Standings()}");
        foreach (var member in _members)
            if (member.Alive && member.Member.Sessions.SessionCount > 0) throw new BreachException("SessionsEnd", $"n{member.Number} still knows {member.Member.Sessions.SessionCount} sessions");
    }

    private static (long, long) Ends(SimMember member) => member.Alive ? (member.Member.Sessions.AppliedIndex, member.Core?.State.Log.Last ?? 0) : default;

    private void JudgeHistory()
    {
        switch (Linearizability.Check(new VersionedModel(), _history, out var broken))
        {
            case Verdict.Broken:
                throw new BreachException("Linearizable", string.Join("\n  ", broken.Prepend((object)$"no order explains register {broken[0].Key}:")));
            case Verdict.Undecided:
                Undecided++;
                break;
            default:
                break;
        }
    }

    private void RunUntil(long until)
    {
        while (Schedule.Step(until))
        {
        }
    }

    private string Standings() =>
        string.Join("; ", _members.Select(m => !m.Alive ? $"n{m.Number} down" : m.Member.Host is null ? $"n{m.Number} not formed"
            : $"n{m.Number} {m.Member.Standing.Role} t{m.Member.Standing.Term} applied {m.Member.Sessions.AppliedIndex} {(m.Member.Sessions.Serving ? "serving" : "not serving")} of [{m.Core!.Configuration}]"))
        + "; " + string.Join("; ", _clients.Select(c => $"c{c.Number} {c.Client.State} {(c.Done ? "done" : $"{c.Client.Pending} pending")}"));
}
