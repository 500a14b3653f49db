using System.Runtime.CompilerServices;

namespace Quorate.Protocols.Tests.Raft;

/// <summary>The schedules of raft.md §25, as far as a core alone can play them. QUORATE_REWRITE=1 writes the transcripts anew; read them before they are committed.</summary>
public class RaftScenarioTests
{
    public static TheoryData<string> Names => new(Directory.GetFiles(Folder(), "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Names))]
    public void Plays_as_written(string name)
    {
        string file = Path.Combine(Folder(), name + ".txt"), written = File.ReadAllText(file);
        string played = RaftStage.Play(written);
        if (Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1") File.WriteAllText(file, played);
        else Assert.Equal(written, played);
        Assert.DoesNotContain("BROKEN", played, StringComparison.Ordinal);
    }

    /// <summary>Throws what breaks it.</summary>
    internal static void PlayWhole(string name)
    {
        string played = RaftStage.Play(File.ReadAllText(Path.Combine(Folder(), name + ".txt")));
        if (played.IndexOf("BROKEN: ", StringComparison.Ordinal) is var at and >= 0) throw new InvalidOperationException(played[at..].Split('\n')[0]);
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Scenarios");
}
