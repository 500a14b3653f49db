using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper;

/// <summary>Operations on watches, and the events themselves (zookeeper.md §1.7).</summary>
public sealed partial class ZooKeeperConnection
{
    /// <summary>Judges an event by the identities of now; the frame was made once for all that hear it.</summary>
    internal bool MayHear(int access) => _stage == Stage.Open && _face.Tree.Allows(access, TreePerms.Read, _identities);

    internal void SendEvent(ReadOnlySpan<byte> frame)
    {
        BeginTurn();
        var into = _list?.Behind ?? _connection.Output;
#if MUTANTS
        if (Mutants.On(Mutant.EventInsideList)) into = _connection.Output;
        if (Mutants.On(Mutant.EventAfterReply) && Behind) into = _late;
#endif
        into.Bytes(frame);
        _sent++;
        Flush();
    }

#if MUTANTS
    private readonly ByteWriter _late = new();
#endif

    private void AddWatch(int xid, ref JuteReader r)
    {
        _face.Scratch.Clear();
        var path = r.String(_face.Scratch, out bool isNull);
        int mode = r.Int();
        if (isNull || r.Failed || (uint)mode > 1)
        {
            Refuse(xid, ErrorCode.MarshallingError);
            return;
        }
        _face.Watches.Add(Slot, path, mode == 0 ? WatchModes.Persistent : WatchModes.Recursive);
        int frame = BeginReply(xid);
        _connection.Output.JuteInt(0);
        EndReply(frame);
    }

    /// <summary>Types 1 and 2 touch one-shots only, 4 and 5 one persistent mode each, 3 all (3.9: ZOOKEEPER-4471, ZOOKEEPER-4472).</summary>
    private void CheckWatches(int xid, int op, ref JuteReader r)
    {
        _face.Scratch.Clear();
        var path = r.String(_face.Scratch, out _);
        int type = r.Int();
        var modes = type switch
        {
            1 => WatchModes.Child,
            2 => WatchModes.Data,
            3 => WatchModes.Any,
            4 => WatchModes.Persistent,
            5 => WatchModes.Recursive,
            _ => WatchModes.None,
        };
        if (r.Failed || modes == WatchModes.None)
        {
            Refuse(xid, ErrorCode.MarshallingError);
            return;
        }
        bool had = op == OpCode.RemoveWatches ? _face.Watches.Remove(Slot, path, modes) : (_face.Watches.ModesOf(Slot, path) & modes) != 0;
        Refuse(xid, had ? ErrorCode.Ok : ErrorCode.NoWatcher);
    }

    /// <summary>
    /// What a client that comes back watches: where something happened since its last zxid it is told at once, before the reply; the rest is registered. Persistent ones are registered silently.
    /// The whole body is read before anything is done.
    /// </summary>
    private void SetWatches(int xid, int op, JuteReader r)
    {
        _face.Scratch.Clear();
        var check = r;
        check.Long();
        int lists = op == OpCode.SetWatches ? 3 : 5;
        for (int list = 0; list < lists && check.Ok; list++)
        {
            int count = check.Count(4, out bool isNull);
            if (isNull) check.Fail();
            for (int i = 0; i < count && check.Ok; i++)
            {
                check.Buffer(out bool noPath);
                if (noPath) check.Fail();
            }
        }
        if (check.Failed)
        {
            Refuse(xid, ErrorCode.MarshallingError);
            return;
        }
        long seen = r.Long();
        for (int list = 0; list < lists; list++)
        {
            for (int left = r.Count(4, out _); left > 0; left--)
            {
                _face.Scratch.Clear();
                ComeBack(list, r.String(_face.Scratch, out _), seen);
            }
        }
        Refuse(xid, ErrorCode.Ok);
    }

    private void ComeBack(int list, ReadOnlySpan<byte> path, long seen)
    {
        var tree = _face.Tree;
        int node = list < 3 ? tree.Find(path) : 0;
        int missed = list switch
        {
            0 => node == 0 ? WatchEvent.Deleted : tree.Stat(node).Mzxid > seen ? WatchEvent.DataChanged : 0,
            1 => node != 0 ? WatchEvent.Created : 0,
            2 => node == 0 ? WatchEvent.Deleted : tree.Stat(node).Pzxid > seen ? WatchEvent.ChildrenChanged : 0,
            _ => 0,
        };
        if (missed != 0)
        {
            ZooKeeperFace.WriteEvent(_connection.Output, missed, path, -1);
            _sent++;
            return;
        }
        _face.Watches.Add(Slot, path, list switch { 0 or 1 => WatchModes.Data, 2 => WatchModes.Child, 3 => WatchModes.Persistent, _ => WatchModes.Recursive });
    }
}
