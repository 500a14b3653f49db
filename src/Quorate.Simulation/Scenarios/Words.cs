using System.Globalization;

namespace Quorate.Simulation.Scenarios;

/// <summary>The file says something that the language does not know, or an expectation was not met: the play ends here.</summary>
public sealed class ScenarioException(string message) : Exception(message);

/// <summary>One command, as words. Quotes keep blanks together; <c>key=value</c> may stand anywhere and is no word.</summary>
internal sealed class Words
{
    private readonly List<string> _words = [];
    private readonly SortedDictionary<string, string> _settings = new(StringComparer.Ordinal);
    private int _at;

    public Words(string line)
    {
        Line = line;
        foreach (string word in Split(line))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && char.IsAsciiLetter(word[0])) _settings[word[..equals]] = word[(equals + 1)..];
            else _words.Add(word);
        }
    }

    public string Line { get; }

    public bool AtEnd => _at >= _words.Count;

    public string Peek => AtEnd ? "" : _words[_at];

    public string Next(string what = "a word") => AtEnd ? throw new ScenarioException($"{what} is missing: {Line}") : _words[_at++];

    /// <summary>Takes the next word when it is this one.</summary>
    public bool Take(string word)
    {
        if (Peek != word) return false;
        _at++;
        return true;
    }

    public List<string> Rest()
    {
        var rest = _words[_at..];
        _at = _words.Count;
        return rest;
    }

    public void End()
    {
        if (!AtEnd) throw new ScenarioException($"'{Peek}' is one word too many: {Line}");
    }

    public string? Setting(string key) => _settings.GetValueOrDefault(key);

    public long Micros(string what = "a time") => MicrosOf(Next(what));

    /// <summary>500ms, 10s, 40us.</summary>
    public static long MicrosOf(string text) => Measured(text, ("ms", 1_000), ("us", 1), ("s", 1_000_000));

    /// <summary>20KiB, 1MiB, 512.</summary>
    public static long BytesOf(string text) => Measured(text, ("KiB", 1024), ("MiB", 1024 * 1024), ("", 1));

    private static long Measured(string text, params ReadOnlySpan<(string Unit, long Factor)> units)
    {
        foreach (var (unit, factor) in units)
            if (text.EndsWith(unit, StringComparison.Ordinal) && long.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
                return number * factor;
        throw new ScenarioException($"'{text}' is no measure");
    }

    private static IEnumerable<string> Split(string line)
    {
        int at = 0;
        while (at < line.Length)
        {
            if (line[at] == ' ')
            {
                at++;
                continue;
            }
            char end = line[at] switch { '"' => '"', '{' => '}', _ => ' ' };
            int from = end == '"' ? at + 1 : at, to = line.IndexOf(end, at + 1);
            if (to < 0) to = line.Length;
            if (end == '}') to = Math.Min(line.Length, to + 1);
            yield return line[from..to];
            at = to + (end == '"' ? 1 : 0);
        }
    }
}
