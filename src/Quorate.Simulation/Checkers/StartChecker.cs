using Quorate.Simulation.Faults;
using Quorate.Storage;

namespace Quorate.Simulation.Checkers;

/// <summary>
/// What a start may find, by what was done to the disk below it, whatever was cut short before. RefusesOnlyDamage: no start is refused but for what may be lost for good. DamageIsNamed: a disk that nobody harmed, or of which one of two copies is left, shows no damage.
/// DirectoryKept: it comes back as itself unless content of unknown kind is gone.
/// </summary>
public static class StartChecker
{
    public static void Refused(string who, Harm harm, string why)
    {
        if (harm is not (Harm.Headers or Harm.Identity)) throw new BreachException("RefusesOnlyDamage", $"{who} ({harm}) refuses to start: {why}");
    }

    /// <param name="who">The member.</param>
    /// <param name="harm">What was done to its disk.</param>
    /// <param name="damage">What its recovery names.</param>
    /// <param name="fresh">It drew a new directory id.</param>
    /// <param name="full">Its disk had no room when it started.</param>
    public static void Started(string who, Harm harm, IReadOnlyList<StorageDamage> damage, bool fresh, bool full)
    {
        if (harm <= Harm.OneCopy && damage.Count > 0) throw new BreachException("DamageIsNamed", $"{who} ({harm}) finds damage: {damage[0]}");
        if (harm <= Harm.Entries && fresh) throw new BreachException("DirectoryKept", $"{who} ({harm}) draws a new directory id{(full ? " on a full disk" : "")}");
    }
}
