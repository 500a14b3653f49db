using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Quorate.Simulation.Checkers;
using Quorate.Simulation.Time;
using Quorate.ZooKeeper;
using Quorate.ZooKeeper.Client;

namespace Quorate.Simulation.Served;

/// <summary>
/// A machine that takes up another client's session by its password while that one uses it (sessions.md §5): each attachment throws the other off, and what the other had sent becomes a stale attachment's. It writes a little, and lets go without a word.
/// Its numbered nodes count as the session's owner's: what either had sent before the other was attached takes effect before what the other asks then, or never (ClientOrder).
/// </summary>
internal sealed class Borrower : IClientListener
{
    private readonly ServedWorld _world;
    private readonly ClientTurns _turns;
    private readonly SortedDictionary<long, Operation> _asked = [];
    private Prng _prng;
    private int _left, _lives, _owner;
    private long _tag;

    public Borrower(ServedWorld world, SimClock clock, ulong seed)
    {
        _world = world;
        _prng = new Prng(seed);
        _turns = new ClientTurns(world.Fabric, clock);
    }

    public void Borrow(SimClient owner)
    {
        var from = owner.Client;
        if (from is not { State: ClientState.Connected, Session: not 0 }) return;
        LetGo();
        _owner = owner.Number;
        _lives++;
        _left = 1 + (int)_prng.Below(12);
        var client = new ZooKeeperClient(_turns.Network, new ClientOptions { Servers = _world.ClientAddresses, SessionTimeoutMillis = _world.Plan.SessionMillis, Seed = _prng.Next(), LongestPauseMillis = 200, ConnectMillis = 700, NewSessionAfterExpiry = false }, this);
        _turns.Client = client;
        client.Start(_turns.Now, from.Session, from.Password);
        _turns.WakeAt(_world.Schedule.NowMicros + 1);
        int life = _lives;
        _world.Schedule.After(100_000 + _prng.Below(900_000), () =>
        {
            if (_lives == life) LetGo();
        });
    }

    public void LetGo()
    {
        if (_turns.Client is null) return;
        _turns.Client.Abandon();
        _turns.Network.Collect();
    }

    public void OnState(ZooKeeperClient client, ClientState state)
    {
        if (_world.Trace.Verbose) Say($"is {state}, session 0x{client.Session:x} at {client.Server}");
        if (state == ClientState.Connected) Write(client);
    }

    public void OnEvent(ZooKeeperClient client, int type, ReadOnlySpan<byte> path, long zxid)
    {
        // It watches nothing; an event would be the owner's, and watches belong to the connection.
        throw new BreachException("EventOnce", "a borrower of a session hears an event that it never asked for");
    }

    public void OnReply(ZooKeeperClient client, in ClientReply reply)
    {
        if (!_asked.Remove(reply.Tag, out var operation)) return;
        bool unknown = reply.Error is ErrorCode.ConnectionLoss or ErrorCode.SessionExpired;
        if (reply.Op == OpCode.SetData) TakeWrite(operation, reply, unknown);
        else if (reply.Ok) _world.Once.Acknowledged(operation.Key, _world.NextOrder());
        else if (!unknown) _world.Once.Refused(operation.Key);
        if (!unknown) Write(client); // what is asked while the connection is lost goes out with the next attachment, behind what the owner asks until then
    }

    private void Write(ZooKeeperClient client)
    {
        for (int n = 1 + (int)_prng.Below(3); n > 0 && _left > 0 && client.State == ClientState.Connected; n--, _left--)
        {
            if (_prng.Chance(0.5)) SetRegister(client);
            else CreateNumbered(client);
        }
        _turns.WakeAt(_world.Schedule.NowMicros + 1);
    }

    private void Say(string what) => _world.Trace.Line(_world.Schedule.NowMicros, $"b{_owner}", what);

    private void SetRegister(ZooKeeperClient client)
    {
        int node = (int)_prng.Below(ServedPlan.Registers);
        long value = _world.NextValue();
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _asked.Add(++_tag, new Operation { Client = 1_000 + _lives, Key = node, Kind = VersionedModel.Write, Input = value, Input2 = -1, Called = _world.NextOrder() });
        client.SetData(Encoding.UTF8.GetBytes("/r" + node.ToString(CultureInfo.InvariantCulture)), bytes, -1, _tag);
    }

    private void CreateNumbered(ZooKeeperClient client)
    {
        long number = _world.NextValue();
        _world.Once.Asked(number, _owner);
        if (_world.Trace.Verbose) Say($"asks for number {number}");
        _asked.Add(++_tag, new Operation { Client = _owner, Key = number, Kind = 0, Called = 0 });
        client.Create(SimClient.NameOf(number), default, 2, _tag);
    }

    private void TakeWrite(Operation operation, in ClientReply reply, bool unknown)
    {
        if (!unknown && !reply.Ok) return; // refused before it had a number: it never was
        if (reply.Ok) (operation.Output, operation.Output2, operation.Returned) = (1, reply.Stat.Version, _world.NextOrder());
        _world.Record(operation);
    }
}
