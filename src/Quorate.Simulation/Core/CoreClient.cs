using Quorate.Simulation.Checkers;

namespace Quorate.Simulation.Core;

/// <summary>One client: asks, waits, gives up without knowing, asks the next node. What was refused never happened; what got no answer may have.</summary>
internal sealed class CoreClient(CoreWorld world, int number, ulong seed)
{
    private const long PatienceMicros = 400_000;
    private Prng _prng = new(seed);
    private int _lives, _target, _finalKey = -1;
    private long _asking;
    private bool _finalRead;

    /// <summary>Its last words (a write and a read of each key) were answered.</summary>
    public bool Done { get; private set; }

    private int Identity => number + _lives * 1000;

    public void Begin() => world.Schedule.After(_prng.Below(world.Plan.ThinkMicros) + 1, Next);

    /// <summary>From now on: one write and one read of each key, until they succeed, and then silence.</summary>
    public void Finish() => _finalKey = 0;

    private void Next()
    {
        if (Done) return;
        if (_finalKey >= world.Plan.Keys)
        {
            Done = true;
            return;
        }
        if (_target == 0 || _prng.Chance(0.1)) _target = 1 + (int)_prng.Below(world.NodeCount);
        int kind = _finalKey >= 0 ? (_finalRead ? RegisterModel.Read : RegisterModel.Write) : _prng.Chance(0.4) ? RegisterModel.Read : _prng.Chance(0.7) ? RegisterModel.Write : RegisterModel.CompareAndSet;
        int key = _finalKey >= 0 ? _finalKey : (int)_prng.Below(world.Plan.Keys);
        long value = kind == RegisterModel.Write ? world.NextValue() : _lastSeen;
        long newValue = kind == RegisterModel.CompareAndSet ? world.NextValue() : 0;
        Ask(new Operation { Client = Identity, Key = key, Kind = kind, Input = value, Input2 = newValue, Called = world.NextOrder() });
    }

    private long _lastSeen;

    private void Ask(Operation operation)
    {
        long asking = ++_asking;
        bool read = operation.Kind == RegisterModel.Read;
        var request = new CoreRequest
        {
            Kind = read ? RequestKind.Read : RequestKind.Command,
            Command = new RegisterCommand(operation.Called, operation.Kind, (int)operation.Key, operation.Input, operation.Input2),
            Answered = (reply, value) => world.Schedule.After(30 + _prng.Below(100), () => Answered(asking, operation, reply, value)),
        };
        int target = _target;
        world.Schedule.After(30 + _prng.Below(100), () => world.NodeAt(target)?.Ask(request));
        world.Schedule.After(PatienceMicros, () => GiveUp(asking, operation));
    }

    private void Answered(long asking, Operation operation, Reply reply, long value)
    {
        if (asking != _asking) return;
        _asking++;
        if (reply == Reply.Refused)
        {
            // The leader, when one is known, is a good guess; any other node keeps it from being the only one that is asked.
            _target = world.Leader() is { } leader && _prng.Chance(0.7) ? leader.Number : 1 + (int)_prng.Below(world.NodeCount);
            Again();
            return;
        }
        operation.Output = value;
        operation.Returned = world.NextOrder();
        world.Record(operation);
        if (operation.Kind == RegisterModel.Read) _lastSeen = value;
        Advance();
        Again();
    }

    private void GiveUp(long asking, Operation operation)
    {
        if (asking != _asking) return;
        _asking++;
        world.Record(operation);
        _lives++;
        _target = 0;
        Again();
    }

    private void Advance()
    {
        if (_finalKey < 0) return;
        if (_finalRead) _finalKey++;
        _finalRead = !_finalRead;
    }

    private void Again() => world.Schedule.After(1 + _prng.Below(world.Plan.ThinkMicros), Next);
}
