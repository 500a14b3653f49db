namespace Quorate.ZooKeeper;

/// <summary>
/// A long list of children goes out in slices (sessions.md §7.4). While one is under way it is the queue's invisible head: nothing behind it is answered or read, events wait behind it, other connections have their turns.
/// The rest is made at once before the parent changes and before a write of this connection is applied.
/// </summary>
public sealed partial class ZooKeeperConnection
{
    private ChildList? _list;

    /// <summary>The node whose children are on their way; 0 for none.</summary>
    internal int Listing => _list?.Parent ?? 0;

    private long RestOfTurn => Math.Max(0, _face.Options.TurnReplyBytes - _turnBytes);

    private void BeginList(int xid, int node, bool withStat)
    {
        _list = _face.LendList(this);
        _list.Begin(_face.Tree, node, xid, _sessions.LastZxid, withStat);
    }

    /// <summary>The next slice; false while something is left, which then comes in the next turn.</summary>
    private bool GoOn(long most)
    {
        if (_list is not { } list) return true;
        long left = most;
        bool whole = list.Go(_face.Tree, _connection.Output, ref left);
        if (most < long.MaxValue) _turnBytes += (int)(most - left);
        if (!whole)
        {
            _connection.Again();
            return false;
        }
        _connection.Output.Bytes(list.Behind.Written);
        Answered(list.Since, list.Zxid);
        DropList();
        return true;
    }

    /// <summary>The parent is about to change: the rest is made now, of the state before.</summary>
    internal void FinishList()
    {
        BeginTurn();
        GoOn(long.MaxValue);
        Flush();
        _connection.Again(); // what waited behind it goes on
    }

    private void DropList()
    {
        if (_list is null) return;
        _face.TakeBack(this, _list);
        _list = null;
    }
}
