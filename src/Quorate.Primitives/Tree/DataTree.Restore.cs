namespace Quorate.Primitives.Tree;

/// <summary>Restoring: rows come in any order under their own numbers; at the end siblings, hashes, index, owners and digest are made of them, and the digest must be the one that the first slice named.</summary>
public sealed partial class DataTree
{
    private bool _restoreBegun, _restoreBad;
    private ulong _restoreDigest;
    private int _restoreNodes, _restoreLimit;

    public void BeginRestore()
    {
        AbandonSnapshot();
        ResetPending();
        _rows.Clear();
        _sides.Clear();
        _slabs.Clear();
        _index.Clear();
        _access.Clear();
        _owned.Clear();
        _freeRow = _freeSide = _nodes = _sideCount = 0;
        _ephemerals = _pathAndDataBytes = _nameAndDataBytes = 0;
        _digest = 0;
        _restoreBegun = _restoreBad = false;
    }

    public bool RestoreSlice(ReadOnlySpan<byte> slice)
    {
        var r = new ByteReader(slice);
        if (!_restoreBegun && !r.AtEnd)
        {
            _restoreBegun = true;
            _restoreBad = !RestoreFirst(ref r);
        }
        while (!_restoreBad && !r.AtEnd) _restoreBad = !RestoreRow(ref r);
        return !_restoreBad;
    }

    public bool EndRestore()
    {
        if (_restoreBad || !_restoreBegun || _nodes != _restoreNodes || !_rows.IsCovered(Root) || IsFree(Root) || _rows[Root].Parent != 0) return false;
        for (int node = _rows.Limit - 1; node >= Root; node--)
        {
            // Downwards, so that low numbers are given again first. A chunk that no row lies in is not made.
            if (!_rows.IsCovered(node) || !IsFree(node)) continue;
            _rows[node] = new NodeRow { Access = NodeRow.FreeMark, Next = _freeRow };
            _freeRow = node;
        }
        for (int node = Root + 1; node < _rows.Limit; node++)
        {
            if (!_rows.IsCovered(node) || IsFree(node)) continue;
            int parent = _rows[node].Parent;
            if (!_rows.IsCovered(parent) || IsFree(parent)) return false;
            LinkChild(parent, node);
        }
        if (!Index()) return false;
        _access.EndRestore();
        return _digest == _restoreDigest;
    }

    /// <summary>From the root down: hashes, index, digest, sums, owners. False when some row hangs on no root.</summary>
    private bool Index()
    {
        int reached = 0, length = 0;
        _rows[Root].PathHash = TreePaths.RootHash;
        for (int node = Root; node != 0;)
        {
            ref var row = ref _rows[node];
            if (node != Root)
            {
                row.PathHash = TreePaths.ChildHash(_rows[row.Parent].PathHash, Name(node));
                length += row.NameLength + 1;
            }
            reached++;
            _index.Add(node);
            _digest += DataPrint(node) + StatPrint(node);
            _pathAndDataBytes += Math.Max(1, length) + row.StoredLength;
            if (row.Side != 0 && _sides[row.Side].Owner is var owner && owner != NodeOwner.None) Own(node, owner);
            int next = FirstChild(node);
            while (next == 0 && node != Root)
            {
                length -= _rows[node].NameLength + 1;
                next = _rows[node].Next;
                node = _rows[node].Parent;
            }
            node = next;
        }
        return reached == _nodes;
    }

    private bool RestoreFirst(ref ByteReader r)
    {
        if (r.UInt32() != SnapshotMark) return false;
        _restoreDigest = r.UInt64();
        _restoreNodes = r.Int32();
        _restoreLimit = r.Int32();
        int lists = r.Count(8);
        for (int i = 0; i < lists; i++)
        {
            int list = r.Int32();
            var bytes = r.Sized();
            if (!r.Ok || list <= 0 || !_access.Restore(list, bytes)) return false;
        }
        return r.Ok && _restoreNodes > 0 && _restoreLimit > _restoreNodes;
    }

    private bool RestoreRow(ref ByteReader r)
    {
        int node = r.Int32(), parent = r.Int32();
        long czxid = r.Int64(), ctime = r.Int64();
        int access = r.Int32();
        var name = r.Sized();
        var data = ReadRowData(ref r, out int dataLength);
        bool hasSide = r.Bool();
        if (!r.Ok || node <= 0 || node >= _restoreLimit || parent < 0 || parent >= _restoreLimit || !_access.IsLive(access)) return false;
        bool known = _rows.IsCovered(node) && !IsFree(node);
        if (known) return false;
        _rows.Cover(node);
        _rows[node] = new NodeRow
        {
            Czxid = czxid, Ctime = ctime, Parent = parent, Access = access,
            Name = _slabs.Store(name), NameLength = name.Length, Data = _slabs.Store(data), DataLength = dataLength,
        };
        _access.Hold(access);
        _nodes++;
        _nameAndDataBytes += name.Length + data.Length;
        if (!hasSide) return true;
        ref var side = ref Side(node);
        side.Mzxid = r.Int64();
        side.Pzxid = r.Int64();
        side.Mtime = r.Int64();
        side.Owner = r.Int64();
        side.Version = r.Int32();
        side.Cversion = r.Int32();
        side.Aversion = r.Int32();
        return r.Ok;
    }

    private static ReadOnlySpan<byte> ReadRowData(scoped ref ByteReader r, out int length)
    {
        length = r.Int32();
        if (length != -1) return r.Bytes(length);
        return default;
    }

    // A row of a restore that nothing was put into is all zero: no list has number 0.
    private bool IsFree(int node) => _rows[node].Access is 0 or NodeRow.FreeMark;
}
