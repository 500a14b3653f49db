using System.Globalization;

namespace Quorate.Cli;

/// <summary>Log positions as an operator names them: 20,22-25.</summary>
internal static class LogIndexes
{
    /// <summary>More than a question to the voters may name, and what one line may hold.</summary>
    private const int Most = 100_000;

    /// <summary>Null when they are none; then with the reason.</summary>
    public static long[]? Parse(string text, out string reason)
    {
        var found = new List<long>();
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Trim().Split('-');
            if (ends.Length > 2 || !TryIndex(ends[0], out long first) || !TryIndex(ends[^1], out long last) || last < first)
            {
                reason = $"'{part}' is not allowed; indexes are numbers above 0 and ranges of them, as in 20,22-25";
                return null;
            }
            if (last - first >= Most - found.Count)
            {
                reason = string.Create(CultureInfo.InvariantCulture, $"more than {Most} are named");
                return null;
            }
            for (long i = first; i <= last; i++) found.Add(i);
        }
        reason = "";
        return [.. found];
    }

    private static bool TryIndex(string text, out long index) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index > 0;
}
