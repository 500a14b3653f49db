using Quorate.Transport.Tests.World;

namespace Quorate.Transport.Tests;

/// <summary>Who does not belong is refused with one clear note on each side, however often it dials again.</summary>
public sealed class MeshRefusalTests
{
    private const long Second = 1_000_000;

    private static void Pair(MemoryWorld world, MemoryMember a, MemoryMember b)
    {
        a.Know(b);
        b.Know(a);
        world.Run(30 * Second);
        Assert.False(a.Mesh.IsUp(b.Mesh.Identity.Self));
        Assert.False(b.Mesh.IsUp(a.Mesh.Identity.Self));
    }

    private static void OneNoteEach(MemoryMember member, string words)
    {
        Assert.Contains(member.Notes, note => note.Contains(words));
        Assert.Equal(member.Notes.Count, member.Notes.Distinct().Count());
        Assert.InRange(member.Notes.Count, 1, 2);
        Assert.Equal(member.Notes.Count, member.Refusals.Count);
    }

    [Fact]
    public void A_member_of_another_cluster()
    {
        var world = new MemoryWorld(1);
        var a = world.Add(1, 101, cluster: 0xA);
        var b = world.Add(2, 102, cluster: 0xB);
        Pair(world, a, b);
        OneNoteEach(a, "belongs to cluster 000000000000000b");
        OneNoteEach(b, "cluster 000000000000000a");
    }

    [Fact]
    public void Not_formed_meets_formed_and_the_link_stays_when_it_is_formed()
    {
        var world = new MemoryWorld(2);
        var a = world.Add(1, 101, cluster: 0xA);
        var b = world.Add(2, 102, cluster: 0);
        a.Know(b);
        b.Know(a);
        world.Run(Second);
        Assert.True(a.Mesh.IsUp(new ReplicaId(2)));
        b.Mesh.Formed(0xA);
        world.Run(5 * Second);
        Assert.True(b.Mesh.IsUp(new ReplicaId(1)));
        Assert.DoesNotContain("down n1", b.Heard);
    }

    [Fact]
    public void A_duplicate_of_our_own_id()
    {
        var world = new MemoryWorld(3);
        var a = world.Add(1, 101);
        var twin = world.Add(1, 999, address: "twin:1");
        twin.Mesh.SetPeers([(new ReplicaId(2), "m1:1")]);
        world.Run(30 * Second);
        OneNoteEach(a, "its id is that of n1");
        OneNoteEach(twin, "its id is that of n1");
        Assert.False(twin.Mesh.IsUp(new ReplicaId(2)));
    }

    [Fact]
    public void Two_members_with_one_id_at_a_third()
    {
        var world = new MemoryWorld(4);
        var a = world.Add(1, 101);
        var b = world.Add(2, 102);
        var twin = world.Add(2, 999, address: "twin:1");
        a.Know(b);
        b.Know(a);
        a.BeforePump = () => a.Send(2, "beat");
        b.BeforePump = () => b.Send(1, "beat");
        world.Run(Second);
        twin.Know(a);
        twin.Touch();
        world.Run(30 * Second);
        Assert.Contains(a.Notes, note => note.Contains("another n2 with another data directory"));
        Assert.Contains(twin.Notes, note => note.Contains("another n2"));
        Assert.Single(a.Notes);
        Assert.True(a.Mesh.IsUp(new ReplicaId(2)));
        Assert.DoesNotContain("down n2", a.Heard);
    }

    [Fact]
    public void A_wiped_member_comes_back_with_another_directory()
    {
        var world = new MemoryWorld(5);
        var a = world.Add(1, 101);
        var b = world.Add(2, 102);
        a.Know(b);
        b.Know(a);
        world.Run(Second);
        b.Kill();
        world.Run(Second);
        b.Restart(directory: 555);
        b.Know(a);
        world.Run(Second / 10);
        Assert.Equal("up n2 555 run 2", a.Heard.Last());
        Assert.Empty(a.Notes);
    }

    [Fact]
    public void A_newer_format()
    {
        var world = new MemoryWorld(6);
        var a = world.Add(1, 101);
        var b = world.Add(2, 102, format: 2);
        Pair(world, a, b);
        Assert.Contains(a.Notes, note => note.Contains("speaks format 2"));
        Assert.InRange(a.Notes.Count, 1, 2);
        Assert.Contains(b.Notes, note => note.Contains("n1 speaks up to 1"));
    }

    [Fact]
    public void A_wrong_target()
    {
        var world = new MemoryWorld(7);
        var a = world.Add(1, 101);
        var b = world.Add(2, 102);
        a.Mesh.SetPeers([(new ReplicaId(3), "m2:1")]);
        world.Run(30 * Second);
        OneNoteEach(a, "it dialled n3, but n2 answers here");
        OneNoteEach(b, "it dialled n3, but n2 answers here");
    }

    [Fact]
    public void An_address_that_is_our_own()
    {
        var world = new MemoryWorld(8);
        var a = world.Add(1, 101);
        a.Mesh.SetPeers([(new ReplicaId(2), "m1:1")]);
        world.Run(30 * Second);
        Assert.Contains(a.Notes, note => note.Contains("the address that it dialled is its own"));
        Assert.InRange(a.Notes.Count, 1, 2);
    }

    [Fact]
    public void An_address_that_is_none()
    {
        var world = new MemoryWorld(9);
        var a = world.Add(1, 101);
        a.Mesh.SetPeers([(new ReplicaId(2), "nonsense")]);
        world.Run(30 * Second);
        Assert.Contains("is not HOST:PORT", Assert.Single(a.Notes));
    }
}
