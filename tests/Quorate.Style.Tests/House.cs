namespace Quorate.Style;

/// <summary>The checkout that these tests judge: its root, and the sources in it.</summary>
public static class House
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Every C# source below a folder of the checkout, with its path from the root, '/' between; what builds wrote is left out.</summary>
    public static IReadOnlyList<Source> Sources(string folder)
    {
        var found = new List<Source>();
        if (!Directory.Exists(PathOf(folder))) return found;
        foreach (string path in Directory.EnumerateFiles(PathOf(folder), "*.cs", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(Root, path).Replace('\\', '/');
            if (name.Contains("/obj/", StringComparison.Ordinal) || name.Contains("/bin/", StringComparison.Ordinal)) continue;
            found.Add(new Source(name, File.ReadAllText(path)));
        }
        found.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    private static string FindRoot()
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
            if (File.Exists(Path.Combine(at, "Quorate.slnx"))) return at;
        throw new InvalidOperationException("The tests do not stand in a checkout: no Quorate.slnx above " + AppContext.BaseDirectory);
    }
}

/// <summary>A file and its text.</summary>
public sealed record Source(string Name, string Text)
{
    public string[] Folders => Name.Split('/')[..^1];
}

/// <summary>A rule that is broken: where, and by what.</summary>
public sealed record Breach(string Where, string What)
{
    public override string ToString() => Where + ": " + What;
}

public static class Verdict
{
    /// <summary>Fails with every breach on a line of its own.</summary>
    public static void None(IReadOnlyCollection<Breach> breaches) =>
        Assert.True(breaches.Count == 0, string.Join('\n', breaches.Select(b => b.ToString()).Prepend("")));
}
