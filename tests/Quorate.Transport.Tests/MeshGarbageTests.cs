using Quorate.Transport.Tests.World;

namespace Quorate.Transport.Tests;

/// <summary>Bytes that are no member's, and members' bytes that were damaged on their way.</summary>
public sealed class MeshGarbageTests
{
    private const long Second = 1_000_000;

    private sealed class Silent : IConnectionOwner
    {
        public bool Closed { get; private set; }
        public void OnConnected(Connection connection) { }
        public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes) => bytes.Length;
        public void OnClosed(Connection connection, string reason) => Closed = true;
    }

    private static (MemoryWorld, MemoryMember Target, MemoryMember Stranger) Stage()
    {
        var world = new MemoryWorld(1);
        return (world, world.Add(1, 101), world.Add(9, 109));
    }

    private static Silent Throw(MemoryWorld world, MemoryMember stranger, byte[] bytes)
    {
        var owner = new Silent();
        var connection = stranger.Connect("m1:1", owner);
        world.Run(Second / 10);
        connection.Output.Bytes(bytes);
        connection.Flush();
        world.Run(Second / 10);
        return owner;
    }

    public static TheoryData<byte[]> Garbage => new()
    {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(),
        new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 },
        new byte[] { 255, 255, 255, 255 },
        new byte[] { 5, 0, 0, 0, 1, 2, 3, 4, 8, 1, 2, 3, 4 },
        new byte[] { 0, 0, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public void A_stranger_is_closed_with_one_note(byte[] bytes)
    {
        var (world, target, stranger) = Stage();
        for (int i = 0; i < 5; i++) Assert.True(Throw(world, stranger, bytes).Closed);
        Assert.Contains("bytes that are not a member's", Assert.Single(target.Notes));
    }

    [Fact]
    public void A_stranger_that_says_nothing_is_closed_after_5_s()
    {
        var (world, target, stranger) = Stage();
        var owner = Throw(world, stranger, [3]);
        world.Run(4 * Second);
        Assert.False(owner.Closed);
        world.Run(Second);
        Assert.True(owner.Closed);
        Assert.Contains("said nothing", Assert.Single(target.Notes));
    }

    [Fact]
    public void Strangers_are_bounded()
    {
        var (world, _, stranger) = Stage();
        var owners = Enumerable.Range(0, LinkLimits.MaxStrangers + 10).Select(_ => new Silent()).ToArray();
        foreach (var owner in owners) stranger.Connect("m1:1", owner);
        world.Run(Second);
        Assert.Equal(10, owners.Count(owner => owner.Closed));
    }

    [Fact]
    public void A_damaged_frame_closes_its_link_only_and_it_comes_back()
    {
        var (world, members) = MeshLinkTests.Three(11);
        world.Run(Second);
        members[1].Send(1, "good");
        world.Run(Second / 10);
        // The bytes of n2's next frame are damaged before they leave.
        members[1].Mesh.Begin(new ReplicaId(1), FrameKind.Protocol)!.Bytes("damaged"u8);
        members[1].Mesh.End(new ReplicaId(1));
        foreach (var connection in world.Connections)
            if (connection.Member == members[1] && connection.Output.Length > 0) connection.Output.WrittenMutable[^1] ^= 4;
        members[1].Touch();
        world.Run(Second);
        Assert.Single(members[0].Frames);
        Assert.Contains("n2: sent a frame whose checksum does not fit", Assert.Single(members[0].Notes));
        Assert.DoesNotContain("down n3", members[0].Heard);
        Assert.True(MeshLinkTests.AllUp(members));
        members[1].Send(1, "good again");
        world.Run(Second);
        Assert.Equal(2, members[0].Frames.Count);
    }
}
