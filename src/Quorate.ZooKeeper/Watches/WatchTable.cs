using System.Buffers.Binary;

namespace Quorate.ZooKeeper;

/// <summary>How a connection watches a path. ZooKeeper keeps two tables, data and child; one row a (path, connection) with these bits says the same (zookeeper.md §1.7).</summary>
[Flags]
internal enum WatchModes : byte
{
    None = 0,
    Data = 1,
    Child = 2,
    Persistent = 4,
    Recursive = 8,
    Any = 15,
}

/// <summary>
/// The member's watches: rows of structs, found by path (own index) and by owner (a linked list each), no object a watch. An owner is the small number of a connection.
/// One path and one owner have at most one row, so whoever watches a path in several ways gets one event. Owners of a path stand in the order in which they first registered.
/// </summary>
internal sealed class WatchTable
{
    private struct Row
    {
        public int Owner, Path;
        public int NextOfPath, PreviousOfPath, NextOfOwner, PreviousOfOwner;
        public WatchModes Modes;
    }

    private struct PathRow
    {
        public ulong Hash;
        public int Handle, Length, NextInBucket, Head, Tail, Count;
    }

    private struct OwnerRow
    {
        public int Head, Count;
        public long Fired;
    }

    private readonly PathSlab _slab = new();
    private Row[] _rows = new Row[16];
    private PathRow[] _paths = new PathRow[16];
    private OwnerRow[] _owners = new OwnerRow[16];
    private int[] _buckets = new int[16]; // path + 1
    private int _rowsUsed, _pathsUsed, _freeRow = -1, _freePath = -1;
    private int[] _hit = new int[16];
    private int _hits;
    private long _fire;
    private int _recursive;

    /// <summary>Rows: a (path, owner) each.</summary>
    public int Count { get; private set; }

    public int PathCount { get; private set; }

    /// <summary>Owners with at least one watch.</summary>
    public int OwnerCount { get; private set; }

    public void Add(int owner, ReadOnlySpan<byte> path, WatchModes modes)
    {
        ulong hash = Hash(path);
        int p = FindPath(path, hash);
        if (p < 0) p = AddPath(path, hash);
        EnsureOwner(owner);
        int r = FindRow(owner, p);
        if (r < 0) r = AddRow(owner, p);
        if ((modes & ~_rows[r].Modes & WatchModes.Recursive) != 0) _recursive++;
        _rows[r].Modes |= modes;
    }

    public WatchModes ModesOf(int owner, ReadOnlySpan<byte> path)
    {
        int p = FindPath(path, Hash(path));
        int r = p < 0 || owner >= _owners.Length ? -1 : FindRow(owner, p);
        return r < 0 ? WatchModes.None : _rows[r].Modes;
    }

    /// <summary>Takes these modes away; false when the owner watches the path in none of them.</summary>
    public bool Remove(int owner, ReadOnlySpan<byte> path, WatchModes modes)
    {
        int p = FindPath(path, Hash(path));
        int r = p < 0 || owner >= _owners.Length ? -1 : FindRow(owner, p);
        if (r < 0 || (_rows[r].Modes & modes) == 0) return false;
        Take(r, modes);
        return true;
    }

    public void RemoveOwner(int owner)
    {
        if (owner >= _owners.Length) return;
        while (_owners[owner].Count > 0) Take(_owners[owner].Head, WatchModes.Any);
    }

    public int CountOf(int owner) => owner < _owners.Length ? _owners[owner].Count : 0;

    /// <summary>Adds the paths that an owner watches to a list of texts (for the operator's eyes).</summary>
    public void PathsOf(int owner, List<string> into)
    {
        if (owner >= _owners.Length || _owners[owner].Count == 0) return;
        for (int r = _owners[owner].Head; r >= 0; r = _rows[r].NextOfOwner) into.Add(System.Text.Encoding.UTF8.GetString(PathAt(_rows[r].Path)));
    }

    /// <summary>
    /// Who hears of an event at this path, each owner once; their one-shots for it are used up, whoever may see it. Valid until the next call.
    /// Created, changed: the node's data watchers and every recursive one at it or above. Deleted: its child watchers as well. Children changed: its child and persistent watchers, never a recursive one.
    /// </summary>
    public ReadOnlySpan<int> Fire(int type, ReadOnlySpan<byte> path)
    {
        _hits = 0;
        if (Count == 0) return default;
        _fire++;
        var heard = type switch
        {
            WatchEvent.ChildrenChanged => WatchModes.Child | WatchModes.Persistent,
            WatchEvent.Deleted => WatchModes.Any,
            _ => WatchModes.Data | WatchModes.Persistent | WatchModes.Recursive,
        };
        FireAt(path, heard, heard & (WatchModes.Data | WatchModes.Child));
        if (type == WatchEvent.ChildrenChanged || _recursive == 0) return _hit.AsSpan(0, _hits);
        for (var at = path; at.Length > 1;)
        {
            int slash = at.LastIndexOf((byte)'/');
            if (slash < 0) break;
            at = slash == 0 ? at[..1] : at[..slash];
            FireAt(at, WatchModes.Recursive, WatchModes.None);
        }
        return _hit.AsSpan(0, _hits);
    }

    private void FireAt(ReadOnlySpan<byte> path, WatchModes heard, WatchModes used)
    {
        int p = FindPath(path, Hash(path));
        if (p < 0) return;
        for (int r = _paths[p].Head, next; r >= 0; r = next)
        {
            next = _rows[r].NextOfPath;
            if ((_rows[r].Modes & heard) == 0) continue;
            int owner = _rows[r].Owner;
            if (_owners[owner].Fired != _fire)
            {
                _owners[owner].Fired = _fire;
                if (_hits == _hit.Length) Array.Resize(ref _hit, _hits * 2);
                _hit[_hits++] = owner;
            }
            if ((_rows[r].Modes & used) != 0) Take(r, used);
        }
    }

    private void Take(int r, WatchModes modes)
    {
        if ((_rows[r].Modes & modes & WatchModes.Recursive) != 0) _recursive--;
        _rows[r].Modes &= ~modes;
        if (_rows[r].Modes != WatchModes.None) return;
        ref var row = ref _rows[r];
        ref var path = ref _paths[row.Path];
        ref var owner = ref _owners[row.Owner];
        if (row.PreviousOfPath >= 0) _rows[row.PreviousOfPath].NextOfPath = row.NextOfPath;
        else path.Head = row.NextOfPath;
        if (row.NextOfPath >= 0) _rows[row.NextOfPath].PreviousOfPath = row.PreviousOfPath;
        else path.Tail = row.PreviousOfPath;
        if (row.PreviousOfOwner >= 0) _rows[row.PreviousOfOwner].NextOfOwner = row.NextOfOwner;
        else owner.Head = row.NextOfOwner;
        if (row.NextOfOwner >= 0) _rows[row.NextOfOwner].PreviousOfOwner = row.PreviousOfOwner;
        if (--owner.Count == 0) OwnerCount--;
        Count--;
        if (--path.Count == 0) RemovePath(row.Path);
        row.NextOfPath = _freeRow;
        _freeRow = r;
    }

    private int AddRow(int owner, int p)
    {
        int r = _freeRow;
        if (r >= 0)
        {
            _freeRow = _rows[r].NextOfPath;
        }
        else
        {
            if (_rowsUsed == _rows.Length) Array.Resize(ref _rows, _rowsUsed * 2);
            r = _rowsUsed++;
        }
        ref var path = ref _paths[p];
        ref var own = ref _owners[owner];
        if (own.Count == 0)
        {
            own.Head = -1;
            OwnerCount++;
        }
        _rows[r] = new Row { Owner = owner, Path = p, NextOfPath = -1, PreviousOfPath = path.Tail, NextOfOwner = own.Head, PreviousOfOwner = -1 };
        if (path.Tail >= 0) _rows[path.Tail].NextOfPath = r;
        else path.Head = r;
        path.Tail = r;
        path.Count++;
        if (own.Head >= 0) _rows[own.Head].PreviousOfOwner = r;
        own.Head = r;
        own.Count++;
        Count++;
        return r;
    }

    /// <summary>Walks the shorter of the two lists that the row would stand in.</summary>
    private int FindRow(int owner, int p)
    {
        if (_owners[owner].Count == 0) return -1;
        if (_owners[owner].Count < _paths[p].Count)
        {
            for (int r = _owners[owner].Head; r >= 0; r = _rows[r].NextOfOwner)
                if (_rows[r].Path == p) return r;
        }
        else
        {
            for (int r = _paths[p].Head; r >= 0; r = _rows[r].NextOfPath)
                if (_rows[r].Owner == owner) return r;
        }
        return -1;
    }

    private void EnsureOwner(int owner)
    {
        if (owner >= _owners.Length) Array.Resize(ref _owners, Math.Max(owner + 1, _owners.Length * 2));
    }

    private ReadOnlySpan<byte> PathAt(int p) => _slab.At(_paths[p].Handle, _paths[p].Length);

    private int FindPath(ReadOnlySpan<byte> path, ulong hash)
    {
        for (int p = _buckets[(int)(hash & (ulong)(_buckets.Length - 1))] - 1; p >= 0; p = _paths[p].NextInBucket)
            if (_paths[p].Hash == hash && PathAt(p).SequenceEqual(path)) return p;
        return -1;
    }

    private int AddPath(ReadOnlySpan<byte> path, ulong hash)
    {
        if (PathCount == _buckets.Length) GrowBuckets();
        int p = _freePath;
        if (p >= 0)
        {
            _freePath = _paths[p].NextInBucket;
        }
        else
        {
            if (_pathsUsed == _paths.Length) Array.Resize(ref _paths, _pathsUsed * 2);
            p = _pathsUsed++;
        }
        ref int bucket = ref _buckets[(int)(hash & (ulong)(_buckets.Length - 1))];
        _paths[p] = new PathRow { Hash = hash, Handle = _slab.Keep(path), Length = path.Length, NextInBucket = bucket - 1, Head = -1, Tail = -1 };
        bucket = p + 1;
        PathCount++;
        return p;
    }

    private void RemovePath(int p)
    {
        ref int bucket = ref _buckets[(int)(_paths[p].Hash & (ulong)(_buckets.Length - 1))];
        if (bucket == p + 1)
        {
            bucket = _paths[p].NextInBucket + 1;
        }
        else
        {
            int before = bucket - 1;
            while (_paths[before].NextInBucket != p) before = _paths[before].NextInBucket;
            _paths[before].NextInBucket = _paths[p].NextInBucket;
        }
        _slab.Free(_paths[p].Handle, _paths[p].Length);
        _paths[p].NextInBucket = _freePath;
        _paths[p].Head = -1;
        _freePath = p;
        PathCount--;
    }

    private void GrowBuckets()
    {
        var grown = new int[_buckets.Length * 2];
        for (int b = 0; b < _buckets.Length; b++)
        {
            for (int p = _buckets[b] - 1, next; p >= 0; p = next)
            {
                next = _paths[p].NextInBucket;
                ref int bucket = ref grown[(int)(_paths[p].Hash & (ulong)(grown.Length - 1))];
                _paths[p].NextInBucket = bucket - 1;
                bucket = p + 1;
            }
        }
        _buckets = grown;
    }

    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong h = 0x9E3779B97F4A7C15 ^ (ulong)bytes.Length;
        while (bytes.Length >= 8)
        {
            h = Mix(h ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        ulong last = 0;
        for (int i = 0; i < bytes.Length; i++) last |= (ulong)bytes[i] << (8 * i);
        return Mix(h ^ last);
    }

    private static ulong Mix(ulong x)
    {
        ulong high = Math.BigMul(x, 0xD6E8FEB86659FD93, out ulong low);
        return high ^ low;
    }
}
