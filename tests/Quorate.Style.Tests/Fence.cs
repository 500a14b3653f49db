using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Style;

/// <summary>
/// The fence (DESIGN §2): what a simulator could not re-run stands in folders named Doors/ or Shell/, or in Quorate.Cli, and nowhere else in src/.
/// It reads the sources with the compiler's own eyes, so that an alias, a `var` or a using does not hide anything; a name that it cannot resolve is a breach too, lest it be blind.
/// </summary>
public sealed class Fence
{
    /// <summary>Whole namespaces whose every member is a door to the world or to chance.</summary>
    private static readonly string[] s_namespaces =
    [
        "System.Threading", "System.Threading.Tasks", "System.Threading.Channels", "System.Threading.Tasks.Sources", "System.Timers", "System.Collections.Concurrent",
        "System.Net.Sockets", "System.Net.Http", "System.Net.Security", "System.IO.Pipes", "System.IO.Pipelines",
    ];

    private static readonly string[] s_types =
    [
        "System.DateTime", "System.DateTimeOffset", "System.TimeZoneInfo", "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.Diagnostics.Process", "System.Random", "System.HashCode",
        "System.Security.Cryptography.RandomNumberGenerator", "System.IO.File", "System.IO.FileStream", "System.IO.FileInfo", "System.IO.Directory", "System.IO.DirectoryInfo", "System.IO.RandomAccess",
        "System.Net.Dns", "System.Console", "System.Runtime.CompilerServices.RuntimeHelpers",
    ];

    private static readonly string[] s_members =
    [
        "System.Environment.TickCount", "System.Environment.TickCount64", "System.Environment.ProcessId", "System.Environment.MachineName", "System.Environment.GetEnvironmentVariable",
        "System.Environment.CurrentManagedThreadId", "System.Guid.NewGuid", "System.Guid.CreateVersion7", "System.Buffers.ArrayPool.Shared", "System.Buffers.MemoryPool.Shared", "string.GetHashCode",
    ];

    private static readonly string[] s_hashContainers =
    [
        "System.Collections.Generic.Dictionary", "System.Collections.Generic.HashSet", "System.Collections.Generic.Dictionary.KeyCollection", "System.Collections.Generic.Dictionary.ValueCollection",
        "System.Collections.Generic.IDictionary", "System.Collections.Generic.IReadOnlyDictionary", "System.Collections.Generic.ISet", "System.Collections.Generic.IReadOnlySet",
        "System.Collections.Frozen.FrozenDictionary", "System.Collections.Frozen.FrozenSet", "System.Collections.Immutable.ImmutableDictionary", "System.Collections.Immutable.ImmutableHashSet", "System.Collections.Hashtable",
    ];

    private static readonly string[] s_mutable =
    [
        "System.Collections.Generic.List", "System.Collections.Generic.Dictionary", "System.Collections.Generic.HashSet", "System.Collections.Generic.Queue", "System.Collections.Generic.Stack",
        "System.Collections.Generic.SortedDictionary", "System.Collections.Generic.SortedSet", "System.Text.StringBuilder", "Quorate.Kernel.ByteWriter", "Quorate.Kernel.PayloadChunks",
    ];

    /// <summary>Who may stand outside, and why. A file's name and the words of the breach that it is excused for.</summary>
    private static readonly (string File, string What, string Why)[] s_excused =
    [
    ];

    private readonly CSharpCompilation _compilation;
    private readonly List<Breach> _breaches = [];

    private Fence(CSharpCompilation compilation) => _compilation = compilation;

    public static bool IsFenced(string name) =>
        !name.StartsWith("src/Quorate.Cli/", StringComparison.Ordinal) && !name.Contains("/Doors/", StringComparison.Ordinal) && !name.Contains("/Shell/", StringComparison.Ordinal);

    /// <summary>Judges every fenced file among these sources; the others are only seen.</summary>
    public static IReadOnlyList<Breach> Judge(IEnumerable<Source> sources)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.None);
        var trees = sources.Select(s => CSharpSyntaxTree.ParseText(s.Text, options, s.Name)).ToList();
        trees.Add(CSharpSyntaxTree.ParseText(GlobalUsings, options, "GlobalUsings.cs"));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => !Path.GetFileName(p).StartsWith("Quorate", StringComparison.Ordinal))
            .Select(p => MetadataReference.CreateFromFile(p));
        var compilation = CSharpCompilation.Create("house", trees, references, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        var fence = new Fence(compilation);
        foreach (var tree in trees)
            if (tree.FilePath != "GlobalUsings.cs" && IsFenced(tree.FilePath)) fence.JudgeTree(tree);
        return [.. fence._breaches.Where(b => !s_excused.Any(e => b.Where.StartsWith(e.File, StringComparison.Ordinal) && b.What.Contains(e.What, StringComparison.Ordinal))).Distinct()];
    }

    private const string GlobalUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks; global using Quorate.Kernel;
        namespace Quorate.Kernel { }
        """;

    private void JudgeTree(SyntaxTree tree)
    {
        var model = _compilation.GetSemanticModel(tree);
        foreach (var diagnostic in model.GetDiagnostics())
            if (diagnostic.Id is "CS0103" or "CS0246" or "CS0234") Say(diagnostic.Location, "the fence cannot see: " + diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture));
        foreach (var node in tree.GetRoot().DescendantNodes())
        {
            JudgeKeyword(node);
            switch (node)
            {
                case SimpleNameSyntax name: JudgeSymbol(name, model.GetSymbolInfo(name).Symbol); break;
                case ImplicitObjectCreationExpressionSyntax created: JudgeSymbol(created, model.GetSymbolInfo(created).Symbol); break;
                case CommonForEachStatementSyntax loop: JudgeOrder(loop.Expression, model.GetTypeInfo(loop.Expression).Type); break;
                case SpreadElementSyntax spread: JudgeOrder(spread, model.GetTypeInfo(spread.Expression).Type); break;
            }
            if (node is ExpressionSyntax expression) JudgeConversion(expression, model);
        }
    }

    private void JudgeKeyword(SyntaxNode node)
    {
        switch (node)
        {
            case AwaitExpressionSyntax or LockStatementSyntax: Say(node.GetLocation(), node is LockStatementSyntax ? "lock" : "await"); break;
            case FieldDeclarationSyntax field when field.Modifiers.Any(SyntaxKind.VolatileKeyword): Say(node.GetLocation(), "volatile"); break;
            case MethodDeclarationSyntax { Modifiers: var m } when m.Any(SyntaxKind.AsyncKeyword): Say(node.GetLocation(), "async"); break;
            case FieldDeclarationSyntax field when field.Modifiers.Any(SyntaxKind.StaticKeyword) && !field.Modifiers.Any(SyntaxKind.ConstKeyword): JudgeStatic(field); break;
            case PropertyDeclarationSyntax { AccessorList: { } accessors } property when property.Modifiers.Any(SyntaxKind.StaticKeyword):
                if (accessors.Accessors.Any(a => a is { Body: null, ExpressionBody: null } && a.Keyword.IsKind(SyntaxKind.SetKeyword))) Say(node.GetLocation(), "static mutable state: " + property.Identifier.Text);
                break;
        }
    }

    private void JudgeStatic(FieldDeclarationSyntax field)
    {
        var model = _compilation.GetSemanticModel(field.SyntaxTree);
        string names = string.Join(", ", field.Declaration.Variables.Select(v => v.Identifier.Text));
        if (!field.Modifiers.Any(SyntaxKind.ReadOnlyKeyword) || s_mutable.Contains(NameOf(model.GetTypeInfo(field.Declaration.Type).Type))) Say(field.GetLocation(), "static mutable state: " + names);
    }

    private void JudgeSymbol(SyntaxNode node, ISymbol? symbol)
    {
        if (symbol is null or INamespaceSymbol) return;
        if (node.FirstAncestorOrSelf<UsingDirectiveSyntax>() is not null) return;
        var type = symbol as ITypeSymbol ?? symbol.ContainingType;
        for (var outer = type; outer is not null; outer = outer.ContainingType)
            if (s_types.Contains(NameOf(outer)) || outer.ContainingNamespace is { } space && s_namespaces.Contains(space.ToDisplayString()))
            {
                Say(node.GetLocation(), outer.Name + (symbol is ITypeSymbol ? "" : "." + symbol.Name));
                return;
            }
        if (symbol is not ITypeSymbol && type is not null)
        {
            string member = (type.SpecialType == SpecialType.System_String ? "string" : NameOf(type)) + "." + symbol.Name;
            if (s_members.Contains(member)) Say(node.GetLocation(), member);
            if (symbol.Name == "GetEnumerator") JudgeOrder(node, type);
            if (symbol is IMethodSymbol { ReducedFrom: not null } && node.Parent is MemberAccessExpressionSyntax access && type.Name == "Enumerable")
                JudgeOrder(node, _compilation.GetSemanticModel(node.SyntaxTree).GetTypeInfo(access.Expression).Type);
        }
    }

    /// <summary>A hash container that goes where only a sequence is wanted is about to be walked in its own order.</summary>
    private void JudgeConversion(ExpressionSyntax expression, SemanticModel model)
    {
        var info = model.GetTypeInfo(expression);
        if (info.Type is null || info.ConvertedType is null || SymbolEqualityComparer.Default.Equals(info.Type, info.ConvertedType)) return;
        if (NameOf(info.ConvertedType) is "System.Collections.Generic.IEnumerable" or "System.Collections.IEnumerable" or "System.Collections.Generic.ICollection" or "System.Collections.Generic.IReadOnlyCollection") JudgeOrder(expression, info.Type);
    }

    private void JudgeOrder(SyntaxNode node, ITypeSymbol? type)
    {
        if (type is not null && s_hashContainers.Contains(NameOf(type))) Say(node.GetLocation(), "walks a hash container in its own order: " + type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat));
    }

    /// <summary>Namespace and type without type arguments.</summary>
    private static string NameOf(ITypeSymbol? type)
    {
        if (type is null) return "";
        string name = type.Name;
        for (var outer = type.ContainingType; outer is not null; outer = outer.ContainingType) name = outer.Name + "." + name;
        return type.ContainingNamespace is { IsGlobalNamespace: false } space ? space.ToDisplayString() + "." + name : name;
    }

    private void Say(Location location, string what)
    {
        var span = location.GetLineSpan();
        _breaches.Add(new Breach($"{span.Path}:{span.StartLinePosition.Line + 1}", what));
    }
}
