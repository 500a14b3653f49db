using Quorate.Transport.Tests.World;

namespace Quorate.Transport.Tests;

public sealed class MeshBulkTests
{
    private const long Second = 1_000_000;

    private sealed class Body(long length, string name, long failsAt = long.MaxValue, int laterEach = 0) : IBulkSource
    {
        private readonly byte[] _header = System.Text.Encoding.UTF8.GetBytes(name);
        public bool? Delivered { get; private set; }
        public ReadOnlySpan<byte> Header => _header;
        public long Length => length;
        public long Furthest { get; private set; }
        private int _asked;

        public int Read(long offset, Span<byte> into)
        {
            Assert.Null(Delivered);
            if (offset >= failsAt) return -1;
            if (laterEach > 0 && ++_asked % laterEach != 0) return 0;
            Furthest = Math.Max(Furthest, offset + into.Length);
            for (int i = 0; i < into.Length; i++) into[i] = At(offset + i);
            return into.Length;
        }

        public void Done(bool delivered)
        {
            Assert.Null(Delivered);
            Delivered = delivered;
        }

        public static byte At(long offset) => (byte)((offset * 31) ^ (offset >> 8));
    }

    private static void CheckBytes(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
            if (bytes[i] != Body.At(i)) Assert.Fail($"byte {i} differs");
    }

    [Fact]
    public void Bodies_arrive_whole_one_after_the_other()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var (world, members) = MeshLinkTests.Three(seed);
            world.Run(Second);
            var first = new Body(3_000_001, "first");
            var second = new Body(0, "empty");
            var third = new Body(300_000, "third");
            foreach (var body in new[] { first, second, third }) members[0].Mesh.QueueBulk(new ReplicaId(2), body);
            world.Run(5 * Second);
            Assert.Equal([true, true, true], new[] { first, second, third }.Select(body => body.Delivered));
            Assert.Equal(["body n1 first 3000001", "body n1 empty 0", "body n1 third 300000"], members[1].Heard.Where(word => word.StartsWith("body", StringComparison.Ordinal)));
            Assert.Equal([(1, true, 3_000_001L), (1, true, 0L), (1, true, 300_000L)], members[1].BodyEnds.Select(end => ((int)end.From, end.Whole, end.Length)));
            CheckBytes(members[1].Bodies[1].Written);
        }
    }

    [Fact]
    public void A_source_that_has_nothing_yet_is_asked_again()
    {
        var (world, members) = MeshLinkTests.Three(5);
        world.Run(Second);
        var body = new Body(3_000_001, "slow", laterEach: 3);
        members[0].Mesh.QueueBulk(new ReplicaId(2), body);
        world.Run(5 * Second);
        Assert.True(body.Delivered);
        Assert.Equal([(1, true, 3_000_001L)], members[1].BodyEnds.Select(end => ((int)end.From, end.Whole, end.Length)));
        CheckBytes(members[1].Bodies[1].Written);
    }

    [Fact]
    public void A_body_holds_up_no_beat()
    {
        var (world, members) = MeshLinkTests.Three(3);
        world.Run(Second);
        world.BytesAMilli = 12_500;                                     // 100 Mbit/s: a chunk takes 21 ms
        var body = new Body(20_000_000, "snapshot");
        members[0].Mesh.QueueBulk(new ReplicaId(2), body);
        var sent = new List<long>();
        while (body.Delivered == null && sent.Count < 1000)
        {
            sent.Add(world.Now);
            Assert.True(members[0].Send(2, "beat"));
            world.Run(25_000);
        }
        Assert.True(body.Delivered);
        var late = members[1].Frames.Zip(sent, (frame, at) => frame.At - at).ToArray();
        Assert.True(late.Max() < 60_000, $"a beat came {late.Max()} us late");
        Assert.InRange((world.Now - sent[0]) / 1000, 1600, 2600);        // and the link was used: 1.6 s is what it carries
    }

    [Fact]
    public void A_dropped_link_ends_all_bodies_on_both_sides()
    {
        var (world, members) = MeshLinkTests.Three(4);
        world.Run(Second);
        world.BytesAMilli = 1000;
        var first = new Body(10_000_000, "first");
        var second = new Body(10, "second");
        members[0].Mesh.QueueBulk(new ReplicaId(2), first);
        members[0].Mesh.QueueBulk(new ReplicaId(2), second);
        world.Run(Second);
        Assert.Null(first.Delivered);
        members[0].Kill();
        world.Run(Second);
        Assert.Equal((1, false), (members[1].BodyEnds.Single().From, members[1].BodyEnds.Single().Whole));

        var third = new Body(10_000_000, "third");
        members[1].Mesh.QueueBulk(new ReplicaId(3), third);
        members[1].Touch();
        world.Run(Second);
        members[2].Kill();
        world.Run(Second);
        Assert.False(third.Delivered);
        var fourth = new Body(10, "fourth");
        members[1].Mesh.QueueBulk(new ReplicaId(3), fourth);
        members[1].Touch();
        world.Run(Second);
        Assert.False(fourth.Delivered);
    }

    [Fact]
    public void A_source_that_fails_breaks_its_body_off_and_the_next_follows()
    {
        var (world, members) = MeshLinkTests.Three(5);
        world.Run(Second);
        var first = new Body(3_000_000, "first", failsAt: 1_000_000);
        var second = new Body(1000, "second");
        members[0].Mesh.QueueBulk(new ReplicaId(2), first);
        members[0].Mesh.QueueBulk(new ReplicaId(2), second);
        world.Run(2 * Second);
        Assert.False(first.Delivered);
        Assert.True(second.Delivered);
        Assert.Equal([false, true], members[1].BodyEnds.Select(end => end.Whole));
        Assert.DoesNotContain("down n2", members[0].Heard);
    }

    [Fact]
    public void A_receiver_with_a_slow_disk_holds_the_sender_back()
    {
        var (world, members) = MeshLinkTests.Three(6);
        world.Run(Second);
        members[1].Backlog = LinkLimits.BulkBacklogBytes;
        var body = new Body(40_000_000, "snapshot");
        members[0].Mesh.QueueBulk(new ReplicaId(2), body);
        world.Run(3 * Second);
        Assert.InRange(body.Furthest, LinkLimits.BulkWindowBytes, LinkLimits.BulkWindowBytes + Limits.BulkChunkBytes);
        members[1].Backlog = 0;
        world.Run(5 * Second);
        Assert.True(body.Delivered);
    }

    [Fact]
    public void A_cut_of_any_half_never_leaves_a_body_without_an_end()
    {
        for (ulong seed = 1; seed <= 60; seed++)
        {
            var (world, members) = MeshLinkTests.Three(seed);
            world.Run(Second);
            world.BytesAMilli = 20_000;
            var body = new Body(2_000_000, "one");
            members[0].Mesh.QueueBulk(new ReplicaId(2), body);
            members[0].Touch();
            world.Run(world.Prng.Between(1_000, 130_000));
            var open = world.Connections.Where(c => c.Open && (c.Member == members[0] || c.Member == members[1])).ToArray();
            open[world.Prng.Below(open.Length)].Cut();
            world.Run(5 * Second);
            Assert.NotNull(body.Delivered);
            var again = new Body(2_000_000, "two");
            members[0].Mesh.QueueBulk(new ReplicaId(2), again);
            members[0].Touch();
            world.Run(5 * Second);
            Assert.True(again.Delivered, $"seed {seed}");
            CheckBytes(members[1].Bodies[1].Written);
            Assert.Equal(members[1].Heard.Count(word => word.StartsWith("body", StringComparison.Ordinal)), members[1].BodyEnds.Count);
        }
    }
}
