namespace Quorate.Interop.Tests.Conformance;

/// <summary>A place where we answer otherwise than ZooKeeper 3.8.0, on purpose.</summary>
/// <param name="Row">The row of zookeeper.md §7.</param>
/// <param name="Field">The step's label and the field.</param>
/// <param name="ZooKeeper">What 3.8.0 says.</param>
/// <param name="Quorate">What we say, answering as 3.9.5.</param>
/// <param name="Issue">ZooKeeper's issue, or the paragraph that tolerates the repair.</param>
/// <param name="Why">In words.</param>
internal sealed record ExpectedDifference(string Row, string Field, string ZooKeeper, string Quorate, string Issue, string Why)
{
    /// <summary>An entry for several fields of one step ends in a star; its two values are words for the reader.</summary>
    public bool IsWide => Field.EndsWith('*');

    public bool Covers(string key) => IsWide ? key.StartsWith(Field[..^1], StringComparison.Ordinal) : key == Field;
}
