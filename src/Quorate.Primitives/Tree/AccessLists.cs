namespace Quorate.Primitives.Tree;

/// <summary>
/// Access lists, each kept once, by number; counted: rows and pending changes hold them, and a list that nobody holds is freed and its number given again. So a number is good only while its holder stands.
/// Numbers are this replica's own; what replicas compare is a list's hash.
/// </summary>
internal sealed class AccessLists
{
    /// <summary>world:anyone, all permissions. Never freed.</summary>
    public const int Open = 1;

    /// <summary>world:anyone may read: the config node's. Never freed.</summary>
    public const int ReadOnly = 2;

    private const ulong HashSeed = 0xAC1;
    private const int MaxLists = 1 << 26;
    private List[] _lists = new List[8];
    private int[] _buckets = new int[8];
    private int _limit, _free;

    public AccessLists() => Clear();

    /// <summary>Lists that are held.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all lists.</summary>
    public long Bytes { get; private set; }

    /// <summary>One more than the highest number in use.</summary>
    public int Limit => _limit;

    public bool IsLive(int list) => list > 0 && list < _limit && _lists[list].Bytes is not null;

    public byte[] BytesOf(int list) => _lists[list].Bytes!;

    public ulong HashOf(int list) => _lists[list].Hash;

    /// <summary>What world:anyone may.</summary>
    public int WorldPerms(int list) => _lists[list].WorldPerms;

    public void Hold(int list) => _lists[list].Holders++;

    public void Release(int list)
    {
        if (--_lists[list].Holders == 0) Remove(list);
    }

    /// <summary>The number of this list, held once more.</summary>
    public int Intern(ReadOnlySpan<byte> bytes)
    {
        ulong hash = Hash64.Of(bytes, HashSeed);
        for (int i = _buckets[(int)hash & _buckets.Length - 1]; i != 0; i = _lists[i].Next)
        {
            if (_lists[i].Hash != hash || !bytes.SequenceEqual(_lists[i].Bytes)) continue;
            _lists[i].Holders++;
            return i;
        }
        int list = _free;
        if (list != 0) _free = _lists[list].Next;
        else
        {
            if (_limit == _lists.Length) Array.Resize(ref _lists, _limit * 2);
            list = _limit++;
        }
        Enter(list, bytes.ToArray(), hash);
        _lists[list].Holders = 1;
        return list;
    }

    public void Clear()
    {
        _lists = new List[8];
        _buckets = new int[8];
        _limit = 1;
        _free = Count = 0;
        Bytes = 0;
        Intern(Canonical(TreePerms.All));
        Intern(Canonical(TreePerms.Read));
    }

    /// <summary>For a restore: takes a list under the number that the snapshot names, held by nobody yet.</summary>
    public bool Restore(int list, ReadOnlySpan<byte> bytes)
    {
        if (list <= ReadOnly) return IsLive(list) && bytes.SequenceEqual(_lists[list].Bytes);
        if (list >= MaxLists) return false;
        while (list >= _lists.Length) Array.Resize(ref _lists, _lists.Length * 2);
        if (_lists[list].Bytes is not null) return false;
        _limit = Math.Max(_limit, list + 1);
        Enter(list, bytes.ToArray(), Hash64.Of(bytes, HashSeed));
        return true;
    }

    /// <summary>Ends a restore: frees what no row held, and the numbers between.</summary>
    public void EndRestore()
    {
        _free = 0;
        for (int i = _limit - 1; i > ReadOnly; i--)
        {
            if (_lists[i].Bytes is null)
            {
                _lists[i].Next = _free;
                _free = i;
            }
            else if (_lists[i].Holders == 0) Remove(i);
        }
    }

    private void Enter(int list, byte[] bytes, ulong hash)
    {
        if (Count >= _buckets.Length) Grow();
        int bucket = (int)hash & _buckets.Length - 1;
        _lists[list] = new List { Bytes = bytes, Hash = hash, WorldPerms = WorldPermsOf(bytes), Next = _buckets[bucket] };
        _buckets[bucket] = list;
        Count++;
        Bytes += bytes.Length;
    }

    private void Remove(int list)
    {
        ref int link = ref _buckets[(int)_lists[list].Hash & _buckets.Length - 1];
        while (link != list) link = ref _lists[link].Next;
        link = _lists[list].Next;
        Bytes -= _lists[list].Bytes!.Length;
        Count--;
        _lists[list] = new List { Next = _free };
        _free = list;
    }

    private void Grow()
    {
        _buckets = new int[_buckets.Length * 2];
        for (int i = 1; i < _limit; i++)
        {
            if (_lists[i].Bytes is null) continue;
            int bucket = (int)_lists[i].Hash & _buckets.Length - 1;
            _lists[i].Next = _buckets[bucket];
            _buckets[bucket] = i;
        }
    }

    private static int WorldPermsOf(ReadOnlySpan<byte> bytes)
    {
        int perms = 0;
        var r = new AclReader(bytes);
        while (r.Next())
            if (r.Scheme.SequenceEqual("world"u8)) perms |= r.Perms;
        return perms;
    }

    private static byte[] Canonical(int perms)
    {
        var w = new ByteWriter(32);
        TreeRequests.Acls(w, 1);
        TreeRequests.Acl(w, perms, "world"u8, "anyone"u8);
        return w.Written.ToArray();
    }

    private struct List
    {
        public byte[]? Bytes;
        public ulong Hash;
        public int Holders, WorldPerms;

        /// <summary>In its bucket; of a free number: the next free one.</summary>
        public int Next;
    }
}
