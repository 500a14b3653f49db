using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §1.4: what is staged, switched to, stamped. Each of these was once wrong.</summary>
public class Section1Staged
{
    private static Entry Of(string text) => new(EntryKind.Command, Payload.Of(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_staged_entry_is_read_from_its_segment_by_its_own_length()
    {
        var g = Filled(entries: 3);
        string big = new('b', 6_000);
        Take(g, 0, new Verb { Persist = PersistKind.Stage, First = 3, Term = 4 }, Of("x"), Of(big), Of("y"));
        g.Settle();
        g.KillAndOpen();
        Assert.True(g.Log.TryReadNow(4, out var e, staged: true));
        Assert.Equal(big.Length, e.Payload.Length);
        Assert.True(g.Log.TryReadNow(5, out e, staged: true));
        Assert.Equal("y"u8, e.Payload);
    }

    [Fact]
    public void A_configuration_in_a_staged_run_rules_once_it_is_adopted_and_the_one_that_it_cuts_does_not()
    {
        foreach (bool killed in new[] { false, true })
        {
            var g = Filled(entries: 3);
            var old = new ClusterConfiguration([new(new ReplicaId(1), 5, true, "h:1")]);
            var next = new ClusterConfiguration([new(new ReplicaId(1), 5, true, "h:1"), new(new ReplicaId(2), 6, true, "h:2")]);
            g.AppendTo(0, 4, 3, new Entry(EntryKind.Configuration, Payload.Of(old.Encode())));
            Take(g, 0, new Verb { Persist = PersistKind.Stage, First = 4, Term = 4 }, Of("four"), new Entry(EntryKind.Configuration, Payload.Of(next.Encode())));
            g.Settle();
            Assert.Equal(4, Assert.Single(g.Log.Configurations).Index);
            if (killed) g.KillAndOpen();
            Take(g, 0, new Verb { Persist = PersistKind.Switch });
            g.Settle();
            for (int i = 0; i < 2; i++)
            {
                var ruling = Assert.Single(g.Log.Configurations);
                Assert.Equal((5L, 2), (ruling.Index, ruling.Configuration.VoterCount));
                g.KillAndOpen();
            }
        }
    }

    [Fact]
    public void Damage_in_a_staged_run_is_named_and_what_is_staged_later_does_not_go_on_behind_it()
    {
        var g = Filled(entries: 3);
        Take(g, 0, new Verb { Persist = PersistKind.Stage, First = 3, Term = 4 }, Of("s3"), Of("s4"));
        g.Settle();
        g.Pump(200_000);
        g.Settle();
        g.Kill();
        var bad = Scan(g).Found.Values.Last(b => b.Header.Ops.Any(o => o.Kind == OpKind.Stage));
        g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.RegionOffset + 20);
        g.Open();
        Assert.Equal((bad.Segment.Path, 3L, 4L), (Assert.Single(g.Store.Damage).File, g.Store.Damage[0].First, g.Store.Damage[0].Last));
        Assert.False(g.Log.TryReadNow(3, out _, staged: true));
        Take(g, 0, new Verb { Persist = PersistKind.Stage, First = 4, Term = 6 }, Of("new 4"));
        g.Settle();
        g.KillAndOpen();
        Assert.False(g.Log.TryReadNow(3, out _, staged: true));
        Assert.True(g.Log.TryReadNow(4, out var e, staged: true));
        Assert.Equal("new 4"u8, e.Payload);
        Take(g, 0, new Verb { Persist = PersistKind.Switch });
        g.Settle();
        g.KillAndOpen();
        Assert.Equal("new 4", g.Read(4));
        Assert.StartsWith("entry 3", g.Read(3), StringComparison.Ordinal);
        Assert.Empty(g.Log.Mark);
    }

    [Fact]
    public void A_stamp_on_a_lost_entry_is_not_taken_back_by_the_next_opening()
    {
        var g = Filled();
        g.Kill();
        var bad = BatchOf(g, 38);
        g.Sim!.FlipBit(bad.Segment.Path, bad.Header.Offset + bad.Header.RegionOffset + 40);
        g.Open();
        Take(g, 0, new Verb { Persist = PersistKind.Stamp, First = 37, Last = 40, Term = 9 });
        g.Settle();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(new DamagedEntry(9, 38), Assert.Single(g.Log.Mark));
            Assert.True(g.Log.Map.Matches(37, 9) && g.Log.Map.Matches(38, 9) && g.Log.Map.Matches(40, 9));
            g.KillAndOpen();
        }
    }

    [Fact]
    public void A_tail_that_did_not_match_the_snapshot_does_not_come_back_after_a_restart()
    {
        var from = Filled(seed: 2);
        from.Append(41, 8, "theirs");
        from.Settle();
        from.Snapshot(41, 8, "state");
        var body = from.Store.Snapshots.Newest(0);
        var raw = from.Raw(body);
        var g = Filled();
        g.Append(41, 4, "mine", "and more");
        var receiver = g.Store.Snapshots.BeginReceive(0, body.Snapshot, raw.Length);
        receiver.Append(raw);
        receiver.Finish();
        var got = g.NextEvent();
        g.Box().PersistSwitch(got.Body, keepTail: true); // asked for, but (41, 8) is not in this log
        g.Hand();
        Assert.Equal(41, g.Log.Map.Last);
        g.Settle();
        g.KillAndOpen();
        Assert.Equal((41L, 8ul, 41L), (g.Log.Map.BeginIndex, g.Log.Map.BeginTerm, g.Log.Map.Last));
    }
}
