using Quorate.Simulation;
using Quorate.Storage;
using static Quorate.Storage.Tests.Story;

namespace Quorate.Storage.Tests;

/// <summary>storage.md §1.3 and §1.5: what is a header, where recovery looks for one, and what freeing a segment must not take along or bring back.</summary>
public class Section1Recycling
{
    [Fact]
    public void A_users_bytes_never_read_as_a_header()
    {
        var g = Filled();
        g.Kill();
        var top = Scan(g).Found.Values.Last();
        g.Open();
        g.Settle();
        top = Scan(g).Found.Values.Last();
        // The next batch's region begins 512 bytes behind its front header, an entry's payload 16 bytes later: the user fills the batch's second block with a whole header of a high number that needs nothing below.
        long at = top.Header.Offset + top.Header.Length;
        var forged = new BatchHeader { Number = 1_000, Segment = top.Segment.Number, Offset = at + Limits.BlockBytes, Length = 2 * Limits.BlockBytes, RegionOffset = BatchHeader.FixedBytes, Previous = 999, Needed = 1_000 };
        var w = new ByteWriter(256);
        forged.WriteFixed(w, new byte[BatchHeader.KeyBytes]);
        forged.Seal(w, 0);
        var payload = new byte[8_000];
        w.Written.CopyTo(payload.AsSpan(Limits.BlockBytes - 528));
        g.AppendTo(0, 41, 3, new Entry(EntryKind.Command, Payload.Of(payload)));
        g.Settle();
        var seen = g.Sim!.Peek(top.Segment.Path).AsSpan((int)forged.Offset, w.Length);
        Assert.True(seen.SequenceEqual(w.Written), "the user's bytes do not stand where a header could");
        g.KillAndOpen();
        Assert.Equal(41, g.Log.Map.Last);
        Assert.Equal(3ul, g.Log.Promise.Term);
        Assert.StartsWith("entry 7", g.Read(7), StringComparison.Ordinal);
    }

    [Fact]
    public void A_segment_whose_first_block_rots_is_searched_like_every_other()
    {
        var g = Filled(entries: 3);
        for (int i = 4; i <= 60; i++)
        {
            g.Append(i, 3, new string('x', 3_000));
            g.Pump(1_000);
        }
        g.Settle();
        g.Kill();
        var first = Scan(g).Found.Values.Last(b => b.Header.Offset == 0);
        g.Sim!.MakeUnreadable(first.Segment.Path, 0);
        g.Open();
        Assert.Equal(60, g.Log.Map.Last);
        Assert.True(g.Log.Mark.Count <= 1, "more than the first block's batch is marked");
    }

    [Fact]
    public void What_a_cut_removed_does_not_come_back_when_its_segment_is_freed()
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            var g = new Ground(StorageLevel.Disk, simulated: true, seed: seed);
            g.Open();
            long next = 1;
            var kept = new Dictionary<long, string>();
            for (int round = 0; round < 14; round++)
            {
                for (int i = 0; i < 14; i++)
                {
                    kept[next] = $"round {round} " + new string('r', 2_500);
                    g.Append(next, 5, kept[next]);
                    next++;
                    g.Pump(1_000);
                }
                long cut = next - 4;
                g.Box().PersistCut(cut);
                g.Hand();
                next = cut + 1;
                g.Settle();
                if (round % 2 == 1) g.LogBegin(cut - 3, 5, g.Snapshot(cut - 3, 5, "s" + round).Identity);
                g.Settle();
                if (round % 3 == 1) g.Sim!.Crash();
                else g.Kill();
                g.Open();
                Assert.Equal(next - 1, g.Log.Map.Last);
                for (long i = g.Log.Map.First; i < next; i++) Assert.Equal(kept[i], g.Read(i));
            }
        }
    }

    [Fact]
    public void What_a_switch_removed_does_not_come_back_when_the_staged_run_has_moved_away()
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        static Entry[] Of(params string[] texts) => [.. texts.Select(t => new Entry(EntryKind.Command, Payload.Of(System.Text.Encoding.UTF8.GetBytes(t))))];
        void Fill(int from, int to)
        {
            for (int i = from; i <= to; i++)
            {
                g.Append(i, 5, new string('v', 3_000));
                g.Pump(1_000);
            }
            g.Settle();
        }
        // 1. in the first segment: entries 1 to 5, and 4 to 6 staged. 2. in the second: 6 to 8 behind them; then the switch cuts from 4 on and adopts 4 to 6.
        g.AppendTo(1, 1, 1, Of("1", "2", "3", "4", "5"));
        Take(g, 1, new Verb { Persist = PersistKind.Stage, First = 4, Term = 2 }, Of("s4", "s5", "s6"));
        Fill(1, 20);
        g.AppendTo(1, 6, 1, Of("6", "7", "8"));
        Take(g, 1, new Verb { Persist = PersistKind.Switch });
        g.Settle();
        // 3. the first segment goes, and what of it lives is written again; the second one is still needed.
        g.LogBegin(17, 5, g.Snapshot(18, 5, "s").Identity);
        Fill(21, 60);
        g.Kill();
        var scan = Scan(g);
        ulong needed = scan.Found.Values.Max(b => b.Header.Needed);
        Assert.True(scan.Found.Values.Any(b => b.Header.Number >= needed && b.Header.Ops.Any(o => o.Partition == 1 && o.Kind == OpKind.Append && o.First == 6)), "the batch of what was cut is not read any more");
        Assert.False(scan.Found.Values.Any(b => b.Header.Number >= needed && b.Header.Ops.Any(o => o.Partition == 1 && o.Kind == OpKind.Stage)), "the staged run is still read");
        g.Open();
        Assert.Equal(6, g.Store.Journal.Partition(1).Map.Last);
        Assert.Equal(["1", "2", "3", "s4", "s5", "s6"], Enumerable.Range(1, 6).Select(i => g.Read(i, 1)!));
    }

    [Fact]
    public void A_moved_run_is_there_whenever_the_power_goes_while_it_moves()
    {
        for (int after = 0; after < 60; after++)
        {
            var g = new Ground(StorageLevel.Disk, simulated: true, seed: (ulong)after + 1);
            g.Open();
            g.AppendTo(1, 1, 1, new Entry(EntryKind.Command, Payload.Of("small"u8.ToArray())));
            g.Vote(7, 2, partition: 1);
            for (int i = 1; i <= 26; i++)
            {
                g.Append(i, 5, new string('v', 3_000));
                g.Pump(1_000);
            }
            g.Settle();
            g.LogBegin(24, 5, g.Snapshot(25, 5, "s").Identity);
            g.Sim!.CrashAfter(after);
            try
            {
                for (int i = 27; i <= 60; i++)
                {
                    g.Append(i, 5, new string('v', 3_000));
                    g.Pump(1_000);
                }
                g.Settle();
            }
            catch (SimCrash)
            {
                Assert.True(after >= 0);
            }
            g.Sim.Crash();
            g.Open();
            Assert.Equal("small", g.Read(1, 1));
            Assert.Equal(7ul, g.Store.Journal.Partition(1).Promise.Term);
        }
    }

    [Fact]
    public void A_moved_run_frees_its_old_place_one_batch_later()
    {
        // 1. a small partition keeps the oldest segment; everything else in it is not needed any more.
        var g = WithSmall(out var texts);
        // 2. it is moved; the batch that moves it is the last one that the disk sees, and is torn: its header is there, its runs are not.
        var moving = FillUntil(g, static b => b.Header.Ops.Any(o => o.Partition == 1 && o.Kind == OpKind.Moved));
        g.Kill();
        var run = moving.Header.Ops.First(o => o.Partition == 1 && o.HasBytes);
        g.Sim!.FlipBit(moving.Segment.Path, moving.Header.Offset + moving.Header.RegionOffset + run.Offset + 20);
        // 3. it is cut, and the old place still counts: this header had needed it.
        g.Open();
        Assert.Contains(g.Notes.Lines, l => l.Contains("torn and is cut", StringComparison.Ordinal));
        Assert.Equal(texts, Enumerable.Range(1, 3).Select(i => g.Read(i, 1)));
    }

    [Fact]
    public void What_is_moved_goes_under_its_newest_stamp()
    {
        var g = WithSmall(out var texts);
        Take(g, 1, new Verb { Persist = PersistKind.Stamp, First = 1, Last = 2, Term = 9 });
        for (int i = 27; i <= 60; i++)
        {
            g.Append(i, 5, new string('v', 3_000));
            g.Pump(1_000);
        }
        g.Settle();
        var moved = Scan(g).Found.Values.SelectMany(b => b.Header.Ops).Where(o => o.Partition == 1 && o.Kind == OpKind.Moved).ToArray();
        Assert.Equal([(1L, 2L, 9ul), (3L, 3L, 1ul)], moved.Select(o => (o.First, o.Last, o.Term)));
        g.KillAndOpen();
        var log = g.Store.Journal.Partition(1);
        Assert.True(log.Map.Matches(1, 9) && log.Map.Matches(2, 9) && log.Map.Matches(3, 1), "the stamp was taken back by what moved behind it");
        Assert.Equal(texts, Enumerable.Range(1, 3).Select(i => g.Read(i, 1)));
    }

    [Fact]
    public void An_opening_that_is_torn_takes_no_promise_along()
    {
        // 1. a vote in partition 1, carried by the second segment's opening; of the entries only those behind that opening are needed.
        var g = Half(static g => g.Vote(7, 2, partition: 1));
        // 2. the third segment's opening is the last batch that the disk sees, and is torn: its header is there, and counts.
        var opening = FillUntil(g, static b => b.Header.Is(BatchFlags.Opening));
        g.Kill();
        var run = opening.Header.Ops.First(o => o.HasBytes);
        g.Sim!.FlipBit(opening.Segment.Path, opening.Header.Offset + opening.Header.RegionOffset + run.Offset + 20);
        // 3. it is cut; what it says to need still covers the opening before it.
        g.Open();
        Assert.Contains(g.Notes.Lines, l => l.Contains("torn and is cut", StringComparison.Ordinal));
        Assert.Equal(new Promise(7, 2, 14), g.Store.Journal.Partition(1).Promise);
    }

    /// <summary>The first segment is full and half of the second; of partition 0 nothing is needed that stands in the first one, once the next header says so.</summary>
    private static Ground Half(Action<Ground> first)
    {
        var g = new Ground(StorageLevel.Disk, simulated: true);
        g.Open();
        first(g);
        for (int i = 1; i <= 26; i++)
        {
            g.Append(i, 5, new string('v', 3_000));
            g.Pump(1_000);
        }
        g.Settle();
        g.LogBegin(24, 5, g.Snapshot(25, 5, "s").Identity);
        g.Settle();
        return g;
    }

    /// <summary>Partition 1 holds three small entries in the first segment.</summary>
    private static Ground WithSmall(out string[] texts)
    {
        string[] small = texts = ["small one", "small two", "small three"];
        return Half(g => g.AppendTo(1, 1, 1, [.. small.Select(t => new Entry(EntryKind.Command, Payload.Of(System.Text.Encoding.UTF8.GetBytes(t))))]));
    }

    /// <summary>Goes on until the newest batch is such a one; nothing was submitted behind it.</summary>
    private static FoundBatch FillUntil(Ground g, Func<FoundBatch, bool> wanted)
    {
        ulong before = Scan(g).Found.Keys.Last();
        for (int i = 27; i <= 80; i++)
        {
            g.Append(i, 5, new string('v', 3_000));
            g.Store.Pump(new Instant(g.Now, 0));
            g.Sim!.RunDue(g.Now += 1_000);
            if (Scan(g).Found.Values.Last() is var top && top.Header.Number > before && wanted(top)) return top;
        }
        throw new InvalidOperationException("no such batch came");
    }

    [Fact]
    public void After_a_tenth_of_a_second_an_empty_batch_stands_behind_the_last_real_one()
    {
        var g = Filled(entries: 3);
        g.Append(4, 3, "last");
        g.Settle();
        Assert.False(Scan(g).Found.Values.Last().Header.Is(BatchFlags.Empty));
        g.Pump(100_000);
        g.Settle();
        Assert.True(Scan(g).Found.Values.Last().Header.Is(BatchFlags.Empty));
        long batches = g.Store.Journal.BatchesWritten;
        g.Pump(10_000_000);
        g.Settle();
        Assert.Equal(batches, g.Store.Journal.BatchesWritten); // and that one alone
    }
}
