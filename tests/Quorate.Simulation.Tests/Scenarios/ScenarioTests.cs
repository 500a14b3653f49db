using System.Runtime.CompilerServices;
using Quorate.Simulation.Scenarios;

namespace Quorate.Simulation.Tests.Scenarios;

/// <summary>The schedules that storage.md and sessions.md name, for whole members. QUORATE_REWRITE=1 writes the transcripts anew; read them before they are committed.</summary>
public class ScenarioTests
{
    public static TheoryData<string> Names => new(Directory.GetFiles(Folder(), "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Names))]
    public void Plays_as_written(string name)
    {
        string file = Path.Combine(Folder(), name + ".txt"), written = File.ReadAllText(file);
        var (played, broken) = Scenario.Play(written);
        if (Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1") File.WriteAllText(file, played);
        else Assert.Equal(written, played);
        Assert.True(broken is null, broken);
    }

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
