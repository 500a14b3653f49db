using Quorate.Protocols.Raft;
using Quorate.Runtime.Replica;
using Quorate.Storage;

namespace Quorate.Simulation.Tests.Core;

/// <summary>DESIGN §4: what a peer that lags needs of the disk waits, a few reads at a time; what it does not need goes past.</summary>
public class DelayedSendsTests
{
    private readonly SimDisk _disk = new(7);
    private readonly List<string> _said = [];
    private long _now = 1_000;

    private sealed class Silent : INotes
    {
        public void Note(int level, string text)
        {
            // nobody asks
        }
    }

    private sealed class Zeros : ISeed
    {
        private byte _next;

        public void Fill(Span<byte> bytes)
        {
            foreach (ref byte b in bytes) b = ++_next;
        }
    }

    [Fact]
    public void Ranges_leave_peer_by_peer_in_order_a_few_reads_at_a_time_and_nothing_else_waits()
    {
        var store = Opened();
        var log = store.Journal.Partition(0);
        var sends = new DelayedSends(log);
        Assert.Equal(EntryRead.Later, log.Read(1, out _));
        _disk.Stall(DiskQueue.Reads, _now + 1_000_000);
        for (int i = 0; i < 10; i++)
            foreach (byte to in new byte[] { 2, 3 }) sends.Add(new ReplicaId(to), Range(1 + (i * 10), 10));
        Assert.True(sends.HoldsUp(new ReplicaId(2), Range(150, 5)));
        Assert.False(sends.HoldsUp(new ReplicaId(2), Range(150, 0)));   // a beat
        Assert.False(sends.HoldsUp(new ReplicaId(2), new TimeoutNow(1)));
        Assert.False(sends.HoldsUp(new ReplicaId(4), Range(150, 5)));   // another peer
        Assert.Equal([(2, true), (3, true)], Heard(sends).Order());

        Assert.False(sends.TryTake(out _, out _, out _));
        _disk.Trace = _said.Add;
        Pump(store, 2_000_000);
        Assert.Equal(4, _said.Count(s => s.StartsWith("Read", StringComparison.Ordinal)));

        var taken = new List<(int To, long First)>();
        for (int i = 0; i < 1_000 && sends.Any; i++)
        {
            while (sends.TryTake(out var to, out var message, out var entries))
            {
                var m = Assert.IsType<Append>(message);
                for (long k = m.First; k <= m.Last; k++)
                {
                    Assert.Equal(EntryRead.Here, entries.Read(k, out var e));
                    Assert.Equal((byte)k, e.Payload[0]);
                }
                taken.Add((to.Value, m.First));
            }
            Pump(store, 500);
        }
        foreach (int to in new[] { 2, 3 }) Assert.Equal(Enumerable.Range(0, 10).Select(i => 1L + (i * 10)), taken.Where(t => t.To == to).Select(t => t.First));
        Assert.Equal([(2, false), (3, false)], Heard(sends).Order());
        Assert.Empty(Heard(sends));
    }

    [Fact]
    public void What_waits_for_a_peer_whose_link_changed_leaves_for_nobody()
    {
        var store = Opened();
        var sends = new DelayedSends(store.Journal.Partition(0));
        foreach (byte to in new byte[] { 2, 3, 2, 3 }) sends.Add(new ReplicaId(to), Range(1, 10));
        Assert.False(sends.TryTake(out _, out _, out _));
        sends.Drop(new ReplicaId(2));
        Assert.Equal([(3, true)], Heard(sends)); // of n2 nothing was said yet, and nothing is to be said any more
        int left = 0;
        for (int i = 0; i < 1_000 && sends.Any; i++)
        {
            while (sends.TryTake(out var to, out _, out _))
            {
                Assert.Equal(3, to.Value);
                left++;
            }
            Pump(store, 500);
        }
        Assert.Equal(2, left);
    }

    private static List<(int To, bool Waits)> Heard(DelayedSends sends)
    {
        var heard = new List<(int, bool)>();
        while (sends.News() is { } news) heard.Add((news.To.Value, news.Waits));
        return heard;
    }

    private static Append Range(long first, int count) => new() { Term = 1, PrevIndex = first - 1, PrevTerm = 1, Last = first + count - 1, Commit = 0, Round = 1, ProvenMicros = 0, ProvenRun = 1 };

    /// <summary>A log of 200 entries of which nothing is in memory.</summary>
    private MemberStore Opened()
    {
        var options = new StorageOptions { DataDirectory = "/data", Self = new ReplicaId(1), SegmentBytes = 256 * 1024, MaxEntryBytes = 4096 };
        var seed = new Zeros();
        var store = MemberStore.Open(_disk, options, seed, new Silent());
        var box = new Outbox();
        for (int i = 1; i <= 200; i++)
        {
            box.PersistAppend(i, 1, [new Entry(EntryKind.Command, Payload.Of([(byte)i, 0, 0]))]);
            foreach (ref readonly var v in box.Verbs) store.Journal.Partition(0).Gather(v, box.EntriesOf(v));
            box.Clear();
            Pump(store, 1_000);
        }
        Pump(store, 1_000_000);
        Pump(store, 1_000_000);
        _disk.Kill();
        return MemberStore.Open(_disk, options, seed, new Silent());
    }

    private void Pump(MemberStore store, long micros)
    {
        _now += micros;
        _disk.RunDue(_now);
        store.Pump(new Instant(_now, 0));
    }
}
