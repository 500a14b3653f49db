namespace Quorate.Storage.Tests;

/// <summary>Thousands of random lives (<see cref="ModelWorld"/>). QUORATE_STORAGE_SEEDS=FROM..TO runs others.</summary>
public class ModelTests
{
    [Fact]
    public void Nothing_durable_is_lost_no_vote_forgotten_no_damage_guessed_and_no_innocent_refused()
    {
        var range = (Environment.GetEnvironmentVariable("QUORATE_STORAGE_SEEDS") ?? "0..300").Split("..");
        int recoveries = 0, flips = 0, marks = 0, unknown = 0, full = 0, failures = 0, installs = 0, adoptions = 0, fetched = 0;
        for (ulong seed = ulong.Parse(range[0]); seed < ulong.Parse(range[1]); seed++)
        {
            var world = new ModelWorld(seed);
            try
            {
                world.Run(lives: 8);
            }
            catch (Exception e)
            {
                var again = new ModelWorld(seed, tell: true);
                try
                {
                    again.Run(lives: 8);
                }
                catch (Exception)
                {
                    Assert.Fail($"{world}: {e.Message}\n{string.Join('\n', again.Story.TakeLast(150))}\n{e}");
                }
                Assert.Fail($"{world}: not the same twice: {e}");
            }
            recoveries += world.Recoveries;
            flips += world.Flips;
            marks += world.Marks;
            unknown += world.Unknown;
            full += world.FullDisks;
            failures += world.Failures;
            installs += world.Installs;
            adoptions += world.Adoptions;
            fetched += world.Fetched;
        }
        string seen = $"{recoveries} recoveries, {flips} flips, {marks} marks, {unknown} losses of unknown content, {full} full disks, {failures} failing operations, {installs} installed snapshots, {adoptions} adopted runs, {fetched} fetched entries";
        Console.WriteLine(seen);
        if (range[0] == "0" && range[1] == "300") Assert.True(recoveries > 2000 && flips > 500 && marks > 100 && unknown > 50 && full > 400 && failures > 150 && installs > 300 && adoptions > 150 && fetched > 50_000, $"{seen}: the worlds are too tame");
    }
}
