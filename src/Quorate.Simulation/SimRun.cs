using Quorate.Simulation.Core;
using Quorate.Simulation.Served;

namespace Quorate.Simulation;

/// <summary>One seed, one world, one outcome: pure. Whoever wants many runs one a core.</summary>
public static class SimRun
{
    public static SimOutcome Run(ulong seed, SimOptions options)
    {
#if MUTANTS
        Mutants.Planted = options.Mutant;
#endif
        return options.World == WorldKind.Core ? RunCore(seed, options) : RunServed(seed, options);
    }

    private static SimOutcome RunCore(ulong seed, SimOptions options)
    {
        var world = new CoreWorld(seed, options);
        var (broken, detail) = Watch(world.Run);
        return new SimOutcome(seed, world.Trace.Hash, broken, detail, world.Schedule.NowMicros, world.Schedule.Steps, world.Operations, world.Undecided, world.Faults);
    }

    private static SimOutcome RunServed(ulong seed, SimOptions options)
    {
        var world = new ServedWorld(seed, options);
        var (broken, detail) = Watch(world.Run);
        return new SimOutcome(seed, world.Trace.Hash, broken, detail, world.Schedule.NowMicros, world.Schedule.Steps, world.Operations, world.Undecided, world.Faults);
    }

    /// <summary>What a world's end was: all well, or a promise by its name.</summary>
    private static (string? Broken, string Detail) Watch(Action world)
    {
        try
        {
            world();
            return (null, "");
        }
        catch (BreachException e)
        {
            return (e.Promise, e.Message);
        }
        catch (InvariantException e)
        {
            return (e.Name, e.Message);
        }
#pragma warning disable CA1031 // Whatever the code under test throws ends this world and is its outcome: a member would have stopped.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return ("NothingThrows", e.ToString());
        }
    }
}
