namespace Quorate.Interop.Tests.Conformance;

/// <summary>What one server answered in one row: steps in order, each a list of masked fields.</summary>
internal sealed class Transcript
{
    public List<Step> Steps { get; } = [];
    /// <summary>Expectations of §7 that did not hold.</summary>
    public List<string> Broken { get; } = [];

    public override string ToString() => string.Join('\n', Steps.Select(s => s.Label + ": " + string.Join(' ', s.Fields.Select(f => f.Key + "=" + f.Value))));

    /// <summary>Every field in which two servers differ and that the table does not explain, and every entry of the table that is not seen.</summary>
    public static List<string> Compare(string row, Transcript zookeeper, Transcript quorate)
    {
        var wrong = new List<string>();
        var table = ExpectedDifferences.Of(row);
        var seen = new HashSet<ExpectedDifference>();
        var (z, q) = (zookeeper.Flat(), quorate.Flat());
        foreach (var key in z.Keys.Union(q.Keys))
        {
            var (a, b) = (z.GetValueOrDefault(key, "absent"), q.GetValueOrDefault(key, "absent"));
            if (a == b) continue;
            var d = table.FirstOrDefault(t => t.Covers(key));
            if (d is { IsWide: true }) seen.Add(d);
            else if (d is null) wrong.Add($"{key}: ZooKeeper 3.8.0 says {a}, Quorate says {b}");
            else if (d.ZooKeeper != a || d.Quorate != b) wrong.Add($"{key}: the table expects {d.ZooKeeper} and {d.Quorate}; ZooKeeper says {a}, Quorate says {b}");
            else seen.Add(d);
        }
        foreach (var d in table.Where(d => !seen.Contains(d))) wrong.Add($"{d.Field}: the table's difference ({d.Issue}) is not there any more");
        var (zs, qs) = (string.Join(' ', zookeeper.Steps.Select(s => s.Label)), string.Join(' ', quorate.Steps.Select(s => s.Label)));
        if (zs != qs) wrong.Add("steps: ZooKeeper [" + zs + "], Quorate [" + qs + "]");
        return wrong;
    }

    private Dictionary<string, string> Flat()
    {
        var d = new Dictionary<string, string>();
        foreach (var s in Steps)
            foreach (var (k, v) in s.Fields)
                d[s.Label + "." + k] = v;
        return d;
    }
}

/// <summary>One answer, with its expectations written behind it in the row.</summary>
internal sealed class Step(Stage stage, string label)
{
    public string Label { get; } = label;
    public List<KeyValuePair<string, string>> Fields { get; } = [];

    public string this[string field] => Fields.Where(f => f.Key == field).Select(f => f.Value).LastOrDefault("absent");

    public Step Add(string field, object? value)
    {
        Fields.Add(new(field, value is null ? "null" : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!));
        return this;
    }

    /// <summary>§7's expectation; on ZooKeeper 3.8.0 the table of differences may say otherwise.</summary>
    public Step Has(string field, object expected)
    {
        var want = Convert.ToString(expected, System.Globalization.CultureInfo.InvariantCulture)!;
        var key = Label + "." + field;
        if (stage.Target.IsZooKeeper && ExpectedDifferences.Of(stage.Row.Id).FirstOrDefault(d => d.Covers(key)) is { } d)
        {
            if (d.IsWide) return this;
            if (d.Quorate != want) stage.Transcript.Broken.Add($"{key}: the row expects {want} of us, the table says {d.Quorate}");
            want = d.ZooKeeper;
        }
        if (this[field] != want) stage.Transcript.Broken.Add($"{key}: expected {want}, got {this[field]}");
        return this;
    }

    public Step Err(int err) => Has("err", err);
    public Step Closed() => Has("outcome", "closed");
    public Step Path(string path) => Has("path", path);
    public Step Version(int v) => Has("stat.version", v);
    /// <summary>Exactly these events came before this reply, in this order, each as `type path`.</summary>
    public Step Events(params string[] events) => Has("events", string.Join("; ", events));
}
