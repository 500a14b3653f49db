namespace Quorate.Protocols.Tests.Raft;

/// <summary>A record of the journal as a test's disk holds it: a verb and its own copy of the entries.</summary>
internal sealed record JournalRecord(Verb Verb, Entry[] Entries);

/// <summary>What records make: a log with its bytes, a promise, a snapshot's identity. One stands for the memory, one for the disk.</summary>
internal sealed class JournalImage : IEntrySource
{
    private readonly List<Entry> _entries = [];

    public LogMap Map { get; private set; } = new();
    public Promise Promise { get; private set; }
    public SnapshotIdentity Snapshot { get; private set; }

    /// <summary>Damaged entries, as a journal's headers tell of them: they have their place in the map, and cannot be read.</summary>
    public List<DamagedEntry> Mark { get; } = [];

    public Entry this[long index] => _entries[(int)(index - Map.First)];

    public void Apply(JournalRecord record)
    {
        var v = record.Verb;
        switch (v.Persist)
        {
            case PersistKind.Promise: Promise = v.Promise; break;
            case PersistKind.Append:
                Assert.True(v.First >= Map.First && v.First <= Map.Last + 1, $"append at {v.First} to a log ({Map.BeginIndex}, {Map.Last}]");
                Cut(v.First - 1);
                foreach (var e in record.Entries)
                {
                    Map.Append(v.Term, e.Payload.Length);
                    _entries.Add(e);
                }
                break;
            case PersistKind.Put:
                for (int i = 0; i < record.Entries.Length; i++)
                {
                    Assert.True(Map.Matches(v.First + i, v.Term), $"put of ({v.First + i}, {v.Term}) where another entry stands");
                    _entries[(int)(v.First + i - Map.First)] = record.Entries[i];
                    Mark.RemoveAll(d => d.Index == v.First + i);
                }
                break;
            case PersistKind.Cut:
                Cut(v.First - 1);
                break;
            case PersistKind.Switch:
                Snapshot = v.Snapshot;
                if (v.KeepTail) Begin(v.Snapshot.Index);
                else
                {
                    Map.Reset(v.Snapshot.Index, v.Snapshot.Term);
                    _entries.Clear();
                    Mark.Clear();
                }
                Mark.RemoveAll(d => d.Index <= v.Snapshot.Index);
                break;
            case PersistKind.LogBegin:
                Snapshot = v.Snapshot;
                Begin(v.First);
                Mark.RemoveAll(d => d.Index <= v.First);
                break;
            default: throw new InvalidOperationException($"{v.Persist} is not Raft's");
        }
    }

    public void Damage(long first, long last)
    {
        for (long i = first; i <= last; i++)
        {
            Mark.RemoveAll(d => d.Index == i);
            Assert.True(Map.TryTermOf(i, out ulong term));
            Mark.Add(new DamagedEntry(term, i));
        }
        Mark.Sort((a, b) => a.Index.CompareTo(b.Index));
    }

    private void Cut(long last)
    {
        Mark.RemoveAll(d => d.Index > last);
        if (last >= Map.Last) return;
        _entries.RemoveRange((int)(last - Map.BeginIndex), (int)(Map.Last - last));
        Map.TruncateAfter(last);
    }

    public EntryRead Read(long index, out EntryView entry)
    {
        entry = default;
        if (index < Map.First || !Map.TryTermOf(index, out ulong term) || Mark.Exists(d => d.Index == index)) return EntryRead.Gone;
        var e = this[index];
        entry = new EntryView { Index = index, Term = term, Kind = e.Kind, Checksum = e.Payload.Checksum, Payload = e.Payload.Span };
        return EntryRead.Here;
    }

    public JournalImage Copy()
    {
        var copy = new JournalImage { Map = Map.Copy(), Promise = Promise, Snapshot = Snapshot };
        copy._entries.AddRange(_entries);
        copy.Mark.AddRange(Mark);
        return copy;
    }

    private void Begin(long index)
    {
        if (index <= Map.BeginIndex) return;
        _entries.RemoveRange(0, (int)(index - Map.BeginIndex));
        Map.BeginAt(index);
    }
}
