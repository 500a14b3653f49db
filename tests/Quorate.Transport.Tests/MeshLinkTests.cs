using System.Globalization;
using System.Text;
using Quorate.Transport.Tests.World;

namespace Quorate.Transport.Tests;

public sealed class MeshLinkTests
{
    private const long Second = 1_000_000;

    internal static (MemoryWorld World, MemoryMember[] Members) Three(ulong seed)
    {
        var world = new MemoryWorld(seed);
        var members = new[] { world.Add(1, 101), world.Add(2, 102), world.Add(3, 103) };
        foreach (var member in members) member.Know(members);
        return (world, members);
    }

    internal static bool AllUp(MemoryMember[] members) =>
        members.All(a => members.All(b => a == b || !a.Alive || !b.Alive || a.Mesh.IsUp(b.Mesh.Identity.Self)));

    [Fact]
    public void Three_members_are_linked_in_a_moment_and_know_directory_and_run()
    {
        var (world, members) = Three(1);
        world.Run(Second / 10);
        Assert.True(AllUp(members));
        Assert.Equal(["up n2 102 run 1", "up n3 103 run 1"], members[0].Heard.Order());
        Assert.True(members[0].Send(2, "x"));
        world.Run(Second / 10);
        var frame = Assert.Single(members[1].Frames);
        Assert.Equal((new ReplicaId(1), 101UL, false), (frame.From.Id, frame.From.Directory, frame.From.Old));
        Assert.Empty(members.SelectMany(member => member.Notes));
    }

    [Fact]
    public void An_idle_mesh_is_quiet()
    {
        var (world, members) = Three(2);
        world.Run(Second);
        int before = members[0].Pumps;
        world.Run(10 * Second);
        Assert.InRange(members[0].Pumps - before, 1, 120);      // pings and pongs of two links, once a second
    }

    /// <summary>Whatever is cut, killed and stopped: what arrives on a link is a gap-free beginning of what was sent on it, and afterwards everybody is reached again.</summary>
    [Fact]
    public void Links_keep_their_order_through_any_fault()
    {
        for (ulong seed = 1; seed <= 150; seed++)
        {
            var (world, members) = Three(seed);
            var counters = new Dictionary<(byte From, byte To), long>();
            foreach (var member in members) member.BeforePump = () => Chatter(world, member, counters);
            for (int step = 0; step < 30; step++)
            {
                Disturb(world, members);
                world.Run(world.Prng.Between(1_000, 100_000));
            }
            foreach (var member in members)
            {
                if (member.Paused) member.Resume();
                if (!member.Alive) Revive(member, members);
                foreach (var other in members) world.Part(member, other, false);
            }
            world.Run(12 * Second);
            Assert.True(AllUp(members), $"seed {seed}: {string.Join(" / ", members.SelectMany(m => m.Notes))}");
            foreach (var member in members) CheckOrder(seed, member);
        }
    }

    private static void Chatter(MemoryWorld world, MemoryMember member, Dictionary<(byte, byte), long> counters)
    {
        byte to = (byte)world.Prng.Between(1, 4), from = member.Mesh.Identity.Self.Value;
        if (to == from || !world.Prng.Chance(0.5)) return;
        counters.TryGetValue((from, to), out long count);
        if (member.Send(to, $"{member.Mesh.Identity.Run} {count} {new string('x', (int)world.Prng.Below(world.Prng.Chance(0.05) ? 100_000 : 100))}")) counters[(from, to)] = count + 1;
    }

    private static void Disturb(MemoryWorld world, MemoryMember[] members)
    {
        var a = members[world.Prng.Below(3)];
        var b = members[world.Prng.Below(3)];
        switch (world.Prng.Below(8))
        {
            case 0 when a.Alive: a.Kill(); break;
            case 1 when !a.Alive: Revive(a, members); break;
            case 2 or 3 when world.Connections.Count > 0: world.Connections[(int)world.Prng.Below(world.Connections.Count)].Cut(); break;
            case 4 when a != b: world.Part(a, b, true); break;
            case 5: world.Part(a, b, false); break;
            case 6 when a.Alive: a.Pause(); break;
            case 7 when a.Paused: a.Resume(); break;
            default: break;
        }
    }

    private static void Revive(MemoryMember member, MemoryMember[] members)
    {
        member.Restart();
        member.Know(members);
    }

    private static void CheckOrder(ulong seed, MemoryMember member)
    {
        var last = new Dictionary<(byte From, string Run, long Link), long>();
        foreach (var frame in member.Frames)
        {
            var words = Encoding.UTF8.GetString(frame.Body).Split(' ');
            long number = long.Parse(words[1], CultureInfo.InvariantCulture);
            var key = (frame.From.Id.Value, words[0], frame.From.Link);
            if (last.TryGetValue(key, out long before)) Assert.True(number == before + 1, $"seed {seed}: {key} jumps from {before} to {number}");
            last[key] = number;
        }
    }

    [Fact]
    public void A_restarted_peer_is_reached_again_within_100_ms()
    {
        for (ulong seed = 1; seed <= 30; seed++)
        {
            var (world, members) = Three(seed);
            world.Run(Second);
            members[2].Kill();
            world.Run(world.Prng.Between(50_000, 20 * Second));
            Assert.False(members[0].Mesh.IsUp(new ReplicaId(3)));
            Assert.Contains("down n3", members[0].Heard);
            Revive(members[2], members);
            world.Run(100_000);
            Assert.True(AllUp(members), $"seed {seed}");
            Assert.Equal("up n3 103 run 2", members[0].Heard.Last());
        }
    }

    [Fact]
    public void A_dead_peer_is_dialled_with_back_off()
    {
        var (world, members) = Three(3);
        world.Run(Second);
        members[2].Kill();
        int before = members[0].Dials;
        world.Run(Second);
        int first = members[0].Dials - before;
        world.Run(10 * Second);
        int later = members[0].Dials - before - first;
        Assert.InRange(first, 4, 10);
        Assert.InRange(later, 18, 32);
        Assert.Empty(members[0].Notes);
    }

    [Fact]
    public void A_link_that_swallows_everything_is_dialled_anew()
    {
        var (world, members) = Three(4);
        world.Run(Second);
        world.Part(members[0], members[1], true);
        world.Run(4 * Second);
        world.Run(3 * Second);
        Assert.False(members[0].Mesh.IsUp(new ReplicaId(2)));
        Assert.Contains(members[0].Notes, note => note.Contains("answered no ping"));
        world.Run(10 * Second);
        world.Part(members[0], members[1], false);
        world.Run(3 * Second);
        Assert.True(AllUp(members));
    }

    [Fact]
    public void A_cut_of_one_half_is_told_as_down_and_up_again()
    {
        var (world, members) = Three(5);
        world.Run(Second);
        members[1].Mesh.SetPeers([(new ReplicaId(3), "m3:1")]);           // n2 forgets n1: its outgoing half closes, and ours is refused nothing
        members[1].Touch();
        world.Run(Second);
        Assert.Contains("down n2", members[0].Heard);
        Assert.Equal("up n2 102 run 1", members[0].Heard.Last());
        Assert.True(members[0].Send(2, "still"));
        members[1].Know(members);
        members[1].Touch();
        world.Run(Second);
        Assert.True(AllUp(members));
        Assert.Contains(members[1].Frames, frame => frame.Body.AsSpan().SequenceEqual("still"u8));
    }

    [Fact]
    public void A_new_incoming_connection_of_a_peer_replaces_the_old_one()
    {
        var (world, members) = Three(6);
        world.Run(Second);
        var old = world.Connections.Where(c => c.Member == members[0] && c.Open).ToArray();
        // n3 "restarts" without its resets arriving: the machine was switched off.
        world.Part(members[0], members[2], true);
        members[2].Kill();
        world.Part(members[0], members[2], false);
        Revive(members[2], members);
        world.Run(Second);
        Assert.True(AllUp(members));
        Assert.Equal("up n3 103 run 2", members[0].Heard.Last());
        members[2].Send(1, "new");
        world.Run(Second);
        Assert.Equal(103UL, members[0].Frames.Single().From.Directory);
        Assert.NotEmpty(old);
    }

    [Fact]
    public void A_peer_that_left_the_list_is_closed_and_dialled_no_more()
    {
        var (world, members) = Three(7);
        world.Run(Second);
        members[0].Know(members[0], members[1]);
        members[0].Touch();
        world.Run(Second);
        int dials = members[0].Dials;
        Assert.False(members[0].Mesh.IsUp(new ReplicaId(3)));
        world.Run(5 * Second);
        Assert.Equal(dials, members[0].Dials);
    }

    [Fact]
    public void After_a_gap_frames_are_old_until_the_ping_is_back()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var (world, members) = Three(seed);
            world.Run(Second);
            members[0].Pause();
            world.Run(Second);
            members[1].Send(1, "sent while you slept");
            world.Run(2 * Second);
            members[0].Resume();
            world.Run(Second);
            members[1].Send(1, "sent after");
            world.Run(Second);
            var frames = members[0].Frames.Where(frame => frame.From.Id.Value == 2).ToArray();
            Assert.Equal([true, false], frames.Select(frame => frame.From.Old));
            Assert.True(AllUp(members));
            Assert.Empty(members[0].Notes);
        }
    }

    [Fact]
    public void Begin_says_no_when_the_link_is_down_or_its_queue_is_full()
    {
        var (world, members) = Three(8);
        Assert.Null(members[0].Mesh.Begin(new ReplicaId(2), FrameKind.Protocol));
        world.BytesAMilli = 1;
        world.Run(5 * Second);
        Assert.True(AllUp(members));
        string big = new('x', 1_000_000);
        int sent = 0;
        while (members[0].Send(2, big)) sent++;
        Assert.InRange(sent, 33, 35);
        Assert.True(members[0].Send(3, "the others are not touched"));
    }

    [Fact]
    public void A_cancelled_frame_leaves_no_trace()
    {
        var (world, members) = Three(9);
        world.Run(Second);
        members[0].Mesh.Begin(new ReplicaId(2), FrameKind.Protocol)!.Bytes("half"u8);
        members[0].Mesh.Cancel(new ReplicaId(2));
        members[0].Send(2, "whole");
        world.Run(Second);
        Assert.True(members[1].Frames.Single().Body.AsSpan().SequenceEqual("whole"u8));
    }

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        string[] Trace()
        {
            var (world, members) = Three(77);
            var counters = new Dictionary<(byte, byte), long>();
            foreach (var member in members) member.BeforePump = () => Chatter(world, member, counters);
            for (int step = 0; step < 40; step++)
            {
                Disturb(world, members);
                world.Run(50_000);
            }
            return [.. members.SelectMany(m => m.Heard.Concat(m.Frames.Select(f => $"{f.At} {f.From} {f.Body.Length}")))];
        }
        Assert.Equal(Trace(), Trace());
    }
}
