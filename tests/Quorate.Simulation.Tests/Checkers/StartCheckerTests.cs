using Quorate.Simulation.Checkers;
using Quorate.Simulation.Faults;
using Quorate.Storage;

namespace Quorate.Simulation.Tests.Checkers;

/// <summary>What a start may find by what was done to its disk: each promise is seen to fail.</summary>
public class StartCheckerTests
{
    private static readonly IReadOnlyList<StorageDamage> None = [], One = [new StorageDamage("0000000000000001.segment", 4096, 0, 7, 7, "entries 7 to 7 of term 1 are damaged")];

    private static void Breaks(string promise, Action act) => Assert.Equal(promise, Assert.Throws<BreachException>(act).Promise);

    [Theory]
    [InlineData(Harm.None, true)]
    [InlineData(Harm.OneCopy, true)]
    [InlineData(Harm.Entries, true)]
    [InlineData(Harm.Headers, false)]
    [InlineData(Harm.Identity, false)]
    [InlineData(Harm.Disk, true)]
    public void Only_what_may_be_lost_for_good_is_a_reason_to_refuse(Harm harm, bool breaks)
    {
        if (breaks) Breaks("RefusesOnlyDamage", () => StartChecker.Refused("n1", harm, "both slots are bad"));
        else StartChecker.Refused("n1", harm, "both slots are bad");
    }

    [Theory]
    [InlineData(Harm.None, true)]
    [InlineData(Harm.OneCopy, true)]
    [InlineData(Harm.Entries, false)]
    [InlineData(Harm.Headers, false)]
    public void A_disk_that_lost_nothing_shows_no_damage(Harm harm, bool breaks)
    {
        StartChecker.Started("n1", harm, None, fresh: false, full: false);
        if (breaks) Breaks("DamageIsNamed", () => StartChecker.Started("n1", harm, One, fresh: false, full: false));
        else StartChecker.Started("n1", harm, One, fresh: false, full: false);
    }

    [Theory]
    [InlineData(Harm.None, true)]
    [InlineData(Harm.OneCopy, true)]
    [InlineData(Harm.Entries, true)]
    [InlineData(Harm.Headers, false)]
    [InlineData(Harm.Disk, false)]
    public void A_member_comes_back_as_itself(Harm harm, bool breaks)
    {
        foreach (bool full in (bool[])[false, true])
        {
            if (breaks) Breaks("DirectoryKept", () => StartChecker.Started("n1", harm, None, fresh: true, full));
            else StartChecker.Started("n1", harm, None, fresh: true, full);
        }
    }
}
