using Quorate.Cli.Bench;

namespace Quorate.Cli.Tests;

public class BenchTests
{
    [Theory]
    [InlineData("set100", "Set", 100)]
    [InlineData("get1k", "Get", 1024)]
    [InlineData("mix", "Mix", null)]
    [InlineData("create10", "Create", 10)]
    public void A_mode_may_carry_its_size(string text, string mode, int? size) => Assert.Equal((Enum.Parse<LoadMode>(mode), size), LoadOptions.Parse(text));

    [Theory]
    [InlineData("put100")]
    [InlineData("set1m")]
    [InlineData("set99999999")]
    [InlineData("0")]
    public void What_is_no_mode_is_none(string text) => Assert.Null(LoadOptions.Parse(text));

    [Fact]
    public void Quantiles_are_within_two_percent()
    {
        var table = new LatencyTable();
        for (int i = 1; i <= 100_000; i++) table.Add(i * 10L);
        foreach (double part in new[] { 0.01, 0.5, 0.9, 0.99, 0.999 }) Assert.InRange(table.Quantile(part), part * 1_000_000 * 0.98, part * 1_000_000 * 1.02);
        Assert.Equal(1_000_000, table.Max);
        Assert.Equal(1_000_000, table.Quantile(1));
        Assert.Equal(0, new LatencyTable().Quantile(0.5));
    }

    [Fact]
    public void Small_and_huge_latencies_fit()
    {
        var table = new LatencyTable();
        table.Add(0);
        table.Add(long.MaxValue);
        Assert.Equal(0, table.Quantile(0.1));
        Assert.Equal(2, table.Count);
    }

    [Fact]
    public void The_median_of_an_even_count_lies_between() => Assert.Equal(2.5, FailoverCommand.Median([4, 1, 3, 2]));

    [Theory]
    [InlineData("0..10", 0, 10)]
    [InlineData("7", 7, 8)]
    public void Seeds_are_one_or_a_range(string text, ulong from, ulong to) => Assert.Equal((from, to), SimCommand.ParseSeeds(text));

    [Theory]
    [InlineData("")]
    [InlineData("3..3")]
    [InlineData("1..2..3")]
    [InlineData("-1")]
    public void Other_seeds_are_refused(string text) => Assert.Throws<CommandException>(() => SimCommand.ParseSeeds(text));
}
