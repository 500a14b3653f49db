using Quorate.Simulation;
using Quorate.Storage;
using Quorate.Storage.Doors;

namespace Quorate.Storage.Tests;

/// <summary>Notes that a test can read.</summary>
public sealed class ListNotes : INotes
{
    public List<string> Lines { get; } = [];

    public void Note(int level, string text) => Lines.Add($"{level} {text}");
}

/// <summary>The door of chance, seeded.</summary>
public sealed class TestSeed(ulong seed) : ISeed
{
    private Prng _prng = new(seed);

    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)_prng.Next();
    }
}

/// <summary>One member's store over one of the disks, with the steps that a core's outbox would make.</summary>
public sealed class Ground : IDisposable
{
    private readonly string? _temp;
    private readonly FileDisk? _fileDisk;
    private readonly Dictionary<int, Outbox> _outboxes = [];

    public Ground(StorageLevel level, bool simulated, ulong seed = 1, int segmentBytes = 128 * 1024, int maxEntryBytes = 8 * 1024, bool portable = false, string? directory = null, long recentBytes = 256 * 1024)
    {
        Seed = new TestSeed(seed);
        if (simulated)
        {
            Sim = new SimDisk(seed);
            Disk = Sim;
        }
        else
        {
            _temp = directory is null ? Path.Join(Path.GetTempPath(), "quorate-storage-" + Path.GetRandomFileName()) : null;
            Directory.CreateDirectory(directory ?? _temp!);
            Disk = _fileDisk = new FileDisk(() => { }, portable);
        }
        Options = new StorageOptions
        {
            DataDirectory = simulated ? "/data" : Path.Join(directory ?? _temp, "data"),
            Self = new ReplicaId(1),
            Level = level,
            SegmentBytes = segmentBytes,
            MaxEntryBytes = maxEntryBytes,
            RecentBytes = recentBytes,
            SnapshotDueBytes = segmentBytes,
        };
    }

    public StorageOptions Options { get; set; }
    public TestSeed Seed { get; }
    public ListNotes Notes { get; } = new();
    public SimDisk? Sim { get; }
    public IDisk Disk { get; }
    public MemberStore Store { get; private set; } = null!;
    public long Now { get; set; } = 1_000;
    public PartitionLog Log => Store.Journal.Partition(0);

    public MemberStore Open()
    {
        _outboxes.Clear();
        return Store = MemberStore.Open(Disk, Options, Seed, Notes);
    }

    /// <summary>Ends it as SIGKILL would, and opens it again.</summary>
    public MemberStore KillAndOpen()
    {
        Kill();
        return Open();
    }

    public void Kill()
    {
        if (Sim is not null) Sim.Kill();
        else
        {
            Settle();
            Store.Dispose();
        }
    }

    public void Pump(long micros = 0)
    {
        Now += micros;
        Sim?.RunDue(Now);
        Store.Pump(new Instant(Now, 0));
    }

    /// <summary>Pumps until nothing is under way.</summary>
    public void Settle(long most = 5_000_000)
    {
        long until = Now + most;
        while (Now < until && Store.Failed is null)
        {
            Pump(Sim is not null ? 500 : 200);
            if (Sim is null) Thread.Sleep(1);
            if (Store.Journal.IsQuiet && !Store.Snapshots.IsBusy && Store.Journal.Segments.Spare >= 2 && (Sim?.NextDue ?? Instant.Never) == Instant.Never) return;
            if (Store.Journal.LowSpace && Store.Journal.IsQuiet && !Store.Snapshots.IsBusy) return;
        }
    }

    public Outbox Box(int partition = 0)
    {
        if (!_outboxes.TryGetValue(partition, out var box)) _outboxes.Add(partition, box = new Outbox());
        return box;
    }

    public void Hand(int partition = 0)
    {
        var box = Box(partition);
        foreach (ref readonly var v in box.Verbs) Store.Journal.Partition(partition).Gather(v, box.EntriesOf(v));
        box.Clear();
    }

    public Ticket Append(long first, ulong term, params string[] texts) => AppendTo(0, first, term, [.. texts.Select(t => new Entry(EntryKind.Command, Payload.Of(System.Text.Encoding.UTF8.GetBytes(t))))]);

    public Ticket AppendTo(int partition, long first, ulong term, params Entry[] entries)
    {
        var ticket = Box(partition).PersistAppend(first, term, entries);
        Hand(partition);
        return ticket;
    }

    public Ticket Vote(ulong term, ulong vote, int partition = 0)
    {
        var ticket = Box(partition).PersistPromise(new Promise(term, vote, vote * 7));
        Hand(partition);
        return ticket;
    }

    public string? Read(long index, int partition = 0) =>
        Store.Journal.Partition(partition).TryReadNow(index, out var e) ? System.Text.Encoding.UTF8.GetString(e.Payload) : null;

    /// <summary>Writes a snapshot of some text slices and waits for its event.</summary>
    public SnapshotEvent Snapshot(long index, ulong term, params string[] slices)
    {
        var writer = Store.Snapshots.BeginWrite(0, new SnapshotIdentity(index, term, (ulong)index * 31));
        foreach (string s in slices) writer.Append(System.Text.Encoding.UTF8.GetBytes(s));
        writer.Finish(slices.Length);
        return NextEvent();
    }

    public SnapshotEvent NextEvent()
    {
        for (int i = 0; i < 20_000; i++)
        {
            if (Store.Snapshots.TryTakeEvent(out var e)) return e;
            Pump(500);
            if (Sim is null) Thread.Sleep(1);
        }
        throw new InvalidOperationException("no event");
    }

    /// <summary>A stored body's bytes, as a stream hands them out.</summary>
    public byte[] Raw(in BodyHandle body)
    {
        var stream = Store.Snapshots.OpenBody(body)!;
        var raw = ReadAll(stream, () =>
        {
            Pump(500);
            if (Sim is null) Thread.Sleep(1);
        });
        stream.End();
        return raw;
    }

    internal static byte[] ReadAll(BodyStream stream, Action pump)
    {
        var raw = new byte[stream.Body.Bytes];
        for (int at = 0, rounds = 0; at < raw.Length && rounds < 20_000; rounds++)
        {
            int count = stream.Read(at, raw.AsSpan(at, Math.Min(1000, raw.Length - at)));
            if (count == BodyStream.Gone) throw new InvalidOperationException($"the body ends at {at}");
            if (count == BodyStream.Later) pump();
            at += count;
        }
        return raw;
    }

    public void LogBegin(long index, ulong term, SnapshotIdentity snapshot)
    {
        Box().PersistLogBegin(index, term, snapshot);
        Hand();
    }

    public string Folder => Path.GetDirectoryName(Sim!.Paths.First(p => p.EndsWith(".segment", StringComparison.Ordinal)))!;

    public void Dispose()
    {
        if (Sim is null) Store?.Dispose();
        _fileDisk?.Dispose();
        if (_temp is not null) Directory.Delete(_temp, recursive: true);
    }
}
