using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>The rows of zookeeper.md §7: each holds on Quorate, and is answered as ZooKeeper 3.8.0 answers it but for the table.</summary>
public sealed class ConformanceTests(Theatre theatre) : IClassFixture<Theatre>
{
    public static TheoryData<string> Ids => [.. Rows.All.Select(r => r.ToString())];

    [InteropTheory(Needs.Quorate)]
    [MemberData(nameof(Ids))]
    public void Row_holds_on_Quorate(string row) => Holds(theatre.Quorate, row);

    [InteropTheory(Needs.ZooKeeper)]
    [MemberData(nameof(Ids))]
    public void Row_holds_on_ZooKeeper(string row) => Holds(theatre.ZooKeeper, row);

    [InteropTheory(Needs.Quorate | Needs.ZooKeeper)]
    [MemberData(nameof(Ids))]
    public void Row_is_answered_alike(string row)
    {
        var r = Rows.Of(row.Split(' ')[0]);
        var (z, q) = (theatre.ZooKeeper.Of(r), theatre.Quorate.Of(r));
        var wrong = Transcript.Compare(r.Id, z, q);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong) + "\n--- ZooKeeper\n" + z + "\n--- Quorate\n" + q);
    }

    [Fact]
    public void Every_entry_of_the_table_names_a_row() => Assert.All(ExpectedDifferences.All, d => Assert.Contains(Rows.All, r => r.Id == d.Row));

    private static void Holds(House house, string row)
    {
        var t = house.Of(Rows.Of(row.Split(' ')[0]));
        Assert.True(t.Broken.Count == 0, string.Join('\n', t.Broken) + "\n--- transcript\n" + t);
    }
}
