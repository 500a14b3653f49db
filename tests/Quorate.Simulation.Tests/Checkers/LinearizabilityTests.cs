using Quorate.Simulation.Checkers;

namespace Quorate.Simulation.Tests.Checkers;

public class LinearizabilityTests
{
    private static readonly RegisterModel s_register = new();

    private static Operation Read(long called, long returned, long value, int client = 1, long key = 1) =>
        new() { Client = client, Key = key, Kind = RegisterModel.Read, Called = called, Returned = returned, Output = value };

    private static Operation Write(long called, long returned, long value, int client = 2, long key = 1) =>
        new() { Client = client, Key = key, Kind = RegisterModel.Write, Input = value, Called = called, Returned = returned };

    private static Operation Swap(long called, long returned, long from, long to, bool done, int client = 3) =>
        new() { Client = client, Key = 1, Kind = RegisterModel.CompareAndSet, Input = from, Input2 = to, Called = called, Returned = returned, Output = done ? 1 : 0 };

    private static Verdict Check(params Operation[] history) => Linearizability.Check(s_register, [.. history], out _);

    [Fact]
    public void One_after_the_other_is_linearizable() =>
        Assert.Equal(Verdict.Linearizable, Check(Write(1, 2, 7), Read(3, 4, 7)));

    [Fact]
    public void A_read_beside_a_write_may_see_either()
    {
        Assert.Equal(Verdict.Linearizable, Check(Write(1, 10, 7), Read(2, 3, 0)));
        Assert.Equal(Verdict.Linearizable, Check(Write(1, 10, 7), Read(2, 3, 7)));
    }

    [Fact]
    public void Must_fail_stale_read() => Assert.Equal(Verdict.Broken, Check(Write(1, 2, 7), Read(3, 4, 0)));

    [Fact]
    public void Must_fail_value_from_nowhere() => Assert.Equal(Verdict.Broken, Check(Write(1, 2, 7), Read(3, 4, 8)));

    [Fact]
    public void Must_fail_new_then_old() =>
        Assert.Equal(Verdict.Broken, Check(Write(1, 20, 7), Read(2, 3, 7), Read(4, 5, 0, client: 4)));

    [Fact]
    public void Must_fail_lost_write() =>
        Assert.Equal(Verdict.Broken, Check(Write(1, 2, 7), Write(3, 4, 8), Read(5, 6, 7)));

    [Fact]
    public void Must_fail_two_swaps_of_one_value() =>
        Assert.Equal(Verdict.Broken, Check(Write(1, 2, 7), Swap(3, 6, 7, 8, done: true), Swap(4, 5, 7, 9, done: true, client: 4)));

    [Fact]
    public void Swap_that_failed_must_have_seen_another_value() =>
        Assert.Equal(Verdict.Broken, Check(Write(1, 2, 7), Swap(3, 4, 7, 8, done: false)));

    [Fact]
    public void An_unknown_write_may_take_effect_late_or_never()
    {
        Assert.Equal(Verdict.Linearizable, Check(Write(1, long.MaxValue, 7), Read(2, 3, 0), Read(10, 11, 7)));
        Assert.Equal(Verdict.Linearizable, Check(Write(1, long.MaxValue, 7), Read(2, 3, 0)));
        Assert.Equal(Verdict.Broken, Check(Write(1, long.MaxValue, 7), Read(2, 3, 7), Read(4, 5, 0)));
    }

    [Fact]
    public void An_unknown_write_that_made_a_swap_fail_is_not_left_out() =>
        Assert.Equal(Verdict.Linearizable, Check(Write(1, long.MaxValue, 7), Swap(2, 3, 0, 8, done: false)));

    [Fact]
    public void Keys_are_judged_apart() =>
        Assert.Equal(Verdict.Linearizable, Check(Write(1, 2, 7, key: 1), Write(3, 4, 8, key: 2), Read(5, 6, 7, key: 1), Read(7, 8, 8, key: 2)));

    [Fact]
    public void Versions_must_fit()
    {
        var model = new VersionedModel();
        Operation W(long called, long value, long expected, bool done, long version) =>
            new() { Client = 1, Key = 1, Kind = VersionedModel.Write, Input = value, Input2 = expected, Called = called, Returned = called + 1, Output = done ? 1 : 0, Output2 = version };
        Operation R(long called, long value, long version) =>
            new() { Client = 2, Key = 1, Kind = VersionedModel.Read, Called = called, Returned = called + 1, Output = value, Output2 = version };
        Assert.Equal(Verdict.Linearizable, Linearizability.Check(model, [W(1, 7, -1, true, 1), W(3, 8, 1, true, 2), W(5, 9, 1, false, 0), R(7, 8, 2)], out _));
        Assert.Equal(Verdict.Broken, Linearizability.Check(model, [W(1, 7, -1, true, 1), W(3, 8, 1, true, 3)], out _));
        Assert.Equal(Verdict.Broken, Linearizability.Check(model, [W(1, 7, -1, true, 1), W(3, 8, 0, true, 2)], out _));
        Assert.Equal(Verdict.Broken, Linearizability.Check(model, [W(1, 7, -1, true, 1), R(3, 7, 2)], out _));
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void Random_true_histories_pass_and_one_false_answer_is_found(ulong seed)
    {
        var prng = new Prng(seed);
        for (int round = 0; round < 200; round++)
        {
            var history = TrueHistory(ref prng, 40);
            Assert.Equal(Verdict.Linearizable, Linearizability.Check(s_register, history, out _));
            var last = history.FindLast(o => o.Kind == RegisterModel.Read && !o.Unknown && o.Called > history.FindLast(w => w.Kind != RegisterModel.Read)!.Returned);
            if (last is null) continue;
            last.Output += 1_000_000;
            Assert.Equal(Verdict.Broken, Linearizability.Check(s_register, history, out _));
        }
    }

    // Operations with chance intervals that take effect at a point inside of them, some without an answer.
    private static List<Operation> TrueHistory(ref Prng prng, int count)
    {
        long value = 0, next = 1, order = 0;
        var history = new List<Operation>();
        var free = new long[6];
        for (int i = 0; i < count; i++)
        {
            int client = (int)prng.Below(free.Length);
            long point = (order += 1000) + prng.Below(100);
            long called = Math.Max(free[client] + 1, point - prng.Below(3000)), returned = point + prng.Below(3000);
            if (called > point) continue;
            free[client] = returned;
            bool unknown = prng.Chance(0.05);
            Operation o;
            if (prng.Chance(0.5)) o = new() { Client = client, Key = 1, Kind = RegisterModel.Read, Called = called * 8 + client, Output = value };
            else
            {
                o = new() { Client = client, Key = 1, Kind = RegisterModel.Write, Input = next, Called = called * 8 + client };
                if (!unknown || prng.Chance(0.5)) value = next;
                next++;
            }
            if (unknown) free[client] = long.MaxValue / 16;
            else o.Returned = returned * 8 + client;
            history.Add(o);
        }
        history.RemoveAll(o => o.Called > long.MaxValue / 16);
        return history;
    }
}
