using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>What the stories begin with, and how they look at the journal.</summary>
internal static class Story
{
    public static Ground Filled(ulong seed = 1, int entries = 40)
    {
        var g = new Ground(StorageLevel.Disk, simulated: true, seed: seed);
        g.Open();
        g.Vote(3, 1);
        for (int i = 1; i <= entries; i++)
        {
            g.Append(i, 3, $"entry {i} " + new string('e', 200));
            g.Pump(1_000);
        }
        g.Settle();
        g.Pump(200_000);
        g.Settle();
        return g;
    }

    /// <summary>The header of the batch that holds an entry.</summary>
    public static FoundBatch BatchOf(Ground g, long index)
    {
        foreach (var b in Scan(g).Found.Values)
            foreach (var op in b.Header.Ops)
                if (op.HasBytes && op.First <= index && op.Last >= index) return b;
        throw new InvalidOperationException();
    }

    public static JournalScan Scan(Ground g)
    {
        var scan = new JournalScan(IdentityFile.Load(g.Sim!, "/data/disk", g.Options).Key.ToArray());
        foreach (string f in g.Sim!.Paths.Where(f => f.EndsWith(".segment", StringComparison.Ordinal)).ToArray())
        {
            StorePaths.TrySegmentNumber(Path.GetFileName(f), out ulong number);
            scan.Read(new Segment(number, f, g.Sim.Open(f, create: false), (int)g.Sim.LengthOf(f)));
        }
        return scan;
    }

    /// <summary>Hands one record to a partition, with the next ticket.</summary>
    public static void Take(Ground g, int partition, Verb verb, params Entry[] entries)
    {
        var box = g.Box(partition);
        box.LastTicket = new Ticket(box.LastTicket.Value + 1);
        verb.Kind = VerbKind.Persist;
        verb.Ticket = box.LastTicket;
        g.Store.Journal.Partition(partition).Gather(verb, entries);
    }
}
