using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Style;

/// <summary>One protocol is one folder that can be read alone (DESIGN §2).</summary>
public static class Rooms
{
    private const string Protocols = "Quorate.Protocols.";

    /// <summary>Whom a protocol's folder may use beside itself.</summary>
    private static bool MayUse(string folder, string other) =>
        other == folder || other == "Quorums" || (other == "Paxos" && folder is "MultiPaxos" or "CasPaxos");

    /// <summary>A file of one protocol that names another's namespace.</summary>
    public static IReadOnlyList<Breach> JudgeNeighbours(IEnumerable<Source> sources)
    {
        var breaches = new List<Breach>();
        foreach (var source in sources)
        {
            if (source.Folders is not ["src", "Quorate.Protocols", var folder, ..]) continue;
            var root = CSharpSyntaxTree.ParseText(source.Text).GetRoot();
            foreach (var node in root.DescendantNodes())
            {
                if (node is not (QualifiedNameSyntax or MemberAccessExpressionSyntax)) continue;
                string text = node.ToString();
                if (!text.StartsWith(Protocols, StringComparison.Ordinal)) continue;
                string other = text[Protocols.Length..].Split('.', '<', '(')[0];
                if (node.Parent is BaseNamespaceDeclarationSyntax) continue;
                if (!MayUse(folder, other)) breaches.Add(new Breach(source.Name, "uses the protocol " + other));
            }
            var space = root.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>().FirstOrDefault();
            if (space is not null && space.Name.ToString() != Protocols + folder) breaches.Add(new Breach(source.Name, "stands in " + folder + "/ but in the namespace " + space.Name));
        }
        return [.. breaches.Distinct()];
    }

    /// <summary>Protocol folders without a README.</summary>
    public static IReadOnlyList<Breach> JudgeReadmes(IEnumerable<string> folders, Func<string, bool> exists) =>
        [.. folders.Where(f => !exists(f + "/README.md")).Select(f => new Breach(f, "has no README.md"))];
}

public class RoomTests
{
    [Fact]
    public void No_protocol_uses_another() => Verdict.None(Rooms.JudgeNeighbours(House.Sources("src")));

    [Fact]
    public void Every_protocol_opens_with_a_README()
    {
        var folders = House.Sources("src").Where(s => s.Folders is ["src", "Quorate.Protocols", _, ..]).Select(s => string.Join('/', s.Folders[..3])).Distinct();
        Verdict.None(Rooms.JudgeReadmes(folders, f => File.Exists(House.PathOf(f))));
    }

    [Theory]
    [InlineData("using Quorate.Protocols.Zab;\nnamespace Quorate.Protocols.Raft;\nclass Snippet;")]
    [InlineData("namespace Quorate.Protocols.Raft;\nclass Snippet { object X() => new Quorate.Protocols.Zab.ZabCore(); }")]
    [InlineData("namespace Quorate.Protocols.Raft;\nclass Snippet { object X() => Quorate.Protocols.Paxos.Rule.First; }")]
    [InlineData("namespace Quorate.Protocols.Zab;\nclass Snippet;")]
    public void A_protocol_that_leans_on_another_is_seen(string text) => Assert.Single(Rooms.JudgeNeighbours([new Source("src/Quorate.Protocols/Raft/Snippet.cs", text)]));

    [Theory]
    [InlineData("Raft", "Quorums")]
    [InlineData("MultiPaxos", "Paxos")]
    public void What_the_design_lets_through_passes(string folder, string other) =>
        Assert.Empty(Rooms.JudgeNeighbours([new Source($"src/Quorate.Protocols/{folder}/Snippet.cs", $"using Quorate.Protocols.{other};\nnamespace Quorate.Protocols.{folder};\nclass Snippet;")]));

    [Fact]
    public void A_folder_without_a_README_is_seen() => Assert.Single(Rooms.JudgeReadmes(["src/Quorate.Protocols/Raft"], _ => false));
}
