using System.Text;

namespace Quorate.ZooKeeper.Client;

internal enum Watched : byte { None, Data, Exist, Child, Persistent, Recursive }

/// <summary>Watches are the connection's; the client remembers them and brings them along (zookeeper.md §1.7).</summary>
public sealed partial class ZooKeeperClient
{
    /// <summary>Bytes of one setWatches, as Java splits them.</summary>
    private const int SetWatchesBytes = 128 * 1024;

    private readonly SortedSet<string>[] _watches = [new(StringComparer.Ordinal), new(StringComparer.Ordinal), new(StringComparer.Ordinal), new(StringComparer.Ordinal), new(StringComparer.Ordinal)];

    /// <summary>Watches that stand, all kinds.</summary>
    public int WatchCount => _watches.Sum(w => w.Count);

    private void Keep(Watched kind, string path, int error)
    {
        if (error == ErrorCode.NoNode && kind == Watched.Exist) Set(Watched.Exist).Add(path);
        else if (error == ErrorCode.Ok) Set(kind == Watched.Exist ? Watched.Data : kind).Add(path);
    }

    private SortedSet<string> Set(Watched kind) => _watches[(int)kind - 1];

    private void Fired(int type, ReadOnlySpan<byte> path)
    {
        if (Set(Watched.Data).Count + Set(Watched.Exist).Count + Set(Watched.Child).Count == 0) return;
        string text = Encoding.UTF8.GetString(path);
        if (type != WatchEvent.ChildrenChanged)
        {
            Set(Watched.Data).Remove(text);
            Set(Watched.Exist).Remove(text);
        }
        if (type is WatchEvent.ChildrenChanged or WatchEvent.Deleted) Set(Watched.Child).Remove(text);
    }

    private void ForgetWatch(string path, int type)
    {
        if (type is 1 or 3) Set(Watched.Child).Remove(path);
        if (type is 2 or 3)
        {
            Set(Watched.Data).Remove(path);
            Set(Watched.Exist).Remove(path);
        }
        if (type is 3 or 4) Set(Watched.Persistent).Remove(path);
        if (type is 3 or 5) Set(Watched.Recursive).Remove(path);
    }

    private void ForgetWatches()
    {
        foreach (var set in _watches) set.Clear();
    }

    /// <summary>Auths, then every watch with the last zxid seen, in pieces; setWatches2 only when there are persistent ones, so that old servers are spared it.</summary>
    private void BringBack()
    {
        foreach (var (scheme, proof) in _auths) SendAuth(scheme, proof);
        if (WatchCount == 0) return;
        int lists = Set(Watched.Persistent).Count + Set(Watched.Recursive).Count > 0 ? 5 : 3;
        var piece = new List<string>[lists];
        for (int i = 0; i < lists; i++) piece[i] = [];
        int bytes = 0;
        for (int i = 0; i < lists; i++)
        {
            foreach (string path in _watches[i])
            {
                piece[i].Add(path);
                bytes += 4 + Encoding.UTF8.GetByteCount(path);
                if (bytes < SetWatchesBytes) continue;
                SendWatches(piece);
                bytes = 0;
            }
        }
        if (bytes > 0) SendWatches(piece);
    }

    private void SendWatches(List<string>[] piece)
    {
        Body().JuteLong(LastZxid);
        foreach (var list in piece)
        {
            _body.JuteInt(list.Count);
            foreach (string path in list) _body.JuteString(path);
            list.Clear();
        }
        Frame(_connection!.Output, -8, piece.Length == 5 ? OpCode.SetWatches2 : OpCode.SetWatches, _body.Written);
        _connection.Flush();
    }
}
