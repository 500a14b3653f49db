using System.Runtime.CompilerServices;
using Quorate.Simulation.Scenarios;

namespace Quorate.Simulation.Tests.Scenarios;

/// <summary>The schedules that storage.md and sessions.md name, for whole members. QUORATE_REWRITE=1 writes the transcripts anew; read them before they are committed.</summary>
public class ScenarioTests
{
    public static TheoryData<string> Names => new(Files());

    [Theory, MemberData(nameof(Names))]
    public void Plays_as_written(string name)
    {
        string file = Path.Combine(Folder(), name + ".txt"), written = File.ReadAllText(file);
        var (played, broken) = Scenario.Play(written);
        if (Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1") File.WriteAllText(file, played);
        else Assert.Equal(written, played);
        Assert.True(broken is null, broken);
    }

    /// <summary>Every file says in its first line which rule it keeps; the list of them stands in this folder's README.</summary>
    [Fact]
    public void The_list_of_rules_names_every_file()
    {
        var rows = new List<(string Rule, string Row)>();
        foreach (string name in Files())
        {
            string first = File.ReadLines(Path.Combine(Folder(), name + ".txt")).First();
            int colon = first.IndexOf(": ", StringComparison.Ordinal);
            Assert.True(first.StartsWith("# ", StringComparison.Ordinal) && colon > 0, $"{name}.txt does not begin with '# page.md §N: the sentence'");
            rows.Add((first[2..colon], $"| {first[2..colon]} | [{name}]({name}.txt) | {first[(colon + 2)..].Replace("|", "\\|", StringComparison.Ordinal)} |"));
        }
        string file = Path.Combine(Folder(), "README.md"), written = File.ReadAllText(file);
        int from = written.IndexOf("| rule |", StringComparison.Ordinal);
        string wanted = written[..from] + "| rule | file | what it keeps |\n|---|---|---|\n" + string.Concat(rows.OrderBy(r => r.Rule, StringComparer.Ordinal).Select(r => r.Row + "\n"));
        if (Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1") File.WriteAllText(file, wanted);
        else Assert.Equal(wanted, written);
    }

    private static IEnumerable<string> Files() => Directory.GetFiles(Folder(), "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
