using Quorate.Simulation;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §6.1: the first start, cut short at every operation.</summary>
public class Section6Birth
{
    [Fact]
    public void A_first_start_that_is_cut_short_anywhere_is_one_directory_or_none_and_a_run_is_never_used_twice()
    {
        for (int after = 0; after < 60; after++)
        {
            var g = new Ground(StorageLevel.Disk, simulated: true, seed: (ulong)after + 1);
            ulong directory = 0, run = 0;
            for (int again = 0; again < 3; again++)
            {
                g.Sim!.CrashAfter(again < 2 ? after : long.MaxValue);
                try
                {
                    g.Open();
                    if (directory != 0) Assert.Equal(directory, g.Store.Identity.Directory); // it was used once: it is for ever
                    directory = g.Store.Identity.Directory;
                    Assert.True(g.Store.Identity.Run > run, "a run was used twice");
                    run = g.Store.Identity.Run;
                }
                catch (SimCrash)
                {
                    Assert.True(again < 2);
                }
                if ((after + again) % 2 == 0) g.Sim.Crash();
                else g.Sim.Kill();
            }
            Assert.NotEqual(0ul, directory);
        }
    }
}
