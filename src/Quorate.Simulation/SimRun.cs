using Quorate.Simulation.Core;

namespace Quorate.Simulation;

/// <summary>One seed, one world, one outcome: pure. Whoever wants many runs one a core.</summary>
public static class SimRun
{
    public static SimOutcome Run(ulong seed, SimOptions options)
    {
#if MUTANTS
        Mutants.Planted = options.Mutant;
#endif
        var world = new CoreWorld(seed, options);
        string? broken = null;
        string detail = "";
        try
        {
            world.Run();
        }
        catch (BreachException e)
        {
            (broken, detail) = (e.Promise, e.Message);
        }
        catch (InvariantException e)
        {
            (broken, detail) = (e.Name, e.Message);
        }
#pragma warning disable CA1031 // Whatever the code under test throws ends this world and is its outcome: a member would have stopped.
        catch (Exception e)
#pragma warning restore CA1031
        {
            (broken, detail) = ("NothingThrows", e.ToString());
        }
        return new SimOutcome(seed, world.Trace.Hash, broken, detail, world.Schedule.NowMicros, world.Schedule.Steps, world.Operations, world.Undecided, world.Faults);
    }
}
