namespace Quorate.Style;

public class FenceTests
{
    [Fact]
    public void Nothing_outside_doors_and_shells_knows_time_chance_threads_or_hash_order() => Verdict.None(Fence.Judge(House.Sources("src")));

    [Theory]
    [InlineData("long X() => DateTime.UtcNow.Ticks;", "DateTime")]
    [InlineData("long X() => System.Diagnostics.Stopwatch.GetTimestamp();", "Stopwatch")]
    [InlineData("long X() => Environment.TickCount64;", "Environment.TickCount64")]
    [InlineData("int X() => new Random(1).Next();", "Random")]
    [InlineData("Random X() { Random r = new(7); return r; }", "Random")]
    [InlineData("Guid X() => Guid.NewGuid();", "Guid.NewGuid")]
    [InlineData("async void X() { await System.Threading.Tasks.Task.Yield(); }", "await")]
    [InlineData("void X() { lock (this) { } }", "lock")]
    [InlineData("int _x; void X() { System.Threading.Interlocked.Increment(ref _x); }", "Interlocked")]
    [InlineData("volatile int _x; int X() => _x;", "volatile")]
    [InlineData("void X() { new Thread(() => { }).Start(); }", "Thread")]
    [InlineData("static int s_x; int X() => s_x++;", "static mutable state")]
    [InlineData("static readonly List<int> s_x = []; int X() => s_x.Count;", "static mutable state")]
    [InlineData("static int X { get; set; }", "static mutable state")]
    [InlineData("byte[] X() => System.Buffers.ArrayPool<byte>.Shared.Rent(1);", "ArrayPool.Shared")]
    [InlineData("int X(string s) => s.GetHashCode();", "string.GetHashCode")]
    [InlineData("int X() => HashCode.Combine(1, 2);", "HashCode")]
    [InlineData("int X(Dictionary<int, int> d) { int n = 0; foreach (var p in d) n += p.Value; return n; }", "hash container")]
    [InlineData("int X(Dictionary<int, int> d) { int n = 0; foreach (var (k, v) in d) n += v; return n; }", "hash container")]
    [InlineData("int X(Dictionary<int, int> d) { int n = 0; foreach (int v in d.Values) n += v; return n; }", "hash container")]
    [InlineData("int X(HashSet<int> d) => d.First();", "hash container")]
    [InlineData("int X(HashSet<int> d) => d.OrderBy(v => v).First();", "hash container")]
    [InlineData("List<int> X(HashSet<int> d) => new(d);", "hash container")]
    [InlineData("int[] X(HashSet<int> d) => [.. d];", "hash container")]
    [InlineData("string X() => File.ReadAllText(\"x\");", "File")]
    [InlineData("int X() => NoSuchThing.Value;", "the fence cannot see")]
    public void Each_way_over_the_fence_is_seen(string member, string what)
    {
        var breaches = Fence.Judge([new Source("src/Quorate.Protocols/Raft/Snippet.cs", "namespace Quorate.Protocols.Raft;\npublic class Snippet\n{\n    " + member + "\n}\n")]);
        Assert.Contains(breaches, b => b.What.Contains(what, StringComparison.Ordinal));
        Assert.All(breaches, b => Assert.StartsWith("src/Quorate.Protocols/Raft/Snippet.cs:4", b.Where));
    }

    [Theory]
    [InlineData("src/Quorate.Storage/Doors/Snippet.cs")]
    [InlineData("src/Quorate/Shell/Snippet.cs")]
    [InlineData("src/Quorate.Cli/Snippet.cs")]
    public void Doors_shells_and_the_command_line_are_outside(string name) =>
        Assert.Empty(Fence.Judge([new Source(name, "class Snippet { long X() => DateTime.UtcNow.Ticks; }")]));

    [Fact]
    public void Lookups_and_sorted_walks_pass() =>
        Assert.Empty(Fence.Judge([new Source("src/Quorate.Kernel/Snippet.cs", """
            namespace Quorate.Kernel;
            class Snippet
            {
                private static readonly int[] s_table = [1, 2];
                private const int Size = 3;
                private readonly Dictionary<string, int> _rows = [];
                int X(string key) => _rows.TryGetValue(key, out int row) ? row + _rows.Count + Size + s_table[0] : 0;
                int Z(string key) => _rows.GetValueOrDefault(key);
                int Y(SortedDictionary<int, int> rows) { int n = 0; foreach (var row in rows) n += row.Value; return n; }
            }
            """)]));
}
