using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.Kazoo;

/// <summary>Debian's python3-kazoo, unchanged, at three real members: one script a recipe, each with what it must see.</summary>
[Collection(ForeignClients.Name)]
public sealed class KazooTests(ThreeMembers three)
{
    [InteropTheory(Needs.Kazoo | Needs.Ensemble)]
    [InlineData("basics")]
    [InlineData("locks")]
    [InlineData("election")]
    [InlineData("queues")]
    [InlineData("counters")]
    [InlineData("barriers")]
    [InlineData("watchers")]
    [InlineData("transactions")]
    [InlineData("acl")]
    [InlineData("expiry")]
    [InlineData("reconnect")]
    [InlineData("handlers")]
    [InlineData("partition")]
    public void Script_ends_with_OK(string name)
    {
        Missing.Demand(Needs.Kazoo);
        var scripts = Path.Combine(AppContext.BaseDirectory, "Kazoo", "scripts");
        var (code, output, error) = Child.Run(Path.Combine(Mode.Scratch, "kazoo-" + name), [Missing.Python, "-B", Path.Combine(scripts, name + ".py"), three.Ensemble.Servers], 90);
        Assert.True(code == 0 && output.TrimEnd().EndsWith("OK", StringComparison.Ordinal), "exit code " + code + "\n" + output + "\n" + error);
    }
}
