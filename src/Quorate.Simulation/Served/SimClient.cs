using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Quorate.Simulation.Checkers;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;
using Quorate.ZooKeeper;
using Quorate.ZooKeeper.Client;

namespace Quorate.Simulation.Served;

/// <summary>
/// One machine with one client of ZooKeeper's wire, the very one of bench and shell. It writes and reads versioned registers, makes numbered nodes, takes and gives locks, watches; all that it is told goes to the checkers.
/// </summary>
internal sealed class SimClient : IClientListener
{
    private enum Doing { Nothing, Setup, Write, SyncedRead, Read, Sync, Number, Lock, Unlock, Own, Count, FinalRead }

    private readonly ServedWorld _world;
    private readonly ClientTurns _turns;
    private readonly ZooKeeperClient _client;
    private readonly SessionChecker _checker;
    private readonly SortedDictionary<long, (Doing What, int Node, Operation? Operation, long Session)> _asked = [];
    private readonly bool[] _arming = new bool[ServedPlan.Registers];
    private readonly int[] _lastVersion = new int[ServedPlan.Registers];
    private readonly long[] _holds = new long[ServedPlan.Locks];   // the session that made the node, while it owns it
    private readonly bool[] _lockAsked = new bool[ServedPlan.Locks];
    private Prng _prng;
    private long _tag, _restUntil;
    private int _setup, _finalNode = -1, _outstanding;
    private bool _thinking, _gone;

    public SimClient(ServedWorld world, int number, SimClock clock, ulong seed)
    {
        _world = world;
        Number = number;
        _prng = new Prng(seed);
        _checker = new SessionChecker(number, ServedPlan.Registers);
        _turns = new ClientTurns(world.Fabric, clock);
        _client = new ZooKeeperClient(Network, new ClientOptions { Servers = world.ClientAddresses, SessionTimeoutMillis = world.Plan.SessionMillis, Seed = seed, LongestPauseMillis = 200, ConnectMillis = 700 }, this);
        _turns.Client = _client;
    }

    public int Number { get; }
    public SimNetwork Network => _turns.Network;
    public ZooKeeperClient Client => _client;
    public bool IsSetUp { get; private set; }

    /// <summary>Its last words were answered.</summary>
    public bool Done { get; private set; }

    private Instant Now => _turns.Now;

    public void Begin(bool setsUp)
    {
        IsSetUp = !setsUp;
        _client.Start(Now);
        WakeAt(_world.Schedule.NowMicros + 1);
    }

    /// <summary>From now on: what is outstanding, then a last synced look at everything, then silence.</summary>
    public void Finish()
    {
        _finalNode = 0;
        Think();
    }

    /// <summary>Walks away; its session dies of its time-out.</summary>
    public void Vanish()
    {
        for (int i = 0; i < ServedPlan.Locks; i++) Doubt(i);
        _gone = true;
        _client.Abandon();
        Network.Collect();
        Done = true;
    }

    /// <summary>At the very end, connected and quiet.</summary>
    public void Judge()
    {
        if (_gone) return;
        if (_client.ProtocolErrors > 0) throw new BreachException("RepliesFit", $"client {Number}: {_client.ProtocolErrors} replies fit no request");
        for (int i = 0; i < ServedPlan.Registers; i++) _checker.Judge(i, _world.FinalVersion(i));
    }

    public void SayGoodbye()
    {
        if (!_gone) _client.Close();
        WakeAt(_world.Schedule.NowMicros + 1);
    }

    public void OnState(ZooKeeperClient client, ClientState state)
    {
        if (_world.Trace.Verbose) Say($"is {state}, session 0x{client.Session:x} at {client.Server}");
        _world.Trace.Add(_world.Schedule.NowMicros, 5, Number, (long)state);
        for (int i = 0; i < ServedPlan.Locks; i++)
        {
            if (_holds[i] == 0) continue;
            if (state == ClientState.Connected && _holds[i] == client.Session) _world.Locks.Believes(i, Number, client.Session);
            else if (state == ClientState.Connected || state == ClientState.Expired || state == ClientState.Closed) Doubt(i);
            else _world.Locks.Doubts(i, Number);
        }
        if (state == ClientState.Expired)
        {
            _checker.Expired();
            Array.Clear(_arming);
        }
        if (state == ClientState.Connected) Think();
    }

    public void OnEvent(ZooKeeperClient client, int type, ReadOnlySpan<byte> path, long zxid)
    {
        string name = Encoding.UTF8.GetString(path);
        if (_world.Trace.Verbose) Say($"event {type} at {name}");
        _world.Trace.Add(_world.Schedule.NowMicros, 6, Number, type);
        if (name.StartsWith("/r", StringComparison.Ordinal)) _checker.Fired(int.Parse(name.AsSpan(2), CultureInfo.InvariantCulture));
    }

    public void OnReply(ZooKeeperClient client, in ClientReply reply)
    {
        if (!_asked.Remove(reply.Tag, out var asked)) return;
        if (_world.Trace.Verbose) Say($"reply to {asked.What} {asked.Node}: error {reply.Error}, zxid 0x{reply.Zxid:x}");
        _world.Trace.Add(_world.Schedule.NowMicros, 7, Number, reply.Error * 256 + (int)asked.What);
        _outstanding--;
        bool unknown = reply.Error is ErrorCode.ConnectionLoss or ErrorCode.SessionExpired;
        if (!unknown) _checker.Replied(reply.Zxid);
        Take(asked.What, asked.Node, asked.Operation, asked.Session, reply, unknown);
        Think();
    }

    private void Take(Doing what, int node, Operation? operation, long session, in ClientReply reply, bool unknown)
    {
        switch (what)
        {
            case Doing.Setup:
                if (reply.Ok || reply.Error == ErrorCode.NodeExists) _setup++;
                break;
            case Doing.Write:
                TakeWrite(node, operation!, reply, unknown);
                break;
            case Doing.Read or Doing.SyncedRead or Doing.FinalRead:
                TakeRead(what, node, operation, reply, unknown);
                break;
            case Doing.Number:
                if (reply.Ok) _world.Once.Acknowledged(operation!.Key, _world.NextOrder());
                else if (!unknown) _world.Once.Refused(operation!.Key);
                break;
            case Doing.Lock:
                _lockAsked[node] = false;
                if (!reply.Ok) break;
                _holds[node] = _client.Session;
                _world.Locks.Believes(node, Number, _client.Session);
                // An owner that rests: only its pings say that it lives, and nothing unanswered makes it doubt its member.
                if (_prng.Chance(0.3)) _restUntil = _world.Schedule.NowMicros + _prng.Between(500_000, _world.Plan.LongestRest);
                break;
            case Doing.Unlock:
                _lockAsked[node] = false;
                break;
            case Doing.Own:
                // Asked while it was ours, answered in the same session: an ephemeral node lives as long as its session.
                if (reply.Error == ErrorCode.NoNode && session == _client.Session && _holds[node] == session) throw new BreachException("EphemeralLives", $"client {Number} owns lock {node} in session 0x{session:x}, and its node is gone");
                break;
            case Doing.Count:
                if (!reply.Ok) break;
                var found = new List<(long, long)>();
                foreach (string name in reply.Names())
                {
                    int dot = name.IndexOf('.', StringComparison.Ordinal);
                    found.Add((long.Parse(name.AsSpan(2, dot - 2), CultureInfo.InvariantCulture), long.Parse(name.AsSpan(dot + 1), CultureInfo.InvariantCulture)));
                }
                _world.Once.Judge(found, operation!.Called);
                Done = true;
                break;
            default:
                break;
        }
    }

    private void TakeWrite(int node, Operation operation, in ClientReply reply, bool unknown)
    {
        if (unknown)
        {
            _world.Record(operation);
            return;
        }
        if (reply.Error is not (ErrorCode.Ok or ErrorCode.BadVersion)) return; // refused before it had a number: it never was
        operation.Output = reply.Ok ? 1 : 0;
        operation.Output2 = reply.Ok ? reply.Stat.Version : 0;
        operation.Returned = _world.NextOrder();
        _world.Record(operation);
        if (!reply.Ok) return;
        _lastVersion[node] = reply.Stat.Version;
        _checker.Saw(node, reply.Stat.Version, own: true);
    }

    private void TakeRead(Doing what, int node, Operation? operation, in ClientReply reply, bool unknown)
    {
        bool watched = _arming[node] && operation is { Input: 1 };
        if (watched) _arming[node] = false;
        if (unknown || !reply.Ok) return;
        int version = reply.Stat.Version;
        _lastVersion[node] = version;
        _checker.Saw(node, version, own: false);
        if (watched) _checker.Armed(node, version);
        if (what == Doing.Read) return;
        operation!.Output = reply.Data.Length == 8 ? BinaryPrimitives.ReadInt64LittleEndian(reply.Data) : 0;
        operation.Output2 = version;
        operation.Returned = _world.NextOrder();
        _world.Record(operation);
        if (what != Doing.FinalRead) return;
        _world.SawFinal(node, version);
        _finalNode++;
    }

    private void Think()
    {
        if (_thinking || Done || _gone) return;
        _thinking = true;
        _world.Schedule.After(1 + _prng.Below(_finalNode >= 0 || !IsSetUp ? 2_000 : _world.Plan.ThinkMicros), () =>
        {
            _thinking = false;
            Act();
            WakeAt(_world.Schedule.NowMicros);
        });
    }

    private void Act()
    {
        if (Done || _gone || _client.State != ClientState.Connected) return;
        if (!IsSetUp)
        {
            SetUp();
            return;
        }
        if (_finalNode >= 0)
        {
            if (_outstanding > 0) return;
            if (_finalNode < ServedPlan.Registers) LookAt(_finalNode, Doing.FinalRead);
            else
            {
                var look = NewOperation(0, VersionedModel.Read, 0, 0);
                Ask(Doing.Sync, 0, null, tag => _client.Sync("/seq"u8, tag));
                Ask(Doing.Count, 0, look, tag => _client.GetChildren("/seq"u8, false, tag));
            }
            return;
        }
        if (_world.Loaded && _world.Schedule.NowMicros < _restUntil)
        {
            Think();
            return;
        }
        if (!_world.Loaded || _outstanding >= _world.Plan.Pipelined * 2) return;
        for (int n = 1 + (int)_prng.Below(_world.Plan.Pipelined); n > 0; n--) AskSomething();
        Think();
    }

    private void SetUp()
    {
        if (_outstanding > 0) return;
        string[] paths = ["/seq", "/locks", .. Enumerable.Range(0, ServedPlan.Registers).Select(i => "/r" + i.ToString(CultureInfo.InvariantCulture))];
        if (_setup == paths.Length)
        {
            IsSetUp = true;
            return;
        }
        string path = paths[_setup];
        Ask(Doing.Setup, 0, null, tag => _client.Create(path, new byte[8], 0, tag));
    }

    private void AskSomething()
    {
        int node = (int)_prng.Below(ServedPlan.Registers);
        switch (_prng.Below(20))
        {
            case < 6:
                long expected = _prng.Chance(0.3) ? _lastVersion[node] : -1, value = _world.NextValue();
                var bytes = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
                Ask(Doing.Write, node, NewOperation(node, VersionedModel.Write, value, expected), tag => _client.SetData(Path(node), bytes, (int)expected, tag));
                break;
            case < 9:
                LookAt(node, Doing.SyncedRead);
                break;
            case < 13:
                bool watch = !_arming[node] && !_checker.IsArmed(node);
                _arming[node] |= watch;
                Ask(Doing.Read, node, NewOperation(node, VersionedModel.Read, watch ? 1 : 0, 0), tag => _client.GetData(Path(node), watch, tag));
                break;
            case < 16:
                long number = _world.NextValue();
                _world.Once.Asked(number, Number);
                string name = NameOf(number);
                if (_world.Trace.Verbose) Say($"asks for number {number}");
                Ask(Doing.Number, 0, new Operation { Client = Number, Key = number, Kind = 0, Called = 0 }, tag => _client.Create(name, default, 2, tag));
                break;
            default:
                Lock((int)_prng.Below(ServedPlan.Locks));
                break;
        }
    }

    private void Lock(int number)
    {
        if (_lockAsked[number]) return;
        string path = "/locks/" + number.ToString(CultureInfo.InvariantCulture);
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (_holds[number] == 0)
        {
            _lockAsked[number] = true;
            Ask(Doing.Lock, number, null, tag => _client.Create(path, default, 1, tag));
        }
        else if (_prng.Chance(0.5)) Ask(Doing.Own, number, null, tag => _client.Exists(name, false, tag));
        else
        {
            Doubt(number);
            _lockAsked[number] = true;
            Ask(Doing.Unlock, number, null, tag => _client.Delete(name, -1, tag));
        }
    }

    // A read behind a sync of the same connection sees all that was decided before the sync was sent.
    private void LookAt(int node, Doing what)
    {
        var operation = NewOperation(node, VersionedModel.Read, 0, 0);
        Ask(Doing.Sync, node, null, tag => _client.Sync(Path(node), tag));
        Ask(what, node, operation, tag => _client.GetData(Path(node), false, tag));
    }

    /// <summary>A sequential node that tells which write made it.</summary>
    public static string NameOf(long number) => string.Create(CultureInfo.InvariantCulture, $"/seq/n-{number}.");

    private Operation NewOperation(int node, int kind, long input, long input2) =>
        new() { Client = Number, Key = node, Kind = kind, Input = input, Input2 = input2, Called = _world.NextOrder() };

    private void Ask(Doing what, int node, Operation? operation, Action<long> send)
    {
        long tag = ++_tag;
        _outstanding++;
        _asked.Add(tag, (what, node, operation, _client.Session));
        send(tag);
    }

    private void Doubt(int number)
    {
        _holds[number] = 0;
        _world.Locks.Doubts(number, Number);
    }

    private void WakeAt(long micros) => _turns.WakeAt(micros);

    private void Say(string what) => _world.Trace.Line(_world.Schedule.NowMicros, "c" + Number, what);

    private static byte[] Path(int node) => Encoding.UTF8.GetBytes("/r" + node.ToString(CultureInfo.InvariantCulture));
}
