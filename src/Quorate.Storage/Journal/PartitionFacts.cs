namespace Quorate.Storage;

/// <summary>
/// Everything of a partition that is no run: promise, where the log begins and on which snapshot it rests, configurations, the mark (storage.md §1.5). Small; an opening carries it whole.
/// The same code follows what is gathered, what is written, and what recovery reads.
/// </summary>
internal sealed class PartitionFacts(int partition)
{
    private readonly List<ConfigurationAt> _configurations = [];
    private readonly List<DamagedEntry> _mark = [];

    public int Partition { get; } = partition;
    public Promise Promise { get; private set; }
    public long BeginIndex { get; private set; }
    public ulong BeginTerm { get; private set; }

    /// <summary>The snapshot that the begin rests on.</summary>
    public SnapshotIdentity Base { get; private set; }

    /// <summary>The last snapshot that a switch adopted: its installed file counts (§4.5).</summary>
    public SnapshotIdentity Installed { get; private set; }

    /// <summary>By index; the newest at or below the begin, and every one above it.</summary>
    public IReadOnlyList<ConfigurationAt> Configurations => _configurations;

    /// <summary>Damaged entries that are left, by index.</summary>
    public List<DamagedEntry> Mark => _mark;

    public ClusterConfiguration? Latest => _configurations.Count == 0 ? null : _configurations[^1].Configuration;

    /// <summary>The configuration that rules at an index.</summary>
    public ConfigurationAt? ConfigurationAtMost(long index)
    {
        for (int i = _configurations.Count - 1; i >= 0; i--)
            if (_configurations[i].Index <= index) return _configurations[i];
        return null;
    }

    public void Apply(in BatchOp op)
    {
        switch (op.Kind)
        {
            case OpKind.Promise:
                Promise = op.Promise;
                break;
            case OpKind.Append:
                ForgetFrom(op.First);
                break;
            case OpKind.Cut when !op.Flag:
                ForgetFrom(op.First);
                break;
            case OpKind.Put:
                Repaired(op.First, op.Last);
                for (int i = _configurations.Count - 1; i >= 0; i--)
                    if (_configurations[i].Index >= op.First && _configurations[i].Index <= op.Last) _configurations.RemoveAt(i);
                break;
            case OpKind.Stamp:
                // A lost entry's mark follows its stamp, or an opening would give the entry its old one back.
                for (int i = 0; i < _mark.Count; i++)
                    if (_mark[i].Index >= op.First && _mark[i].Index <= op.Last) _mark[i] = new DamagedEntry(op.Term, _mark[i].Index);
                break;
            case OpKind.Moved when !op.Flag:
                Repaired(op.First, op.Last);
                break;
            case OpKind.Switch:
                Switch(op.Snapshot, op.Flag);
                break;
            case OpKind.LogBegin:
                Begin(op.First, op.Term, op.Snapshot);
                break;
            case OpKind.Configuration:
                AddConfiguration(new ConfigurationAt(op.First, op.Configuration!));
                break;
            case OpKind.Facts:
                Promise = op.Promise;
                BeginIndex = op.First;
                BeginTerm = op.Term;
                Base = op.Snapshot;
                Installed = op.Installed;
                _configurations.Clear();
                _mark.Clear();
                break;
            case OpKind.Mark:
                _mark.Clear();
                _mark.AddRange(op.Mark!);
                break;
        }
    }

    public void CopyFrom(PartitionFacts other)
    {
        Promise = other.Promise;
        BeginIndex = other.BeginIndex;
        BeginTerm = other.BeginTerm;
        Base = other.Base;
        Installed = other.Installed;
        _configurations.Clear();
        _configurations.AddRange(other._configurations);
        _mark.Clear();
        _mark.AddRange(other._mark);
    }

    /// <summary>The records that say all of it again: the facts, then configurations and mark.</summary>
    public int WriteTo(ByteWriter w)
    {
#if MUTANTS
        if (Mutants.On(Mutant.OpeningForgetsBegin))
        {
            new BatchOp { Partition = Partition, Kind = OpKind.Facts, Promise = Promise }.Write(w);
            foreach (var c in _configurations) new BatchOp { Partition = Partition, Kind = OpKind.Configuration, First = c.Index, Configuration = c.Configuration }.Write(w);
            return 1 + _configurations.Count;
        }
        if (Mutants.On(Mutant.OpeningForgetsConfigurations) || Mutants.On(Mutant.OpeningForgetsMark))
        {
            new BatchOp { Partition = Partition, Kind = OpKind.Facts, Promise = Promise, First = BeginIndex, Term = BeginTerm, Snapshot = Base, Installed = Installed }.Write(w);
            if (Mutants.On(Mutant.OpeningForgetsConfigurations)) return 1;
            foreach (var c in _configurations) new BatchOp { Partition = Partition, Kind = OpKind.Configuration, First = c.Index, Configuration = c.Configuration }.Write(w);
            return 1 + _configurations.Count;
        }
#endif
        new BatchOp { Partition = Partition, Kind = OpKind.Facts, Promise = Promise, First = BeginIndex, Term = BeginTerm, Snapshot = Base, Installed = Installed }.Write(w);
        foreach (var c in _configurations) new BatchOp { Partition = Partition, Kind = OpKind.Configuration, First = c.Index, Configuration = c.Configuration }.Write(w);
        if (_mark.Count == 0) return 1 + _configurations.Count;
        new BatchOp { Partition = Partition, Kind = OpKind.Mark, Mark = [.. _mark] }.Write(w);
        return 2 + _configurations.Count;
    }

    /// <summary>An entry's bytes turned out to be lost.</summary>
    public void AddDamage(ulong term, long index)
    {
        int at = 0;
        while (at < _mark.Count && _mark[at].Index < index) at++;
        if (at < _mark.Count && _mark[at].Index == index) _mark[at] = new DamagedEntry(term, index);
        else _mark.Insert(at, new DamagedEntry(term, index));
    }

    private void Switch(in SnapshotIdentity snapshot, bool keepTail)
    {
        if (snapshot.IsNone) return; // adopts a staged run: the log changes, no snapshot does
        if (!keepTail)
        {
            ForgetFrom(snapshot.Index + 1);
            _configurations.Clear();
        }
        Installed = snapshot;
        Begin(snapshot.Index, snapshot.Term, snapshot);
    }

    private void Begin(long index, ulong term, in SnapshotIdentity snapshot)
    {
        BeginIndex = index;
        BeginTerm = term;
        Base = snapshot;
        while (_configurations.Count > 1 && _configurations[1].Index <= index) _configurations.RemoveAt(0);
        while (_mark.Count > 0 && _mark[0].Index <= index) _mark.RemoveAt(0);
    }

    private void AddConfiguration(ConfigurationAt at)
    {
        int i = _configurations.Count;
        while (i > 0 && _configurations[i - 1].Index >= at.Index) i--;
        if (i < _configurations.Count && _configurations[i].Index == at.Index) _configurations[i] = at;
        else _configurations.Insert(i, at);
    }

    private void ForgetFrom(long first)
    {
        while (_configurations.Count > 0 && _configurations[^1].Index >= first) _configurations.RemoveAt(_configurations.Count - 1);
        while (_mark.Count > 0 && _mark[^1].Index >= first) _mark.RemoveAt(_mark.Count - 1);
    }

    private void Repaired(long first, long last)
    {
        for (int i = _mark.Count - 1; i >= 0; i--)
            if (_mark[i].Index >= first && _mark[i].Index <= last) _mark.RemoveAt(i);
    }
}
