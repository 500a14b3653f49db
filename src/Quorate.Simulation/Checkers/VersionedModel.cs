namespace Quorate.Simulation.Checkers;

/// <summary>A znode's data with its version, as setData and getData show it: each successful write adds one to the version, a conditional one only fits its version.</summary>
public sealed class VersionedModel : ISequentialModel
{
    /// <summary>Read: Output value, Output2 version. Write: Input value, Input2 expected version or -1; Output 1 or 0 (bad version), Output2 the new version.</summary>
    public const int Read = 0, Write = 1;

    public (long A, long B) Initial => default;

    public bool Step((long A, long B) state, Operation operation, out (long A, long B) next)
    {
        next = state;
        if (operation.Kind == Read) return operation.Unknown || (operation.Output == state.A && operation.Output2 == state.B);
        bool fits = operation.Input2 < 0 || operation.Input2 == state.B;
        if (fits) next = (operation.Input, state.B + 1);
        if (operation.Unknown) return true;
        return fits ? operation.Output == 1 && operation.Output2 == state.B + 1 : operation.Output == 0;
    }

    public bool MayLeaveOut(Operation unknown, List<Operation> history) => unknown.Kind == Read;
}
