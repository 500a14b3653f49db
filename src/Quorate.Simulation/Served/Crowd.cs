using System.Globalization;
using System.Text;
using Quorate.Simulation.Checkers;
using Quorate.Simulation.Network;
using Quorate.Simulation.Time;
using Quorate.ZooKeeper.Client;

namespace Quorate.Simulation.Served;

/// <summary>
/// One machine with very many clients, each with a session and a watch on one register, which it sets again when it fired. They ask for nothing else: what they add is numbers, of sessions, touches, watches and reconnects at once.
/// </summary>
internal sealed class Crowd
{
    private const long LeastPauseMicros = 3_000, GetTag = 1, SyncTag = 2, LookTag = 3;
    private readonly ServedWorld _world;
    private readonly SimClock _clock;
    private readonly SimNetwork _network;
    private readonly List<Member> _clients = [];
    private long _turnAt = Instant.Never;
    private bool _finishing;

    public Crowd(ServedWorld world, SimClock clock, int count)
    {
        _world = world;
        _clock = clock;
        _network = world.Fabric.AddMachine(() => WakeAt(world.Schedule.NowMicros + 3));
        for (int i = 0; i < count; i++) _clients.Add(new Member(this, i));
        foreach (var client in _clients) client.Client.Start(Now);
        WakeAt(world.Schedule.NowMicros + 1);
    }

    private Instant Now => _clock.At(_world.Schedule.NowMicros);

    /// <summary>Connected and watching again, all of them, and answered since healing: a connection whose member lost its power stands until its client asks for something.</summary>
    public bool Calm => _clients.TrueForAll(c => c.Watching && c.HasLooked);

    /// <summary>From now on: a last synced look by each.</summary>
    public void Finish()
    {
        _finishing = true;
        foreach (var client in _clients) client.Look();
    }

    public void Judge()
    {
        foreach (var client in _clients) client.Judge();
    }

    public void SayGoodbye()
    {
        foreach (var client in _clients) client.Client.Close();
        WakeAt(_world.Schedule.NowMicros + 1);
    }

    private void WakeAt(long micros)
    {
        if (micros >= _turnAt) return;
        _turnAt = micros;
        _world.Schedule.At(micros, () =>
        {
            if (_turnAt != micros) return;
            _turnAt = Instant.Never;
            Turn();
        });
    }

    // Many clients share a turn, so it comes seldom.
    private void Turn()
    {
        _network.Dispatch();
        var now = Now;
        long wake = Instant.Never;
        foreach (var client in _clients)
        {
            client.Client.Pump(now);
            wake = Math.Min(wake, client.Client.NextWake);
        }
        _network.Collect();
        if (wake != Instant.Never) WakeAt(Math.Max(_world.Schedule.NowMicros + LeastPauseMicros, _clock.WorldOf(wake)));
    }

    private sealed class Member : IClientListener
    {
        private readonly Crowd _crowd;
        private readonly int _number, _register;
        private readonly byte[] _path;
        private readonly SessionChecker _checker;
        private bool _arming;

        public Member(Crowd crowd, int number)
        {
            var world = crowd._world;
            _crowd = crowd;
            _number = number;
            _register = number % ServedPlan.Registers;
            _path = Encoding.UTF8.GetBytes("/r" + _register.ToString(CultureInfo.InvariantCulture));
            _checker = new SessionChecker(10_000 + number, ServedPlan.Registers);
            Client = new ZooKeeperClient(crowd._network, new ClientOptions { Servers = world.ClientAddresses, SessionTimeoutMillis = world.Plan.SessionMillis * 2, Seed = world.NextSeed(), LongestPauseMillis = 400, ConnectMillis = 1_500 }, this);
        }

        public ZooKeeperClient Client { get; }

        /// <summary>On the present connection, since healing.</summary>
        public bool HasLooked { get; private set; }

        public bool Watching => Client.State == ClientState.Connected && _checker.IsArmed(_register);

        public void OnState(ZooKeeperClient client, ClientState state)
        {
            if (_crowd._world.Trace.Verbose) Say($"is {state}, session 0x{client.Session:x} at {client.Server}, last zxid 0x{client.LastZxid:x}");
            if (state == ClientState.Expired)
            {
                _arming = false;
                _checker.Expired();
            }
            HasLooked = false;
            if (state == ClientState.Connected)
            {
                Arm();
                Look();
            }
        }

        public void OnEvent(ZooKeeperClient client, int type, ReadOnlySpan<byte> path, long zxid)
        {
            if (_crowd._world.Trace.Verbose) Say($"event {type}");
            _checker.Fired(_register);
            Arm();
        }

        public void OnReply(ZooKeeperClient client, in ClientReply reply)
        {
            if (_crowd._world.Trace.Verbose) Say($"reply: error {reply.Error}, zxid 0x{reply.Zxid:x}, version {(reply.Ok && reply.Tag == GetTag ? reply.Stat.Version : -1)}");
            if (reply.Tag is not (GetTag or LookTag)) return; // a sync's, or its goodbye's: they have no stat
            if (reply.Tag == GetTag) _arming = false;
            if (reply.Ok)
            {
                _checker.Replied(reply.Zxid);
                _checker.Saw(_register, reply.Stat.Version, own: false);
                if (reply.Tag == GetTag) _checker.Armed(_register, reply.Stat.Version);
                else HasLooked = true;
            }
            else if (client.State == ClientState.Connected) Arm();
        }

        public void Look()
        {
            if (!_crowd._finishing || Client.State != ClientState.Connected) return;
            Client.Sync(_path, SyncTag);
            Client.GetData(_path, watch: false, LookTag);
            _crowd.WakeAt(_crowd._world.Schedule.NowMicros + 10);
        }

        public void Judge()
        {
            if (Client.ProtocolErrors > 0) throw new BreachException("RepliesFit", $"a client of the crowd: {Client.ProtocolErrors} replies fit no request");
            _checker.Judge(_register, _crowd._world.FinalVersion(_register));
        }

        private void Say(string what) => _crowd._world.Trace.Line(_crowd._world.Schedule.NowMicros, $"w{_number}", what);

        private void Arm()
        {
            if (_arming || _checker.IsArmed(_register) || Client.State != ClientState.Connected) return;
            _arming = true;
            Client.GetData(_path, watch: true, GetTag);
            _crowd.WakeAt(_crowd._world.Schedule.NowMicros + 10);
        }
    }
}
