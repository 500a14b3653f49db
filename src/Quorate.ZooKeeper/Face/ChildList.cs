using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper;

/// <summary>
/// A long list of children on its way to one client, made in slices of one zxid (sessions.md §7.4): first the children are gathered (the frame's length stands at its front, so it must be known),
/// then sorted unless they came in order, then written. A slice is paid for in reply bytes: a child gathered or written costs what it takes in the reply, a step of sorting <see cref="StepBytes"/>.
/// Rows stay what they are until the parent changes; before it does, the face has the rest made.
/// </summary>
internal sealed class ChildList
{
    /// <summary>Children from which a list is made in slices: what is shorter fits into a turn with any usual names.</summary>
    public const int LeastChildren = 1024;

    private const int StepBytes = 16;

    private int[] _nodes = [], _merged = [];
    private int _count, _next, _written;
    private int _width, _from, _left, _right, _to;
    private bool _gathered, _sorted, _begun;
    private long _bytes;
    private TreeStat _stat;
    private bool _withStat;
    private int _xid;

    public int Parent { get; private set; }

    /// <summary>The state that it shows.</summary>
    public long Zxid { get; private set; }

    /// <summary>Micros when the request was read.</summary>
    public long Since { get; set; }

    /// <summary>Events that wait behind it.</summary>
    public ByteWriter Behind { get; } = new();

    public void Begin(DataTree tree, int parent, int xid, long zxid, bool withStat)
    {
        int count = tree.ChildCount(parent);
        if (_nodes.Length < count) _nodes = new int[count];
        Parent = parent;
        Zxid = zxid;
        _xid = xid;
        _withStat = withStat;
        _stat = tree.Stat(parent);
        _next = tree.FirstChild(parent);
        _count = _written = 0;
        _bytes = 0;
        _gathered = _begun = false;
        _sorted = true;
        Behind.Clear();
    }

    /// <summary>Goes on for as many bytes as are left, which it lowers; true when the reply is whole.</summary>
    public bool Go(DataTree tree, ByteWriter output, ref long left) => Gather(tree, ref left) && Sort(tree, ref left) && Write(tree, output, ref left);

    /// <summary>Large arrays are let go.</summary>
    public void Reset()
    {
        if (_nodes.Length > 64 * 1024) _nodes = _merged = [];
        if (Behind.Capacity > 64 * 1024) Behind.Release();
        Behind.Clear();
    }

    private bool Gather(DataTree tree, ref long left)
    {
        if (_gathered) return true;
        for (; _next != 0; _next = tree.NextSibling(_next))
        {
            if (left <= 0) return false;
            int bytes = 4 + tree.Name(_next).Length;
            left -= bytes;
            _bytes += bytes;
            _sorted = _sorted && (_count == 0 || Compare(tree, _nodes[_count - 1], _next) <= 0);
            _nodes[_count++] = _next;
        }
        _gathered = true;
        if (_sorted) return true;
        if (_merged.Length < _count) _merged = new int[_nodes.Length];
        _width = 1;
        BeginPair(0);
        return true;
    }

    /// <summary>Merges runs from below, one element a step, so that it can stop anywhere.</summary>
    private bool Sort(DataTree tree, ref long left)
    {
        if (_sorted) return true;
        for (; _width < _count; _width *= 2, BeginPair(0))
        {
            while (_from < _count)
            {
                int middle = Math.Min(_from + _width, _count), end = (int)Math.Min(_from + 2L * _width, _count);
                while (_to < end)
                {
                    if (left <= 0) return false;
                    left -= StepBytes;
                    bool first = _right >= end || (_left < middle && Compare(tree, _nodes[_left], _nodes[_right]) <= 0);
                    _merged[_to++] = first ? _nodes[_left++] : _nodes[_right++];
                }
                BeginPair(end);
            }
            (_nodes, _merged) = (_merged, _nodes);
        }
        return _sorted = true;
    }

    private void BeginPair(int from)
    {
        _from = _left = _to = from;
        _right = Math.Min(from + _width, _count);
    }

    private bool Write(DataTree tree, ByteWriter output, ref long left)
    {
        if (!_begun)
        {
            if (left <= 0) return false;
            _begun = true;
            output.JuteInt(checked((int)(16 + 4 + _bytes + (_withStat ? TreeStat.Size : 0))));
            output.ReplyHeader(_xid, Zxid, ErrorCode.Ok);
            output.JuteInt(_count);
        }
        for (; _written < _count; _written++)
        {
            if (left <= 0) return false;
            var name = tree.Name(_nodes[_written]);
            left -= 4 + name.Length;
            output.JuteBuffer(name);
        }
        if (_withStat) _stat.WriteBigEndian(output.Take(TreeStat.Size));
        return true;
    }

    private static int Compare(DataTree tree, int x, int y) => tree.Name(x).SequenceCompareTo(tree.Name(y));
}
