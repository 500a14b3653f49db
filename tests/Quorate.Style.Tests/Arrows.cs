using System.Xml.Linq;

namespace Quorate.Style;

/// <summary>Who may know whom (DESIGN §2). A project may reference what is named here and nothing else of ours; what it reaches through those it may use.</summary>
public static class Arrows
{
    private static readonly SortedDictionary<string, string[]> s_mayReference = new(StringComparer.Ordinal)
    {
        ["Quorate.Kernel"] = [],
        ["Quorate.Protocols"] = ["Quorate.Kernel"],
        ["Quorate.Primitives"] = ["Quorate.Kernel"],
        ["Quorate.Storage"] = ["Quorate.Kernel"],
        ["Quorate.Transport"] = ["Quorate.Kernel"],
        ["Quorate.Runtime"] = ["Quorate.Kernel", "Quorate.Protocols", "Quorate.Primitives", "Quorate.Storage", "Quorate.Transport"],
        ["Quorate.ZooKeeper"] = ["Quorate.Runtime"],
        ["Quorate.Client"] = ["Quorate.Runtime"],
        ["Quorate"] = ["Quorate.ZooKeeper", "Quorate.Client"],
        ["Quorate.Simulation"] = ["Quorate.ZooKeeper", "Quorate.Client"],
        ["Quorate.Cli"] = ["Quorate", "Quorate.Simulation"],
    };

    /// <summary>Rooms below the command line take no package: the framework only.</summary>
    private static readonly string[] s_mayUsePackages = ["Quorate.Cli"];

    public static IReadOnlyList<Breach> Judge(IEnumerable<(string Project, string Xml)> projects)
    {
        var breaches = new List<Breach>();
        foreach (var (project, xml) in projects)
        {
            if (!s_mayReference.TryGetValue(project, out string[]? allowed))
            {
                breaches.Add(new Breach(project, "is no room of DESIGN §2"));
                continue;
            }
            var document = XDocument.Parse(xml);
            foreach (string name in Includes(document, "ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Replace('\\', '/'))))
                if (!allowed.Contains(name)) breaches.Add(new Breach(project, "may not know " + name));
            if (!s_mayUsePackages.Contains(project))
                foreach (string name in Includes(document, "PackageReference"))
                    breaches.Add(new Breach(project, "may not use the package " + name));
        }
        return breaches;
    }

    /// <summary>All the projects of src/.</summary>
    public static IEnumerable<(string Project, string Xml)> Projects() =>
        Directory.EnumerateFiles(House.PathOf("src"), "*.csproj", SearchOption.AllDirectories)
            .Select(p => (Path.GetFileNameWithoutExtension(p), File.ReadAllText(p)))
            .OrderBy(p => p.Item1, StringComparer.Ordinal);

    private static IEnumerable<string> Includes(XDocument document, string element) =>
        document.Descendants(element).Select(e => (string?)e.Attribute("Include")).OfType<string>();
}

public class ArrowTests
{
    [Fact]
    public void Projects_know_only_whom_the_design_lets_them_know() => Verdict.None(Arrows.Judge(Arrows.Projects()));

    [Fact]
    public void A_protocol_that_knows_the_storage_is_seen()
    {
        var breach = Assert.Single(Arrows.Judge([("Quorate.Protocols", """
            <Project><ItemGroup><ProjectReference Include="../Quorate.Kernel/Quorate.Kernel.csproj" />
            <ProjectReference Include="..\Quorate.Storage\Quorate.Storage.csproj" /></ItemGroup></Project>
            """)]));
        Assert.Equal("Quorate.Protocols: may not know Quorate.Storage", breach.ToString());
    }

    [Fact]
    public void A_package_in_the_kernel_is_seen() =>
        Assert.Single(Arrows.Judge([("Quorate.Kernel", """<Project><ItemGroup><PackageReference Include="Newtonsoft.Json" /></ItemGroup></Project>""")]));

    [Fact]
    public void A_room_that_the_design_does_not_name_is_seen() => Assert.Single(Arrows.Judge([("Quorate.Utilities", "<Project />")]));
}
