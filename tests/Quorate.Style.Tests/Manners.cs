using System.Text.RegularExpressions;

namespace Quorate.Style;

/// <summary>What a reader of any file may rely on (DESIGN §9).</summary>
public static partial class Manners
{
    public const int MaxLines = 600;

    /// <summary>Files that may be longer, and why.</summary>
    private static readonly (string File, string Why)[] s_long =
    [
    ];

    public static IReadOnlyList<Breach> Judge(Source source)
    {
        var breaches = new List<Breach>();
        string[] lines = source.Text.Split('\n');
        if (lines.Length > MaxLines + 1 && !s_long.Any(l => l.File == source.Name)) breaches.Add(new Breach(source.Name, $"has {lines.Length - 1} lines, more than {MaxLines}"));
        for (int i = 0; i < lines.Length; i++)
        {
            var match = Unfinished().Match(lines[i]);
            if (match.Success) breaches.Add(new Breach($"{source.Name}:{i + 1}", "is not finished: " + match.Value));
        }
        foreach (Match match in EmptyCatch().Matches(source.Text))
            breaches.Add(new Breach($"{source.Name}:{source.Text.AsSpan(0, match.Index).Count('\n') + 1}", "swallows an exception"));
        foreach (Match match in EmptyName().Matches(source.Text)) breaches.Add(new Breach(source.Name, "a name that says nothing: " + match.Groups[1].Value));
        return breaches;
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException|\[(Fact|Theory)\(Skip\s*=")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"catch\s*(\([^)]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"\b(?:class|struct|interface|record)\s+(\w*(?:Manager|Helper|Helpers|Util|Utils|Utility|Utilities))\b")]
    private static partial Regex EmptyName();
}

public class MannersTests
{
    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    [InlineData("bench")]
    public void Files_are_short_finished_and_well_named(string folder) =>
        Verdict.None([.. House.Sources(folder).Where(s => !s.Name.StartsWith("tests/Quorate.Style.Tests/", StringComparison.Ordinal)).SelectMany(Manners.Judge)]);

    [Theory]
    [InlineData("// TODO: later", "is not finished")]
    [InlineData("throw new NotImplementedException();", "is not finished")]
    [InlineData("[Fact(Skip = \"slow\")]", "is not finished")]
    [InlineData("try { X(); } catch (Exception) { }", "swallows")]
    [InlineData("public sealed class SocketHelper", "says nothing")]
    public void Each_lapse_is_seen(string line, string what) => Assert.Contains(what, Assert.Single(Manners.Judge(new Source("src/Snippet.cs", "namespace X;\n" + line + "\n"))).What, StringComparison.Ordinal);

    [Fact]
    public void A_long_file_is_seen()
    {
        Assert.Single(Manners.Judge(new Source("src/Snippet.cs", new string('\n', Manners.MaxLines + 1))));
        Assert.Empty(Manners.Judge(new Source("src/Snippet.cs", new string('\n', Manners.MaxLines))));
    }
}
