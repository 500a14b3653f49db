using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Quorate.Kernel;

namespace Quorate.Style;

/// <summary>docs/limits.md is made from Limits.cs: each constant with its number and what its comment says. QUORATE_REWRITE=1 writes the page anew.</summary>
public static partial class LimitsPage
{
    public static string Make(string source)
    {
        var page = new StringBuilder("# Limits\n\nMade from `src/Quorate.Kernel/Limits.cs` by a test (`QUORATE_REWRITE=1 dotnet test tests/Quorate.Style.Tests` writes it anew). Those that a setting may change are its defaults.\n\n| limit | value | what it bounds |\n|---|---:|---|\n");
        foreach (Match match in Constant().Matches(source))
        {
            string name = match.Groups["name"].Value;
            var field = typeof(Limits).GetField(name, BindingFlags.Public | BindingFlags.Static) ?? throw new InvalidOperationException("Limits." + name + " is not there");
            long value = Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture);
            page.Append("| ").Append(name).Append(" | ").Append(value.ToString("#,0", CultureInfo.InvariantCulture)).Append(" | ").Append(match.Groups["why"].Value.Trim()).Append(" |\n");
        }
        return page.ToString();
    }

    [GeneratedRegex(@"/// <summary>(?<why>(?:(?!</summary>).)*)</summary>\s*public const \w+ (?<name>\w+)", RegexOptions.Singleline)]
    private static partial Regex Constant();
}

public class LimitsPageTests
{
    private static string Source => File.ReadAllText(House.PathOf("src", "Quorate.Kernel", "Limits.cs"));

    [Fact]
    public void The_page_of_limits_is_what_the_source_says()
    {
        string path = House.PathOf("docs", "limits.md"), page = LimitsPage.Make(Source);
        if (Environment.GetEnvironmentVariable("QUORATE_REWRITE") == "1") File.WriteAllText(path, page);
        Assert.Equal(page, File.Exists(path) ? File.ReadAllText(path) : "");
    }

    [Fact]
    public void Every_limit_is_named_with_its_reason()
    {
        string page = LimitsPage.Make(Source);
        foreach (var field in typeof(Limits).GetFields(BindingFlags.Public | BindingFlags.Static)) Assert.Contains("| " + field.Name + " |", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_number_is_seen() => Assert.NotEqual(LimitsPage.Make(Source), LimitsPage.Make(Source).Replace("4,194,304", "4,194,305", StringComparison.Ordinal));
}
