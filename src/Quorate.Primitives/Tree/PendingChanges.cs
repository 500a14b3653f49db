namespace Quorate.Primitives.Tree;

/// <summary>What prepare must know of a node.</summary>
internal struct NodeFacts
{
    public bool Exists;
    public int Access, Version, Cversion, Aversion, Children;
    public long Owner, Mtime, Ctime;
}

/// <summary>
/// The leader's transactions that are prepared and not yet applied, as they leave the nodes that they touch: by path, each with the sequence number of its last change. Values are whole, not differences, so an entry
/// may go as soon as its last change was applied. A request's changes count only with <see cref="Commit"/>; <see cref="Rollback"/> takes them back to the mark (sessions.md §2.4).
/// </summary>
internal sealed class PendingChanges(AccessLists access)
{
    private readonly ByteSlabs _paths = new();
    private readonly Dictionary<long, int> _owned = [];
    private Entry[] _entries = new Entry[16];
    private int[] _buckets = new int[16];
    private Undo[] _undo = new Undo[16];
    private int _limit = 1, _free, _undoCount, _oldest, _newest;

    public int Count { get; private set; }

    /// <summary>The facts of a node that an entry names; <paramref name="entry"/> is 0 when none does.</summary>
    public bool TryGet(ulong hash, ReadOnlySpan<byte> path, out NodeFacts facts, out int entry)
    {
        entry = Find(hash, path);
        facts = entry == 0 ? default : _entries[entry].Facts;
        return entry != 0;
    }

    /// <summary>Changes a node's facts from <paramref name="before"/> to <paramref name="after"/>, to be taken back until Commit. The entry holds the access list that it names.</summary>
    public void Change(ulong hash, ReadOnlySpan<byte> path, in NodeFacts before, in NodeFacts after)
    {
        int i = Find(hash, path);
        bool isNew = i == 0;
        if (isNew) i = Add(hash, path);
        ref var entry = ref _entries[i];
        if (_undoCount == _undo.Length) Array.Resize(ref _undo, _undoCount * 2);
        _undo[_undoCount++] = new Undo { Entry = i, IsNew = isNew, Facts = isNew ? before : entry.Facts };

        // The old value's hold on its list goes over to the undo record.
        entry.Facts = after;
        if (after.Access != 0) access.Hold(after.Access);
    }

    public void Commit(long sequence)
    {
        for (int u = 0; u < _undoCount; u++)
        {
            ref var undo = ref _undo[u];
            if (!undo.IsNew && undo.Facts.Access != 0) access.Release(undo.Facts.Access);
            ref var entry = ref _entries[undo.Entry];
            entry.Sequence = sequence;
            Unqueue(undo.Entry);
            Queue(undo.Entry);
            Link(undo.Entry, entry.Facts.Exists && NodeOwner.IsSession(entry.Facts.Owner) ? entry.Facts.Owner : 0);
        }
        _undoCount = 0;
    }

    public void Rollback()
    {
        while (_undoCount > 0)
        {
            ref var undo = ref _undo[--_undoCount];
            ref var entry = ref _entries[undo.Entry];
            if (entry.Facts.Access != 0) access.Release(entry.Facts.Access);
            entry.Facts = undo.Facts;
            if (!undo.IsNew) continue;
            entry.Facts.Access = 0;
            Drop(undo.Entry);
        }
    }

    /// <summary>Drops every entry whose last change is at or below this sequence.</summary>
    public void Release(long sequence)
    {
        while (_oldest != 0 && _entries[_oldest].Sequence <= sequence) Drop(_oldest);
    }

    public void Clear()
    {
        Rollback();
        while (_oldest != 0) Drop(_oldest);
    }

    /// <summary>The entries that this session owned when they were committed; they may have changed hands since.</summary>
    public int FirstOwned(long session) => _owned.TryGetValue(session, out int first) ? first : 0;

    public int NextOwned(int entry) => _entries[entry].OwnedNext;

    public ref readonly NodeFacts Facts(int entry) => ref _entries[entry].Facts;

    public ReadOnlySpan<byte> Path(int entry) => _paths.Span(_entries[entry].Path, _entries[entry].PathLength);

    public ulong Hash(int entry) => _entries[entry].Hash;

    private int Find(ulong hash, ReadOnlySpan<byte> path)
    {
        for (int i = _buckets[(int)hash & _buckets.Length - 1]; i != 0; i = _entries[i].BucketNext)
            if (_entries[i].Hash == hash && path.SequenceEqual(Path(i))) return i;
        return 0;
    }

    private int Add(ulong hash, ReadOnlySpan<byte> path)
    {
        if (Count >= _buckets.Length) Grow();
        int i = _free;
        if (i != 0) _free = _entries[i].BucketNext;
        else
        {
            if (_limit == _entries.Length) Array.Resize(ref _entries, _limit * 2);
            i = _limit++;
        }
        ref int bucket = ref _buckets[(int)hash & _buckets.Length - 1];
        _entries[i] = new Entry { Hash = hash, Path = _paths.Store(path), PathLength = path.Length, BucketNext = bucket, Sequence = long.MaxValue };
        bucket = i;
        Queue(i);
        Count++;
        return i;
    }

    private void Drop(int i)
    {
        Unqueue(i);
        Link(i, 0);
        ref var entry = ref _entries[i];
        if (entry.Facts.Access != 0) access.Release(entry.Facts.Access);
        _paths.Free(entry.Path, entry.PathLength);
        ref int link = ref _buckets[(int)entry.Hash & _buckets.Length - 1];
        while (link != i) link = ref _entries[link].BucketNext;
        link = entry.BucketNext;
        entry = new Entry { BucketNext = _free };
        _free = i;
        Count--;
    }

    private void Grow()
    {
        _buckets = new int[_buckets.Length * 2];
        for (int i = _oldest; i != 0; i = _entries[i].Newer)
        {
            ref int bucket = ref _buckets[(int)_entries[i].Hash & _buckets.Length - 1];
            _entries[i].BucketNext = bucket;
            bucket = i;
        }
    }

    private void Queue(int i)
    {
        _entries[i].Older = _newest;
        _entries[i].Newer = 0;
        if (_newest != 0) _entries[_newest].Newer = i;
        else _oldest = i;
        _newest = i;
    }

    private void Unqueue(int i)
    {
        var (older, newer) = (_entries[i].Older, _entries[i].Newer);
        if (older != 0) _entries[older].Newer = newer;
        else _oldest = newer;
        if (newer != 0) _entries[newer].Older = older;
        else _newest = older;
    }

    private void Link(int i, long owner)
    {
        ref var entry = ref _entries[i];
        if (entry.LinkedTo == owner) return;
        if (entry.LinkedTo != 0)
        {
            if (entry.OwnedNext != 0) _entries[entry.OwnedNext].OwnedPrevious = entry.OwnedPrevious;
            if (entry.OwnedPrevious != 0) _entries[entry.OwnedPrevious].OwnedNext = entry.OwnedNext;
            else if (entry.OwnedNext != 0) _owned[entry.LinkedTo] = entry.OwnedNext;
            else _owned.Remove(entry.LinkedTo);
        }
        entry.LinkedTo = owner;
        entry.OwnedPrevious = entry.OwnedNext = 0;
        if (owner == 0) return;
        entry.OwnedNext = FirstOwned(owner);
        if (entry.OwnedNext != 0) _entries[entry.OwnedNext].OwnedPrevious = i;
        _owned[owner] = i;
    }

    private struct Entry
    {
        public NodeFacts Facts;
        public ulong Hash;
        public long Sequence, LinkedTo;
        public uint Path;
        public int PathLength, BucketNext, Older, Newer, OwnedNext, OwnedPrevious;
    }

    private struct Undo
    {
        public NodeFacts Facts;
        public int Entry;
        public bool IsNew;
    }
}
