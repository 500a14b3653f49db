using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>One suite, run at three levels and over both disks (DESIGN §2): behind one contract.</summary>
public class LevelTests
{
    public static TheoryData<StorageLevel, bool, bool> Grounds => new()
    {
        { StorageLevel.Memory, true, false },
        { StorageLevel.Mapped, true, false },
        { StorageLevel.Disk, true, false },
        { StorageLevel.Mapped, false, false },
        { StorageLevel.Disk, false, false },
        { StorageLevel.Disk, false, true },
    };

    [Theory, MemberData(nameof(Grounds))]
    public void Entries_are_readable_at_once_and_durable_after_a_later_pump(StorageLevel level, bool simulated, bool portable)
    {
        using var g = new Ground(level, simulated, portable: portable);
        g.Open();
        g.Append(1, 1, "a", "b");
        var ticket = g.Append(3, 2, "c");
        Assert.Equal("b", g.Read(2));
        Assert.Equal("c", g.Read(3));
        Assert.True(g.Log.Durable.IsNone);
        g.Settle();
        Assert.Equal(ticket, g.Log.Durable);
        Assert.Equal(3, g.Log.Map.Last);
        Assert.Null(g.Read(4));
    }

    [Theory, MemberData(nameof(Grounds))]
    public void A_kill_forgets_nothing_that_was_durable(StorageLevel level, bool simulated, bool portable)
    {
        if (level == StorageLevel.Memory) return; // holds only what the process holds
        using var g = new Ground(level, simulated, portable: portable);
        g.Open();
        g.Vote(7, 2);
        for (int i = 1; i <= 300; i++)
        {
            g.Append(i, 7, $"entry {i}");
            if (i % 7 == 0) g.Pump(200);
        }
        g.Settle();
        g.KillAndOpen();
        var r = g.Log.Recover(new ReplicaId(1), 1);
        Assert.Equal(new Promise(7, 2, 14), r.Promise);
        Assert.Equal(300, r.Log.Last);
        Assert.Equal(7ul, r.Log.LastTerm);
        for (int i = 1; i <= 300; i++) Assert.Equal($"entry {i}", g.Read(i));
        g.Append(301, 8, "next");
        g.Settle();
        g.KillAndOpen();
        Assert.Equal("next", g.Read(301));
        Assert.Equal(3ul, g.Store.Identity.Run);
    }

    [Theory, MemberData(nameof(Grounds))]
    public void Snapshots_come_back_slice_by_slice_and_the_log_behind_them_goes(StorageLevel level, bool simulated, bool portable)
    {
        using var g = new Ground(level, simulated, portable: portable);
        g.Open();
        var c = new ClusterConfiguration([new(new ReplicaId(1), 5, true, "h:1")]);
        g.AppendTo(0, 1, 1, new Entry(EntryKind.Configuration, Payload.Of(c.Encode())));
        for (int i = 2; i <= 100; i++) g.Append(i, 1, new string('x', 3000));
        g.Settle();
        string big = new('s', 3_000_000);
        var e = g.Snapshot(90, 1, "first", big, "", "last");
        Assert.Equal(SnapshotEventKind.Stored, e.Kind);
        g.LogBegin(80, 1, e.Identity);
        for (int i = 101; i <= 300; i++)
        {
            g.Append(i, 1, new string('y', 3000));
            g.Pump(100);
        }
        g.Settle();
        if (level != StorageLevel.Memory) g.KillAndOpen();
        var r = g.Log.Recover(new ReplicaId(1), 1);
        Assert.Equal(80, r.Log.BeginIndex);
        Assert.Equal(300, r.Log.Last);
        if (level != StorageLevel.Memory) Assert.Equal(90, r.Snapshot.Index);
        Assert.Equal(1, Assert.Single(r.Configurations).Index);
        var reader = g.Store.Snapshots.OpenForRestore(g.Store.Snapshots.Newest(0));
        var slices = new List<string>();
        while (reader.ReadSlice(out var s)) slices.Add(System.Text.Encoding.UTF8.GetString(s));
        Assert.False(reader.Failed);
        Assert.Equal(["first", big, "", "last"], slices);
        Assert.Equal(c.ToString(), reader.Configuration!.Configuration.ToString());
    }

    [Theory, MemberData(nameof(Grounds))]
    public void A_leaders_snapshot_is_received_and_switched_to(StorageLevel level, bool simulated, bool portable)
    {
        using var from = new Ground(level, simulated, seed: 3, portable: portable);
        from.Open();
        for (int i = 1; i <= 50; i++) from.Append(i, 2, "e" + i);
        from.Settle();
        from.Snapshot(40, 2, "state");
        var body = from.Store.Snapshots.Newest(0);
        var raw = from.Raw(body);

        using var g = new Ground(level, simulated, portable: portable);
        g.Open();
        g.Append(1, 1, "stale");
        var receiver = g.Store.Snapshots.BeginReceive(0, body.Snapshot, raw.Length);
        for (int at = 0; at < raw.Length; at += 1000) receiver.Append(raw.AsSpan(at, Math.Min(1000, raw.Length - at)));
        receiver.Finish();
        var e = g.NextEvent();
        Assert.Equal(SnapshotEventKind.Received, e.Kind);
        g.Box().PersistSwitch(e.Body, keepTail: false);
        g.Hand();
        g.Append(41, 3, "new");
        g.Settle();
        if (level != StorageLevel.Memory) g.KillAndOpen();
        Assert.Equal(40, g.Log.Map.BeginIndex);
        Assert.Equal("new", g.Read(41));
        var reader = g.Store.Snapshots.OpenForRestore(g.Store.Snapshots.Newest(0));
        Assert.True(reader.ReadSlice(out var s));
        Assert.Equal("state", System.Text.Encoding.UTF8.GetString(s));
    }
}
