using System.Diagnostics.Metrics;

namespace Quorate.Shell;

/// <summary>
/// The meter "Quorate": observable instruments over the figures that the strand publishes; nothing is recorded on the path of a request. Names and units by OpenTelemetry's rules.
/// The same table makes the Prometheus text of /metrics.
/// </summary>
public sealed class QuorateMetrics : IDisposable
{
    public const string MeterName = "Quorate";

    private static readonly Figure[] s_figures =
    [
        new("quorate.replica.serving", "", "1 while clients are served", false, f => f.Serving ? 1 : 0),
        new("quorate.replica.role", "", "0 follower, 1 pre-candidate, 2 candidate, 3 leader, 4 learner", false, f => f.Role),
        new("quorate.replica.term", "", "the present term", false, f => (double)f.Term),
        new("quorate.replica.leader", "", "the leader's id, 0 for none", false, f => f.Leader),
        new("quorate.replica.commit", "{entry}", "the newest committed position", false, f => f.Commit),
        new("quorate.replica.applied", "{entry}", "the newest applied position", false, f => f.Applied),
        new("quorate.replica.applied.size", "By", "payloads of the entries applied since the start", true, f => f.AppliedBytes),
        new("quorate.elections", "{election}", "elections that this member stood in", true, f => f.Elections),
        new("quorate.journal.low_space", "", "1 while new writes are refused for lack of room", false, f => f.LowSpace ? 1 : 0),
        new("quorate.journal.damaged", "{entry}", "damaged entries of this member's log that are not repaired yet", false, f => f.Damaged),
        new("quorate.journal.damaged.highest", "{entry}", "the highest of them, 0 for none", false, f => f.DamagedHighest),
        new("quorate.stream.window", "By", "numbered writes of this member that its own apply does not cover", false, f => f.WindowBytes),
        new("quorate.sessions", "{session}", "sessions of the cluster", false, f => f.Sessions),
        new("quorate.connections", "{connection}", "client connections of this member", false, f => f.Connections),
        new("quorate.connections.rejected", "{connection}", "connections refused: one too many of an address", true, f => f.Rejected),
        new("quorate.watches", "{watch}", "watches of this member's connections", false, f => f.Watches),
        new("quorate.tree.nodes", "{node}", "znodes", false, f => f.Nodes),
        new("quorate.tree.size", "By", "bytes of paths and data", false, f => f.DataBytes),
        new("quorate.requests", "{request}", "requests read from clients", true, f => f.Received),
        new("quorate.strand.allocated", "By", "bytes allocated by the strand since the start", true, f => f.AllocatedBytes),
        new("quorate.replies", "{reply}", "replies and events written to clients", true, f => f.Sent),
    ];

    private readonly Meter _meter;

    public QuorateMetrics(QuorateMember member, IMeterFactory? factory = null)
    {
        _meter = factory?.Create(new MeterOptions(MeterName)) ?? new Meter(MeterName, QuorateVersion.Text);
        var tag = new KeyValuePair<string, object?>("quorate.replica.id", member.Options.Id);
        foreach (var figure in s_figures)
        {
            string? unit = figure.Unit.Length == 0 ? null : figure.Unit;
            if (figure.Counts) _meter.CreateObservableCounter(figure.Name, () => new Measurement<double>(figure.Read(member.Figures), tag), unit, figure.About);
            else _meter.CreateObservableGauge(figure.Name, () => new Measurement<double>(figure.Read(member.Figures), tag), unit, figure.About);
        }
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>The text format that Prometheus scrapes: dots become underscores, counters end in _total, bytes in _bytes.</summary>
    public static string Prometheus(QuorateMember member)
    {
        var text = new System.Text.StringBuilder(4096);
        var figures = member.Figures;
        foreach (var figure in s_figures)
        {
            string name = figure.Name.Replace('.', '_') + (figure.Unit == "By" ? "_bytes" : "") + (figure.Counts ? "_total" : "");
            text.Append("# HELP ").Append(name).Append(' ').Append(figure.About).Append('\n').Append("# TYPE ").Append(name).Append(figure.Counts ? " counter\n" : " gauge\n");
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{name}{{id=\"{member.Options.Id}\"}} {figure.Read(figures)}\n");
        }
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"# HELP process_resident_memory_bytes resident memory\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {Environment.WorkingSet}\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"# HELP dotnet_gc_pause_seconds_total time that garbage collections stopped the process\n# TYPE dotnet_gc_pause_seconds_total counter\ndotnet_gc_pause_seconds_total {GC.GetTotalPauseDuration().TotalSeconds}\n");
        return text.ToString();
    }

    private sealed record Figure(string Name, string Unit, string About, bool Counts, Func<MemberFigures, double> Read);
}
