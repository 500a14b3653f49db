using System.Diagnostics;
using System.Text;
using Quorate.Primitives.Tree;
using Xunit.Abstractions;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>Garbage, size, memory and speed.</summary>
public sealed class TortureTests(ITestOutputHelper output)
{
    private sealed class NoEvents : IApplySink
    {
        public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access)
        {
        }
    }

    [Fact]
    public void PrepareThrowsOnNoBytes()
    {
        var maker = new OpMaker(7);
        var t = new Driven();
        var prng = new Prng(99);
        for (int i = 0; i < 60_000; i++)
        {
            byte[] request = Bench.Encode(maker.Next(Driven.Session), maker.Ids());
            int kind = (int)prng.Below(5);
            if (kind == 0) request = request[..(int)prng.Below(request.Length + 1)];
            if (kind == 1) request = [.. request, .. new byte[prng.Below(9)]];
            for (long n = kind >= 2 ? prng.Below(6) : 0; n > 0 && request.Length > 0; n--) request[prng.Below(request.Length)] = (byte)(prng.Below(3) == 0 ? 0xff : prng.Next());
            if (kind == 4 && prng.Below(20) == 0)
            {
                request = new byte[prng.Below(200)];
                for (int b = 0; b < request.Length; b++) request[b] = (byte)prng.Next();
            }
            t.Do(request, session: prng.Below(10) == 0 ? 0 : Driven.Session, maxBytes: prng.Below(10) == 0 ? 200 : 1 << 20);
        }
        RestoresWhole(t.Tree, prng);
    }

    [Fact]
    public void RestoreRefusesGarbage()
    {
        var t = new Driven();
        var maker = new OpMaker(3);
        for (int i = 0; i < 500; i++) t.Do(Bench.Encode(maker.Next(Driven.Session), maker.Ids()));
        var slices = Slices(t.Tree, 300);
        var prng = new Prng(5);
        int refused = 0;
        for (int i = 0; i < 3000; i++)
        {
            var bad = slices.Select(s => s.ToArray()).ToList();
            var slice = bad[(int)prng.Below(bad.Count)];
            int at = (int)prng.Below(slice.Length);
            slice[at] ^= (byte)(1 << (int)prng.Below(8));
            if (prng.Below(10) == 0) bad.RemoveAt((int)prng.Below(bad.Count));
            var restored = new DataTree();
            restored.BeginRestore();
            bool ok = true;
            foreach (var s in bad) ok = ok && restored.RestoreSlice(s);
            ok = ok && restored.EndRestore();
            if (!ok) refused++;
            else Assert.Equal(t.Tree.Digest, restored.Digest);   // a flipped bit in a number that only places a row
        }
        Assert.True(refused > 2700, $"{refused} of 3000 were refused");
    }

    [Fact]
    public void WhatIsTooLargeBecomesAnError()
    {
        var t = new Driven();
        Assert.Equal("Create -5", t.Do(new NaiveOp(TreeOp.Create, "/a") { Data = new byte[1000] }, maxBytes: 900));
        var subs = Enumerable.Range(0, 20).Select(i => new NaiveOp(TreeOp.Create, "/m" + i) { Data = new byte[100] }).ToArray();
        Assert.Equal("Multi -5", t.Do(new NaiveOp(TreeOp.Multi, "") { Subs = subs }, maxBytes: 1500));
        Assert.Equal(4, t.Tree.NodeCount);
        Assert.Equal("Create 0 /m0", t.Create("/m0"));
        t.Ids = [.. Enumerable.Range(0, 500).Select(i => ("digest", "user:" + i))];
        Assert.Equal("Create -114", t.Do(new NaiveOp(TreeOp.Create, "/b") { Acl = [.. Enumerable.Range(0, 900).Select(i => new NaiveAcl(i, "auth", ""))] }, maxBytes: 100_000));
    }

    [Fact]
    public void WarmSetsAndReadsAllocateNothing()
    {
        var tree = new DataTree();
        var sink = new NoEvents();
        ByteWriter transaction = new(4096), result = new(4096), create = new(4096);
        var requests = new ByteWriter[64];
        long zxid = 0;
        for (int i = 0; i < requests.Length; i++)
        {
            byte[] path = Encoding.UTF8.GetBytes($"/key{i}");
            create.Clear();
            Create(create, path, new byte[100]);
            Step(create);
            requests[i] = new ByteWriter(256);
            TreeRequests.Begin(requests[i], Identities.OfAddress("127.0.0.1"));
            TreeRequests.SetData(requests[i], path, new byte[80 + i], false, -1);
        }
        for (int i = 0; i < 2000; i++) Step(requests[i & 63]);
        int node = tree.Find("/key5"u8);
        byte[] ids = Identities.OfAddress("127.0.0.1");
        ReadAll();

        Assert.Equal(0, LeastAllocated(() =>
        {
            for (int i = 0; i < 10_000; i++) Step(requests[i & 63]);
        }));
        Assert.Equal(0, LeastAllocated(() =>
        {
            for (int i = 0; i < 10_000; i++) ReadAll();
        }));

        void Step(ByteWriter request)
        {
            transaction.Clear();
            result.Clear();
            zxid++;
            tree.Prepare(new PrepareContext(zxid, 1, 1000 + zxid, 1 << 20), request.Written, transaction);
            tree.Apply(new ApplyContext(zxid, zxid, 1000 + zxid, 1, true), transaction.Written, sink, result);
            tree.ReleasePending(zxid);
            if (new TreeResult(result.Written).Error != 0) throw new InvalidOperationException();
        }

        void ReadAll()
        {
            int found = tree.Find("/key5"u8);
            if (found != node || tree.Data(found).Length == 0 || tree.Stat(found).Version == 0 || !tree.Allows(tree.Access(found), TreePerms.Read, ids)) throw new InvalidOperationException();
            if (tree.SortedChildren(tree.Find(""u8)).Length != 65) throw new InvalidOperationException();
        }
    }

    [Fact]
    public void CreatesAndDeletesAllocateNothingOnceWarm()
    {
        var tree = new DataTree();
        var sink = new NoEvents();
        ByteWriter transaction = new(4096), result = new(4096), create = new(4096), delete = new(4096);
        TreeRequests.Begin(create, Identities.OfAddress("127.0.0.1"));
        TreeRequests.Create(create, TreeOp.Create2, "/lock-"u8, new byte[100], false);
        TreeRequests.Acls(create, 1);
        TreeRequests.Acl(create, 31, "world"u8, "anyone"u8);
        TreeRequests.CreateEnd(create, 3);
        long zxid = 0;
        Turn();
        Assert.Equal(0, LeastAllocated(() =>
        {
            for (int i = 0; i < 10_000; i++) Turn();
        }));
        Assert.Equal(4, tree.NodeCount);

        void Turn()
        {
            Step(create);
            var path = new TreeResult(result.Written).Path;
            delete.Clear();
            TreeRequests.Begin(delete, s_ids);
            TreeRequests.Delete(delete, path, -1);
            Step(delete);
        }

        void Step(ByteWriter request)
        {
            transaction.Clear();
            result.Clear();
            zxid++;
            tree.Prepare(new PrepareContext(zxid, 77, 1000 + zxid, 1 << 20), request.Written, transaction);
            tree.Apply(new ApplyContext(zxid, zxid, 1000 + zxid, 77, true), transaction.Written, sink, result);
            tree.ReleasePending(zxid);
        }
    }

    [Fact]
    public void AMillionZnodes()
    {
        const int Count = 1_000_000;
        var tree = new DataTree();
        var sink = new NoEvents();
        ByteWriter create = new(4096), transaction = new(4096), result = new();
        byte[] data = new byte[100], path = "/load/key0000000"u8.ToArray();
        long before = GC.GetTotalMemory(true), zxid = 0;
        Create(create, "/load"u8, data);
        Run(create);
        var watch = Stopwatch.StartNew();
        long prepare = 0;
        for (int i = 0; i < Count; i++)
        {
            Number(path, i);
            create.Clear();
            Create(create, path, data);
            prepare += Run(create);
        }
        output.WriteLine($"prepared and applied {Count:N0} creates in {watch.ElapsedMilliseconds} ms, {prepare * 1000 / Stopwatch.Frequency} ms of it in prepare");
        long bytes = GC.GetTotalMemory(true) - before;
        output.WriteLine($"{bytes / (double)Count:F0} bytes a znode, {bytes / (double)Count - 110:F0} beyond its 10 of name and 100 of data");
        Assert.True(bytes / Count < 110 + 150);

        SnapshotAndRestore(tree);
        var prng = new Prng(1);
        watch.Restart();
        long found = 0;
        for (int i = 0; i < Count; i++)
        {
            Number(path, (int)prng.Below(Count));
            found += tree.Find(path) != 0 ? 1 : 0;
        }
        output.WriteLine($"{watch.ElapsedMilliseconds * 1e6 / Count:F0} ns a random lookup");
        Assert.Equal(Count, found);

        watch.Restart();
        prepare = 0;
        for (int i = 0; i < Count; i++)
        {
            Number(path, (int)(i * 7919L % Count));
            create.Clear();
            TreeRequests.Begin(create, s_ids);
            TreeRequests.SetData(create, path, data, false, -1);
            prepare += Run(create);
        }
        output.WriteLine($"{watch.ElapsedMilliseconds * 1e6 / Count:F0} ns a setData of a random node, {prepare * 1e9 / Stopwatch.Frequency / Count:F0} of it in prepare");
        bytes = GC.GetTotalMemory(true) - before;
        output.WriteLine($"{bytes / (double)Count:F0} bytes a znode when all were changed");
        Assert.True(bytes / Count < 110 + 160);

        long Run(ByteWriter request)
        {
            transaction.Clear();
            zxid++;
            long from = Stopwatch.GetTimestamp();
            tree.Prepare(new PrepareContext(zxid, 1, 1000, 1 << 20), request.Written, transaction);
            long took = Stopwatch.GetTimestamp() - from;
            tree.Apply(new ApplyContext(zxid, zxid, 1000, 1, false), transaction.Written, sink, result);
            tree.ReleasePending(zxid);
            return took;
        }
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private void SnapshotAndRestore(DataTree tree)
    {
        var snapshot = new ByteWriter(200_000_000);
        var ends = new List<int>();
        var watch = Stopwatch.StartNew();
        tree.BeginSnapshot(snapshot);
        ends.Add(snapshot.Length);
        long worst = 0;
        for (bool done = false; !done; ends.Add(snapshot.Length))
        {
            long from = Stopwatch.GetTimestamp();
            done = tree.WriteSnapshotSlice(256 * 1024, snapshot);
            worst = Math.Max(worst, Stopwatch.GetTimestamp() - from);
        }
        output.WriteLine($"snapshot of {snapshot.Length:N0} bytes in {watch.ElapsedMilliseconds} ms, {ends.Count} slices of 256 KiB, the longest {worst * 1e6 / Stopwatch.Frequency:F0} us; EncodedBytes said {tree.EncodedBytes:N0}");
        Assert.InRange(tree.EncodedBytes, snapshot.Length * 0.9, snapshot.Length * 1.1);
        watch.Restart();
        var restored = new DataTree();
        restored.BeginRestore();
        int at = 0;
        foreach (int end in ends)
        {
            Assert.True(restored.RestoreSlice(snapshot.Written[at..end]));
            at = end;
        }
        long rows = watch.ElapsedMilliseconds;
        Assert.True(restored.EndRestore());
        output.WriteLine($"restored {restored.RowCount:N0} rows in {watch.ElapsedMilliseconds} ms ({watch.ElapsedMilliseconds - rows} of it at the end)");
        Assert.Equal(tree.Digest, restored.Digest);
        Assert.Equal(tree.NodeCount, restored.NodeCount);
    }

    [Fact]
    public void ASessionOfFortyThousandEnds()
    {
        var t = new Driven();
        for (int i = 0; i < 40_000; i++) t.Create($"/e{i}", flags: 1);
        var watch = Stopwatch.StartNew();
        t.Tree.PrepareSessionEnd(t.Zxid + 1, Driven.Session);
        long prepared = watch.ElapsedMilliseconds;
        t.Tree.ApplySessionEnd(new ApplyContext(t.Zxid + 1, t.Zxid + 1, 2000, Driven.Session, false), Driven.Session, new NoEvents());
        t.Tree.ReleasePending(t.Zxid + 1);
        output.WriteLine($"40,000 ephemerals gone: prepare {prepared} ms, apply {watch.ElapsedMilliseconds - prepared} ms");
        Assert.Equal((4, 0L, 0), (t.Tree.NodeCount, t.Tree.EphemeralCount, t.Tree.PendingCount));
    }

    [Fact]
    public void ManyNodesComeAndGo()
    {
        var prng = new Prng(11);
        var t = new Driven();
        var there = new HashSet<string>();
        for (int round = 0; round < 6; round++)
        {
            int bias = round % 2 == 0 ? 8 : 2;
            for (int i = 0; i < 15_000; i++)
            {
                string path = "/n" + prng.Below(12_000);
                if (prng.Below(10) < bias) Assert.Equal(there.Add(path) ? $"Create 0 {path}" : "Create -110", t.Create(path, data: new string('x', (int)prng.Below(300))));
                else Assert.Equal(there.Remove(path) ? "Delete 0" : "Delete -101", t.Delete(path));
            }
            Assert.Equal(there.Count + 4, t.Tree.NodeCount);
            for (int i = 0; i < 12_000; i++) Assert.Equal(there.Contains("/n" + i), t.Node("/n" + i) != 0);
        }
        RestoresWhole(t.Tree, prng);
    }

    [Fact]
    public void SlabsKeepWhatIsStored()
    {
        var slabs = new ByteSlabs();
        var prng = new Prng(21);
        var live = new List<(uint At, byte[] Bytes)>();
        for (int i = 0; i < 60_000; i++)
        {
            int kind = live.Count < 50 ? 0 : (int)prng.Below(live.Count > 3000 ? 4 : 3);
            if (kind == 0)
            {
                var bytes = Make();
                live.Add((slabs.Store(bytes), bytes));
                continue;
            }
            int which = (int)prng.Below(live.Count);
            var (at, old) = live[which];
            Assert.True(slabs.Span(at, old.Length).SequenceEqual(old));
            if (kind == 1)
            {
                var bytes = Make();
                live[which] = (slabs.Replace(at, old.Length, bytes), bytes);
            }
            else
            {
                slabs.Free(at, old.Length);
                live[which] = live[^1];
                live.RemoveAt(live.Count - 1);
            }
        }
        foreach (var (at, bytes) in live) Assert.True(slabs.Span(at, bytes.Length).SequenceEqual(bytes));

        byte[] Make()
        {
            int length = (int)(prng.Below(4) switch { 0 => prng.Below(20), 1 => prng.Below(300), 2 => prng.Below(5000), _ => prng.Below(50) == 0 ? prng.Below(100_000) : prng.Below(140) });
            var bytes = new byte[length];
            byte fill = (byte)prng.Next();
            for (int i = 0; i < length; i++) bytes[i] = (byte)(fill + i);
            return bytes;
        }
    }

    /// <summary>The least of some tries: a collection that another test causes counts what this thread's allocation buffer had left.</summary>
    private static long LeastAllocated(Action action)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 8 && least != 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    private static void RestoresWhole(DataTree tree, Prng prng)
    {
        var slices = Slices(tree, (int)prng.Between(100, 5000));
        var restored = new DataTree();
        restored.BeginRestore();
        foreach (var slice in slices) Assert.True(restored.RestoreSlice(slice));
        Assert.True(restored.EndRestore());
        Assert.Equal(tree.Digest, restored.Digest);
        Assert.Equal(Bench.Dump(tree), Bench.Dump(restored));
    }

    private static List<byte[]> Slices(DataTree tree, int bytes)
    {
        var slices = new List<byte[]>();
        var w = new ByteWriter();
        tree.BeginSnapshot(w);
        slices.Add(w.Written.ToArray());
        for (bool done = false; !done;)
        {
            w.Clear();
            done = tree.WriteSnapshotSlice(bytes, w);
            slices.Add(w.Written.ToArray());
        }
        return slices;
    }

    private static void Create(ByteWriter w, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data)
    {
        TreeRequests.Begin(w, s_ids);
        TreeRequests.Create(w, TreeOp.Create, path, data, false);
        TreeRequests.Acls(w, 1);
        TreeRequests.Acl(w, 31, "world"u8, "anyone"u8);
        TreeRequests.CreateEnd(w, 0);
    }

    private static readonly byte[] s_ids = Identities.OfAddress("127.0.0.1");

    private static void Number(byte[] path, int number)
    {
        for (int i = path.Length - 1; i >= path.Length - 7; i--, number /= 10) path[i] = (byte)('0' + number % 10);
    }
}
