using System.Numerics;

namespace Quorate.Primitives.Tree;

/// <summary>
/// Snapshots while the tree changes (storage.md §4.1): one bit a row says that the frozen view needs nothing more of it: it was encoded, or it was born later. A row is encoded just before it is first changed or deleted.
/// Rows carry their own numbers and their parents'; siblings, index and digest are made anew by a restore.
/// </summary>
public sealed partial class DataTree
{
    private const uint SnapshotMark = 0x31_54_44_51;   // QDT1
    private const int SnapshotRowBytes = 41;
    private const int SnapshotSideBytes = 44;
    private readonly ByteWriter _ahead = new();
    private ulong[] _settled = [];
    private int _frozenLimit, _cursor;
    private bool _snapshotting;

    public void BeginSnapshot(ByteWriter firstSlice)
    {
        AbandonSnapshot();
        _snapshotting = true;
        _frozenLimit = _rows.Limit;
        _cursor = Root;
        int words = (_frozenLimit + 63) >> 6;
        if (_settled.Length < words) _settled = new ulong[words + words / 4];
        else Array.Clear(_settled, 0, words);

        firstSlice.UInt32(SnapshotMark);
        firstSlice.UInt64(_digest);
        firstSlice.Int32(_nodes);
        firstSlice.Int32(_frozenLimit);
        int at = firstSlice.Length;
        int lists = 0;
        firstSlice.Int32(0);
        for (int i = 1; i < _access.Limit; i++)
        {
            if (!_access.IsLive(i)) continue;
            firstSlice.Int32(i);
            firstSlice.Sized(_access.BytesOf(i));
            lists++;
        }
        firstSlice.PatchInt32(at, lists);
    }

    public bool WriteSnapshotSlice(int bytes, ByteWriter into)
    {
        int start = into.Length;
        into.Bytes(_ahead.Written);
        _ahead.Clear();
        if (!_snapshotting) return true;
        while (_cursor < _frozenLimit && into.Length - start < bytes)
        {
            // Whole words of rows that need nothing are passed at once.
            ulong open = ~_settled[_cursor >> 6] >> (_cursor & 63);
            if (open == 0)
            {
                _cursor = (_cursor | 63) + 1;
                continue;
            }
            _cursor += BitOperations.TrailingZeroCount(open);
            if (_cursor >= _frozenLimit) break;
            if (_rows.IsCovered(_cursor) && _rows[_cursor].Access != NodeRow.FreeMark) Encode(_cursor, into);
            Settle(_cursor++);
        }
        if (_cursor < _frozenLimit) return false;
        _snapshotting = false;
        return true;
    }

    public void AbandonSnapshot()
    {
        _snapshotting = false;
        _ahead.Clear();
    }

    /// <summary>Called before a row is changed or deleted for the first time, and every time after.</summary>
    private void BeforeChange(int node)
    {
        if (!_snapshotting || node >= _frozenLimit || IsSettled(node)) return;
        Encode(node, _ahead);
        Settle(node);
    }

    private void BornDuringSnapshot(int node)
    {
        if (_snapshotting && node < _frozenLimit) Settle(node);
    }

    private bool IsSettled(int node) => (_settled[node >> 6] >> (node & 63) & 1) != 0;

    private void Settle(int node) => _settled[node >> 6] |= 1UL << (node & 63);

    private void Encode(int node, ByteWriter into)
    {
        ref var row = ref _rows[node];
        into.Int32(node);
        into.Int32(row.Parent);
        into.Int64(row.Czxid);
        into.Int64(row.Ctime);
        into.Int32(row.Access);
        into.Sized(Name(node));
        into.Int32(row.DataLength);
        into.Bytes(Data(node));
        into.Bool(row.Side != 0);
        if (row.Side == 0) return;
        ref var side = ref _sides[row.Side];
        into.Int64(side.Mzxid);
        into.Int64(side.Pzxid);
        into.Int64(side.Mtime);
        into.Int64(side.Owner);
        into.Int32(side.Version);
        into.Int32(side.Cversion);
        into.Int32(side.Aversion);
    }
}
