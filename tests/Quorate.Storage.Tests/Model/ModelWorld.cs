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
/// Some random lives of a member's storage on the simulated disk, against a model that is a list of states: after every record that a core persisted stands what the log, the promise and the configurations are then.
/// What is recovered must be one of these states, not older than what was reported durable; what is damaged must be what the world damaged; no number of a batch stands for two.
/// <c>.Steps</c> what cores do, <c>.Kinds</c> the kinds that Raft does not use, <c>.Snapshots</c> own and a leader's, <c>.Faults</c> what the world does to the disk, <c>.Recovered</c> what must hold after a start.
/// </summary>
public sealed partial class ModelWorld
{
    private sealed class Model
    {
        public readonly Outbox Box = new();
        public readonly List<(Ticket Ticket, ModelState State)> Steps = [];
        public int DurableStep;
        public ulong Term = 1;
        public long Commit;
        public SnapshotIdentity Stored;
        public bool BaseLost;
        public ModelState Now => Steps[^1].State;

        public void Reset(ModelState state)
        {
            Steps.Clear();
            Steps.Add((Ticket.None, state));
            DurableStep = 0;
            Box.LastTicket = Ticket.None;
            Box.Clear();
        }
    }

    private readonly ulong _seed;
    private Prng _chance;
    private readonly SimDisk _disk;
    private readonly ListNotes _notes = new();
    private readonly StorageOptions _options;
    private readonly TestSeed _doorSeed;
    private readonly Model[] _models;
    private MemberStore? _store;
    private long _now = 1_000;
    private readonly bool _greedy, _kinds, _short;
    private int _nonce;

    public ModelWorld(ulong seed, bool tell = false)
    {
        _seed = seed;
        _chance = new Prng(seed);
        _fetchChance = new Prng(seed + 0x5EED);
        _greedy = _chance.Chance(0.3);
        _kinds = _chance.Chance(0.6);
        _short = _chance.Chance(0.4);
        _disk = new SimDisk(seed * 31 + 7);
        if (tell) _disk.Trace = t => _notes.Note(0, t);
        _doorSeed = new TestSeed(seed);
        _models = new Model[1 + _chance.Below(3)];
        for (int i = 0; i < _models.Length; i++)
        {
            _models[i] = new Model();
            _models[i].Reset(ModelState.Empty);
        }
        bool alone = _chance.Chance(0.3);
        _options = new StorageOptions
        {
            DataDirectory = "/data",
            Self = new ReplicaId(1),
            SegmentBytes = 64 * 1024,
            MaxEntryBytes = 1024,
            RecentBytes = 32 * 1024,
            SnapshotDueBytes = 64 * 1024,
            MayBeginAnew = alone ? null : static _ => true,
        };
    }

    public List<string> Story => _notes.Lines;
    public int Recoveries { get; private set; }
    public int Flips { get; private set; }
    public int Marks { get; private set; }
    public int Unknown { get; private set; }
    public int FullDisks { get; private set; }
    public int Failures { get; private set; }
    public int Installs { get; private set; }
    public int Adoptions { get; private set; }

    public void Run(int lives)
    {
        for (int life = 0; life < lives; life++)
        {
            if (!TryOpen()) return;
            bool cut = Live();
            Down(cut || _chance.Chance(0.5));
            if (_chance.Chance(0.25)) Damage();
        }
        TryOpen();
    }

    /// <summary>
    /// One life: until its steps are done, the machine stops in the middle of some operation, the journal fails because the disk did, or the power goes (true) while an opening, or what is moved behind it, is on its way.
    /// </summary>
    private bool Live()
    {
        int steps = (int)_chance.Between(5, _greedy ? 300 : 120);
        if (_chance.Chance(0.15)) _disk.CrashAfter(_chance.Below(300));
        if (_chance.Chance(0.1)) FailSoon();
        int ring = _store!.Journal.Segments.Ring;
        long cutBehind = _chance.Chance(0.3) ? 0 : long.MaxValue; // batches written; armed by the next new segment
        try
        {
            for (int i = 0; i < steps && _store!.Failed is null; i++)
            {
                Step();
                var journal = _store.Journal;
                if (cutBehind == 0 && journal.Segments.Ring > ring && _chance.Chance(0.5)) cutBehind = journal.BatchesWritten + _chance.Below(3);
                ring = journal.Segments.Ring;
                if (cutBehind is > 0 and < long.MaxValue && journal.BatchesWritten >= cutBehind && !journal.IsQuiet) return true;
            }
        }
        catch (SimCrash)
        {
            _notes.Note(0, "stopped in the middle of an operation");
        }
        return false;
    }

    private void Down(bool power)
    {
        _writer = null;
        _receiver = null;
        _fetches.Clear();
        _wasFull = _full;
        _notes.Note(0, power ? "power cut" : "kill");
        if (power) _disk.Crash();
        else _disk.Kill();
        DisarmFaults();
        _store = null;
        if (power) NoteNumbers(); // what is on the device now is what the next start finds
    }

    private PartitionLog LogOf(int p) => _store!.Journal.Partition(p);

    private static string Say(FormattableString t) => t.ToString(CultureInfo.InvariantCulture);

    private static string TextOf(in EntryView e) => e.Kind == EntryKind.Configuration ? Convert.ToHexString(e.Payload) : Encoding.UTF8.GetString(e.Payload);

    public override string ToString() => $"world {_seed}";
}
