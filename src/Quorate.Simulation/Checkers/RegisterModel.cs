namespace Quorate.Simulation.Checkers;

/// <summary>A register with compare-and-set; every value that is ever written is written once in the whole world, so that a read names its write.</summary>
public sealed class RegisterModel : ISequentialModel
{
    public const int Read = 0, Write = 1, CompareAndSet = 2;

    public (long A, long B) Initial => default;

    public bool Step((long A, long B) state, Operation operation, out (long A, long B) next)
    {
        next = state;
        switch (operation.Kind)
        {
            case Read:
                return operation.Unknown || operation.Output == state.A;
            case Write:
                next = (operation.Input, 0);
                return true;
            default:
                bool fits = state.A == operation.Input;
                if (fits) next = (operation.Input2, 0);
                return operation.Unknown || operation.Output == (fits ? 1 : 0);
        }
    }

    public bool MayLeaveOut(Operation unknown, List<Operation> history)
    {
        if (unknown.Kind == Read) return true;
        long value = unknown.Kind == Write ? unknown.Input : unknown.Input2;
        foreach (var o in history)
        {
            if (o.Kind == Read && !o.Unknown && o.Output == value) return false;
            if (o.Kind == CompareAndSet && o.Input == value) return false;
        }
        return true;
    }
}
