namespace Quorate.Simulation;

/// <summary>A promise that a world saw broken, by its name. Ends the world.</summary>
public sealed class BreachException(string promise, string detail) : Exception($"{promise}: {detail}")
{
    public string Promise { get; } = promise;
}
