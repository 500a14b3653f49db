using System.Globalization;
using System.Text;

namespace Quorate.Simulation.Scenarios;

/// <summary>
/// Plays a scenario file: commands at the margin, below each, indented, what came of it (what stood there is replaced), <c>#</c> begins a comment. The language stands in this folder's README.
/// A play is pure: the same text gives the same transcript. An expectation that is not met, a promise that breaks and a command that nobody knows end it; the rest of the script is kept.
/// </summary>
public static class Scenario
{
    /// <summary>The text with its transcript, and why the play ended before its end, or null.</summary>
    public static (string Text, string? Broken) Play(string script, Action<string>? trace = null)
    {
        var world = new ScriptedWorld(trace);
        var text = new StringBuilder();
        string? broken = null;
        foreach (string line in script.Split('\n'))
        {
            if (line.StartsWith(' ')) continue; // what came of it the last time
            string command = line.TrimEnd();
            text.Append(command).Append('\n');
            if (broken is not null || command.Length == 0 || command[0] == '#') continue;
            trace?.Invoke("> " + command);
            broken = Do(world, command);
            Tell(world.Said, text);
            world.Said.Clear();
            if (broken is not null) text.Append("  BROKEN: ").Append(broken.ReplaceLineEndings("\n  ")).Append('\n');
        }
        if (broken is null && !world.Judged) broken = "the file expects nothing";
        return (text.ToString().TrimEnd('\n') + "\n", broken);
    }

    /// <summary>Of many lines that begin with the same two words, but for their numbers, the first two and the last.</summary>
    private static void Tell(List<string> said, StringBuilder text)
    {
        for (int i = 0; i < said.Count;)
        {
            int end = i + 1;
            while (end < said.Count && Begin(said[end]) == Begin(said[i])) end++;
            int shown = end - i > 5 ? 2 : end - i;
            for (int k = i; k < i + shown; k++) text.Append("  ").Append(said[k]).Append('\n');
            if (shown < end - i) text.Append(CultureInfo.InvariantCulture, $"  ({end - i - 3} more)\n  {said[end - 1]}\n");
            i = end;
        }

        static string Begin(string line) => string.Concat(string.Join(' ', line.Split(' ').Take(2)).Where(c => !char.IsAsciiDigit(c)));
    }

    private static string? Do(ScriptedWorld world, string command)
    {
        try
        {
            world.Do(command);
            return null;
        }
        catch (ScenarioException e)
        {
            return e.Message;
        }
        catch (BreachException e)
        {
            return e.Message;
        }
        catch (InvariantException e)
        {
            return e.Message;
        }
#pragma warning disable CA1031 // Whatever the code under test throws ends this play and is its outcome: a member would have stopped.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return string.Create(CultureInfo.InvariantCulture, $"NothingThrows: {e}");
        }
    }
}
