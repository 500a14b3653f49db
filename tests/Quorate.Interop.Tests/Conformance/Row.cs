namespace Quorate.Interop.Tests.Conformance;

/// <summary>On which server a row runs: fresh ones cost seconds, so rows share what they can.</summary>
internal enum Venue
{
    /// <summary>Standalone, tick 2000; rows run one after the other, so that each step of the zxid counts.</summary>
    Shared,
    /// <summary>As Shared, but before any other row has touched the tree.</summary>
    Fresh,
    /// <summary>Standalone, tick 1000, sweep 1000 ms; all rows at once in the background, because they wait.</summary>
    Slow,
    /// <summary>Three servers.</summary>
    Quorum,
    /// <summary>A server of its own, which the row may stop.</summary>
    Own,
}

/// <summary>One row of zookeeper.md §7: what is sent, and what must come back.</summary>
internal sealed record Row(string Id, string What, Venue Venue, Action<Stage> Script)
{
    /// <summary>For rows with a server of their own.</summary>
    public Ground.Setting? Setting { get; init; }

    public override string ToString() => Id + " " + What;
}
