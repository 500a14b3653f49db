using System.Globalization;
using System.Text.RegularExpressions;
using Quorate.Simulation.Served;

namespace Quorate.Simulation.Scenarios;

/// <summary>Which of a member's notes stand in a transcript, and how: what an operator would read, without numbers that differ whenever a byte moves.</summary>
internal static class Spoken
{
    public static string? Of(ScriptedWorld world, SimMember member, int level, string text)
    {
        if (After(text, "serving clients:") is not null) return "serves";
        if (After(text, "leading: term ") is { } term) return $"leads term {term.Split(' ')[0]}";
        if (After(text, "no longer leading") is not null) return "leads no more";
        if (After(text, "session 0x") is { } expires && expires.EndsWith(" expires", StringComparison.Ordinal)) return $"lets {world.OwnerOf(Hex(expires[..^8]))}'s session expire";
        if (level == 1 && After(text, "configuration at ") is not null) return world.Leads(member) ? $"has the configuration {world.ConfigurationOf(member)}" : null;
        if (After(text, "installing a snapshot") is not null) return "installs a snapshot";
        if (After(text, "damaged entry brought back") is not null) return "gets a damaged entry back";
        if (level == 1 && text == "the journal has room again") return text;
        return level >= 2 ? Plain(text) : null;
    }

    /// <summary>Without ids, offsets and indexes.</summary>
    public static string Plain(string text)
    {
        text = Regex.Replace(text, "(0x)?[0-9a-f]{12,}", "…");
        return Regex.Replace(text, "(offset|index|indexes|at|batch|term|to) [0-9][0-9,]*", "$1 …");
    }

    private static string? After(string text, string start) => text.StartsWith(start, StringComparison.Ordinal) ? text[start.Length..] : null;

    private static long Hex(string digits) => long.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
