using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>DESIGN §9: the steady state of the journal allocates nothing an entry.</summary>
public class AllocationTests
{
    [Fact]
    public void Gathering_sealing_and_completing_allocate_nothing_an_entry()
    {
        using var g = new Ground(StorageLevel.Disk, simulated: false, segmentBytes: 4 * 1024 * 1024, maxEntryBytes: 64 * 1024, recentBytes: 8 * 1024 * 1024);
        g.Open();
        g.Settle();
        var payload = Payload.Of(new byte[120]);
        var entries = new Entry[8];
        Array.Fill(entries, new Entry(EntryKind.Command, payload));
        var box = new Outbox();
        long index = 1;
        var stored = default(SnapshotIdentity);
        void Turn()
        {
            for (int k = 0; k < 4; k++)
            {
                box.PersistAppend(index, 1, entries);
                index += entries.Length;
            }
            if (index % 1024 == 1 && index > 4096)
            {
                stored = new SnapshotIdentity(index - 2048, 1, 0);
                box.PersistLogBegin(index - 2048, 1, stored);
            }
            foreach (ref readonly var v in box.Verbs) g.Log.Gather(v, box.EntriesOf(v));
            box.Clear();
            g.Now += 50;
            g.Store.Pump(new Instant(g.Now, 0));
            while (box.LastTicket.Value - g.Log.Durable.Value > 100) g.Store.Pump(new Instant(g.Now, 0)); // as a window would hold it back
        }
        for (int i = 0; i < 3_000; i++) Turn();
        long before = GC.GetAllocatedBytesForCurrentThread(), from = index, batches = g.Store.Journal.BatchesWritten;
        for (int i = 0; i < 20_000; i++) Turn();
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        // 640,000 entries and some hundreds of batches: what is left are new segments' works and arrays that grow, a few times in all.
        Assert.True(bytes < (index - from) / 4, $"{bytes} bytes for {index - from} entries in {g.Store.Journal.BatchesWritten - batches} batches");
    }
}
