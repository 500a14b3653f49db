namespace Quorate.Protocols.Tests.Raft;

public class RaftSimulationTests
{
    private static ulong FirstSeed => ulong.TryParse(Environment.GetEnvironmentVariable("QUORATE_SEED"), out ulong n) ? n : 0;

    private static ulong Seeds => ulong.TryParse(Environment.GetEnvironmentVariable("QUORATE_SEEDS"), out ulong n) ? n : 1_500;

    [Fact]
    public void Seeded_worlds_keep_every_promise_and_heal()
    {
        var failures = new List<string>();
        int denied = 0;
        for (ulong seed = FirstSeed; seed < FirstSeed + Seeds && failures.Count < 8; seed++)
        {
            try
            {
                denied += RaftWorld.Run(seed).Denied;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                failures.Add($"seed {seed}, {WorldShape.Of(seed)}: {e.Message} {e.StackTrace?.Split('\n')[Math.Min(1, e.StackTrace.Split('\n').Length - 1)]}");
            }
        }
        Assert.True(failures.Count == 0, string.Join("\n", failures));
        if (Seeds >= 1_000) Assert.True(denied > 0, "no world ended a mark by asking: too tame");
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        for (ulong seed = 0; seed < 8; seed++) Assert.Equal(RaftWorld.Run(seed).Trace.Value, RaftWorld.Run(seed).Trace.Value);
    }
}
