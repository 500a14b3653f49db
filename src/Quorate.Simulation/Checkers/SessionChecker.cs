namespace Quorate.Simulation.Checkers;

/// <summary>
/// What one client may count on, whichever members it talks to: zxids never go back, versions of a node never go back, an own write is seen by every later read, and an event comes before any reply that shows the change, and is not lost.
/// </summary>
public sealed class SessionChecker(int client, int nodes)
{
    private readonly int[] _version = new int[nodes];
    private readonly int[] _armedAt = NeverArmed(nodes);
    private long _zxid;

    public void Replied(long zxid)
    {
        if (zxid == 0) return;
        if (zxid < _zxid) throw new BreachException("ZxidMonotone", $"client {client} saw 0x{_zxid:x} and then 0x{zxid:x}");
        _zxid = zxid;
    }

    /// <summary>A reply showed this version of a node.</summary>
    public void Saw(int node, int version, bool own)
    {
        if (version < _version[node]) throw new BreachException(own ? "VersionMonotone" : "ReadsAfterOwnWrites", $"client {client} saw version {_version[node]} of node {node} and then {version}");
        if (_armedAt[node] >= 0 && version > _armedAt[node]) throw new BreachException("EventBeforeReply", $"client {client} watched node {node} at version {_armedAt[node]} and reads version {version} without having heard of it");
        _version[node] = version;
    }

    public bool IsArmed(int node) => _armedAt[node] >= 0;

    /// <summary>A watch stands since this version was read.</summary>
    public void Armed(int node, int version) => _armedAt[node] = version;

    public void Fired(int node)
    {
        if (_armedAt[node] < 0) throw new BreachException("EventOnce", $"client {client} hears of node {node}, which it does not watch");
        _armedAt[node] = -1;
    }

    /// <summary>The session is over: its watches are gone, what it saw is not.</summary>
    public void Expired() => Array.Fill(_armedAt, -1);

    /// <summary>At the end, connected and quiet: no watch may still wait for a change that was made.</summary>
    public void Judge(int node, int version)
    {
        if (_armedAt[node] >= 0 && version > _armedAt[node]) throw new BreachException("EventNotLost", $"client {client} watched node {node} at version {_armedAt[node]}, it is at {version}, and nothing was heard");
    }

    private static int[] NeverArmed(int nodes)
    {
        var none = new int[nodes];
        Array.Fill(none, -1);
        return none;
    }
}
