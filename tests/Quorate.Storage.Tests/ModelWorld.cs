using System.Globalization;
using System.Text;
using Quorate.Simulation;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>A promise that storage broke, in a world of a given seed.</summary>
#pragma warning disable CA1710
public sealed class BrokenPromise(string what) : Exception(what);
#pragma warning restore CA1710

/// <summary>
/// One random life of a member's storage on the simulated disk, against a model that is a list of states: after every record that a core persisted stands what the log, the promise and the configurations are then.
/// What is recovered must be one of these states, not older than what was reported durable.
/// </summary>
public sealed class ModelWorld
{
    private sealed record State(Promise Promise, long Begin, SortedDictionary<long, (ulong Term, string Text)> Log, SortedDictionary<long, string> Configurations)
    {
        public State Copy() => this with { Log = new(Log), Configurations = new(Configurations) };
        public long Last => Log.Count == 0 ? Begin : Log.Keys.Last();
    }

    private sealed class Model
    {
        public readonly Outbox Box = new();
        public readonly List<(Ticket Ticket, State State)> Steps = [];
        public int DurableStep;
        public ulong Term = 1;
        public long Commit;
        public SnapshotIdentity Stored;
        public State Now => Steps[^1].State;
    }

    private readonly ulong _seed;
    private Prng _chance;
    private readonly SimDisk _disk;
    private readonly ListNotes _notes = new();
    private readonly StorageOptions _options;
    private readonly TestSeed _doorSeed;
    private readonly Model[] _models;
    private readonly Dictionary<long, string> _snapshots = [];
    private MemberStore? _store;
    private SnapshotWriter? _writer;
    private long _now = 1_000;
    private readonly bool _greedy;
    private int _nonce;
    private string? _flipped;

    public ModelWorld(ulong seed, bool tell = false)
    {
        _seed = seed;
        _chance = new Prng(seed);
        _greedy = _chance.Chance(0.3);
        _disk = new SimDisk(seed * 31 + 7);
        if (tell) _disk.Trace = t => _notes.Note(0, t);
        _doorSeed = new TestSeed(seed);
        _models = new Model[1 + _chance.Below(3)];
        for (int i = 0; i < _models.Length; i++)
        {
            _models[i] = new Model();
            _models[i].Steps.Add((Ticket.None, new State(default, 0, [], [])));
        }
        _options = new StorageOptions { DataDirectory = "/data", Self = new ReplicaId(1), SegmentBytes = 64 * 1024, MaxEntryBytes = 1024, RecentBytes = 32 * 1024, SnapshotDueBytes = 64 * 1024 };
    }

    public List<string> Story => _notes.Lines;
    public int Recoveries { get; private set; }
    public int Flips { get; private set; }
    public int Marks { get; private set; }

    public void Run(int lives)
    {
        for (int life = 0; life < lives; life++)
        {
            if (!TryOpen()) return;
            int steps = (int)_chance.Between(5, _greedy ? 300 : 120);
            for (int i = 0; i < steps; i++) Step();
            Down();
            if (_flipped is null && _chance.Chance(0.15)) Flip();
        }
        TryOpen();
    }

    private void Step()
    {
        // The last partition is a quiet one: its few entries are moved, or they would keep the ring.
        int p = (int)_chance.Below(_chance.Chance(0.05) || _models.Length == 1 ? _models.Length : _models.Length - 1);
        var m = _models[p];
        if (_chance.Chance(0.03)) _disk.Stall(DiskQueue.Journal, _now + _chance.Between(1_000, 10_000)); // so that several batches wait
        switch (_chance.Below(20))
        {
            case < 9:
                Append(p, m);
                break;
            case 9:
                m.Term += (ulong)_chance.Between(1, 3);
                Persist(p, m, m.Box.PersistPromise(new Promise(m.Term, (ulong)_chance.Below(3) + 1, 9)), s => s with { Promise = new Promise(m.Term, m.Box.Verbs[^1].Promise.Vote, 9) });
                break;
            case 10 when m.Now.Last > m.Commit && _chance.Chance(0.3):
                long cut = _chance.Between(m.Commit, m.Now.Last);
                Persist(p, m, m.Box.PersistCut(cut), s => Truncated(s, cut));
                break;
            case 11:
                Commit(p, m);
                break;
            case 12:
                Snapshot(p, m);
                break;
            case 13 when !m.Stored.IsNone && m.Stored.Index > m.Now.Begin:
                long begin = _chance.Between(Math.Max(m.Now.Begin + 1, m.Stored.Index - 10), m.Stored.Index + 1);
                Persist(p, m, m.Box.PersistLogBegin(begin, m.Now.Log[begin].Term, m.Stored), s => Begun(s, begin));
                break;
            default:
                Pump(_chance.Chance(0.1) ? _chance.Between(0, 300_000) : _chance.Between(0, 600));
                break;
        }
        if (_chance.Chance(0.02)) Check();
    }

    private void Append(int p, Model m)
    {
        long first = m.Now.Last + 1;
        if (_chance.Chance(0.1) && m.Now.Last > m.Commit) first = _chance.Between(m.Commit + 1, m.Now.Last + 1);
        int count = (int)_chance.Between(1, p > 0 && p == _models.Length - 1 ? 2 : 6);
        var entries = new Entry[count];
        var texts = new string[count];
        var configurations = new string?[count];
        for (int i = 0; i < count; i++)
        {
            if (_chance.Chance(0.03))
            {
                var c = new ClusterConfiguration([new(new ReplicaId(1), (ulong)++_nonce, true, "a:1"), new(new ReplicaId(2), 2, true, "a:2"), new(new ReplicaId(3), 3, true, "a:3")]);
                entries[i] = new Entry(EntryKind.Configuration, Payload.Of(c.Encode()));
                configurations[i] = Convert.ToHexString(c.Encode());
                texts[i] = configurations[i]!;
                continue;
            }
            texts[i] = $"p{p} i{first + i} t{m.Term} n{++_nonce} " + new string('.', (int)_chance.Below(_chance.Chance(_greedy ? 0.8 : 0.1) ? 900 : 100));
            entries[i] = new Entry(EntryKind.Command, Payload.Of(Encoding.UTF8.GetBytes(texts[i])));
        }
        ulong term = m.Term;
        var ticket = m.Box.PersistAppend(first, term, entries);
        Hand(p, m);
        // One persist may be split over batches: each entry is a step of its own.
        for (int i = 0; i < count; i++)
        {
            var s = i == 0 ? Truncated(m.Now.Copy(), first - 1) : m.Now.Copy();
            s.Log[first + i] = (term, texts[i]);
            if (configurations[i] is { } c) s.Configurations[first + i] = c;
            m.Steps.Add((ticket, s));
        }
    }

    private void Persist(int p, Model m, Ticket ticket, Func<State, State> change)
    {
        var next = change(m.Now.Copy());
        Hand(p, m);
        m.Steps.Add((ticket, next));
    }

    private void Hand(int p, Model m)
    {
        foreach (ref readonly var v in m.Box.Verbs) _store!.Journal.Partition(p).Gather(v, m.Box.EntriesOf(v));
        m.Box.Clear();
    }

    private void Commit(int p, Model m)
    {
        // What a leader calls committed is durable here as well, in this world without peers.
        var durable = m.Steps[m.DurableStep].State;
        long most = durable.Begin;
        foreach (var (i, e) in durable.Log)
            if (m.Now.Log.TryGetValue(i, out var n) && n == e) most = i;
            else if (i > m.Now.Begin) break;
        m.Commit = Math.Max(m.Commit, most);
    }

    private void Snapshot(int p, Model m)
    {
        if (_writer is not null || m.Commit <= m.Now.Begin || !m.Now.Log.TryGetValue(m.Commit, out var at)) return;
        string text = $"state of p{p} at {m.Commit} " + new string('#', (int)_chance.Below(20_000));
        long key = p * 1_000_000_000L + m.Commit;
        _snapshots.TryAdd(key, text);
        _writer = _store!.Snapshots.BeginWrite(p, new SnapshotIdentity(m.Commit, at.Term, (ulong)m.Commit));
        _writer.Append(Encoding.UTF8.GetBytes(_snapshots[key]));
        _writer.Finish(1);
    }

    private void Pump(long micros)
    {
        _now += micros;
        _disk.RunDue(_now);
        _store!.Pump(new Instant(_now, 0));
        if (_store.Failed is { } failed) throw new BrokenPromise($"the journal failed: {failed.Message}");
        while (_store.Snapshots.TryTakeEvent(out var e))
        {
            _writer = null;
            if (e.Kind != SnapshotEventKind.Stored) throw new BrokenPromise($"snapshot failed: {e.Reason}");
            var m = _models[e.Partition];
            if (e.Identity.Index > m.Stored.Index) m.Stored = e.Identity;
        }
        for (int p = 0; p < _models.Length; p++)
        {
            var m = _models[p];
            var durable = _store.Journal.Partition(p).Durable;
            while (m.DurableStep + 1 < m.Steps.Count && m.Steps[m.DurableStep + 1].Ticket <= durable) m.DurableStep++;
        }
    }

    private void Check()
    {
        for (int p = 0; p < _models.Length; p++)
            if (Difference(p, _models[p].Now, _store!.Journal.Partition(p), []) is { } d) throw new BrokenPromise($"live: {d}");
    }

    private void Down()
    {
        _writer = null;
        bool power = _chance.Chance(0.5);
        _notes.Note(0, power ? "power cut" : "kill");
        if (power) _disk.Crash();
        else _disk.Kill();
        _store = null;
    }

    private bool TryOpen()
    {
        while (true)
        {
            bool early = _chance.Chance(0.2);
            if (early) _disk.CrashAfter(_chance.Below(60));
            try
            {
                _store = MemberStore.Open(_disk, _options, _doorSeed, _notes);
                _disk.CrashAfter(long.MaxValue);
                break;
            }
            catch (SimCrash)
            {
                _notes.Note(0, "stopped while opening");
                if (_chance.Chance(0.5)) _disk.Crash();
                else _disk.Kill();
            }
            catch (StorageRefusal r)
            {
                throw new BrokenPromise($"refused: {r.Message} (flipped: {_flipped})");
            }
        }
        Recoveries++;
        _notes.Note(0, $"opened: {_store.Identity.Directory:x} run {_store.Identity.Run}");
        return Recovered();
    }

    /// <summary>False when the world ends here, having seen damage named as it must be.</summary>
    private bool Recovered()
    {
        bool damaged = false;
        for (int p = 0; p < _models.Length; p++)
        {
            var m = _models[p];
            var log = _store!.Journal.Partition(p);
            var mark = log.Mark.Select(d => d.Index).ToHashSet();
            if (mark.Count > 0)
            {
                damaged = true;
                Marks++;
                if (_flipped is null) throw new BrokenPromise($"p{p}: a mark without damage: {log.Mark[0]}");
                if (!_store.Damage.Any(d => d.Partition == p && _flipped.StartsWith(d.File, StringComparison.Ordinal))) throw new BrokenPromise($"p{p}: the damage does not name {_flipped}");
            }
            CheckSnapshot(p, m, log);
            string? nearest = null;
            int found = -1;
            for (int k = m.Steps.Count - 1; k >= m.DurableStep; k--)
            {
                if (Difference(p, m.Steps[k].State, log, mark) is { } d)
                {
                    nearest ??= d;
                    continue;
                }
                found = k;
                break;
            }
            if (found < 0) throw new BrokenPromise($"p{p}: nothing between the durable step {m.DurableStep} and the last {m.Steps.Count - 1} was recovered; against the last: {nearest}; against the durable: {Difference(p, m.Steps[m.DurableStep].State, log, mark)} (flipped {_flipped})");
            var state = m.Steps[found].State.Copy();
            if (log.Map.BeginIndex > state.Begin) state = Begun(state, log.Map.BeginIndex);
            m.Steps.Clear();
            m.Steps.Add((Ticket.None, state));
            m.DurableStep = 0;
            m.Box.LastTicket = Ticket.None;
            m.Box.Clear();
            m.Commit = Math.Max(Math.Min(m.Commit, state.Last), state.Begin);
            m.Stored = log.Recover(new ReplicaId(1), 1).Snapshot;
        }
        return !damaged;
    }

    private void CheckSnapshot(int p, Model m, PartitionLog log)
    {
        var body = _store!.Snapshots.Newest(p);
        if (log.BaseLost)
        {
            if (_flipped is null || !_flipped.Contains(".snapshot", StringComparison.Ordinal)) throw new BrokenPromise($"p{p}: the base is lost without a flip");
            return;
        }
        if (body.Snapshot.Index < log.Map.BeginIndex) throw new BrokenPromise($"p{p}: the log begins at {log.Map.BeginIndex}, the snapshot is at {body.Snapshot.Index}");
        if (body.Snapshot.IsNone) return;
        if (m.Stored.Index > body.Snapshot.Index && _flipped is null) throw new BrokenPromise($"p{p}: the stored snapshot at {m.Stored.Index} is gone, {body.Snapshot.Index} is there");
        var reader = _store.Snapshots.OpenForRestore(body);
        var text = new StringBuilder();
        while (reader.ReadSlice(out var s)) text.Append(Encoding.UTF8.GetString(s));
        if (reader.Failed || text.ToString() != _snapshots[p * 1_000_000_000L + body.Snapshot.Index]) throw new BrokenPromise($"p{p}: the snapshot at {body.Snapshot.Index} does not read back (flipped {_flipped})");
    }

    private string? Difference(int p, State s, PartitionLog log, HashSet<long> mark)
    {
        string say(FormattableString t) => t.ToString(CultureInfo.InvariantCulture);
        if (log.Promise != s.Promise) return say($"promise {log.Promise}, expected {s.Promise}");
        if (log.Map.Last != s.Last) return say($"last {log.Map.Last}, expected {s.Last}");
        long newest = _store!.Snapshots.Newest(p).Snapshot.Index;
        if (log.Map.BeginIndex != s.Begin && (mark.Count > 0 || _flipped is null || log.Map.BeginIndex < s.Begin || log.Map.BeginIndex != newest)) return say($"begin {log.Map.BeginIndex}, expected {s.Begin}");
        for (long i = log.Map.First; i <= log.Map.Last; i++)
        {
            if (!log.Map.TryTermOf(i, out ulong term) || term != s.Log[i].Term) return say($"term {term} at {i}, expected {s.Log[i].Term}");
            if (mark.Contains(i)) continue;
            if (!log.TryRead(i, out var e)) return say($"entry {i} cannot be read");
            string text = e.Kind == EntryKind.Configuration ? Convert.ToHexString(e.Payload) : Encoding.UTF8.GetString(e.Payload);
            if (text != s.Log[i].Text) return say($"entry {i} is {text}, expected {s.Log[i].Text}");
        }
        var above = s.Configurations.Where(c => c.Key > log.Map.BeginIndex).Select(c => c.Key);
        var own = log.Configurations.Where(c => c.Index > log.Map.BeginIndex).Select(c => c.Index);
        if (!above.SequenceEqual(own)) return say($"configurations at {string.Join(',', own)}, expected {string.Join(',', above)}");
        long below = s.Configurations.Keys.Where(k => k <= log.Map.BeginIndex).DefaultIfEmpty(0).Max();
        if (below > 0 && !log.Configurations.Any(c => c.Index == below)) return say($"the configuration at {below} is gone");
        return null;
    }

    /// <summary>One bit, anywhere but in the highest batch: that it rots before its successor's header is durable is two faults at once (storage.md §2.4).</summary>
    private void Flip()
    {
        var files = _disk.Paths.Where(f => (f.EndsWith(".segment", StringComparison.Ordinal) || f.EndsWith(".snapshot", StringComparison.Ordinal)) && _disk.LengthOf(f) > 0).ToArray();
        if (files.Length == 0) return;
        string path = files[_chance.Below(files.Length)];
        long offset = _chance.Below(_disk.LengthOf(path));
        if (path.EndsWith(".segment", StringComparison.Ordinal))
        {
            var (top, at, length, used) = Top(path);
            if (used == 0) return;
            offset = _chance.Below(used);
            if (top && offset >= at && offset < at + length) return;
        }
        _disk.FlipBit(path, offset, (int)_chance.Below(8));
        _flipped = path + "@" + offset.ToString(CultureInfo.InvariantCulture);
        Flips++;
    }

    /// <summary>Whether the highest batch stands in this file, and where; and up to where the file holds batches.</summary>
    private (bool Top, long At, long Length, long Used) Top(string path)
    {
        var key = IdentityFile.Load(_disk, "/data/disk", _options).Key.ToArray();
        var scan = new JournalScan(key);
        foreach (string f in _disk.Paths.Where(f => f.EndsWith(".segment", StringComparison.Ordinal)).ToArray())
        {
            StorePaths.TrySegmentNumber(Path.GetFileName(f), out ulong number);
            scan.Read(new Segment(number, f, _disk.Open(f, create: false), (int)_disk.LengthOf(f)));
        }
        if (scan.Found.Count == 0) return (false, 0, 0, 0);
        var top = scan.Found.Values.Last();
        long used = scan.Found.Values.Where(b => b.Segment.Path == path).Select(b => b.Header.Offset + b.Header.Length).DefaultIfEmpty(0).Max();
        return (top.Segment.Path == path, top.Header.Offset, top.Header.Length, used);
    }

    private static State Truncated(State s, long last)
    {
        foreach (long i in s.Log.Keys.Where(i => i > last).ToArray()) s.Log.Remove(i);
        foreach (long i in s.Configurations.Keys.Where(i => i > last).ToArray()) s.Configurations.Remove(i);
        return s;
    }

    private static State Begun(State s, long begin)
    {
        foreach (long i in s.Log.Keys.Where(i => i <= begin).ToArray()) s.Log.Remove(i);
        return s with { Begin = begin };
    }

    public override string ToString() => $"world {_seed}";
}
