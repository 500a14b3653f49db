using Quorate.Runtime.Sessions;
using Quorate.Transport;

namespace Quorate.Runtime.Membership;

/// <summary>
/// Tells members that are not in the configuration any more so (storage.md §6.4). The core's last word to one that leaves is a single frame, and when it is lost the member asks for votes for ever without learning why.
/// Every member that applied the removal keeps dialling it for a while and says at which index it went; one that dials us later, because its own configuration still lists us, is told as well.
/// </summary>
public sealed class Farewell(SessionHost sessions, Mesh mesh, INotes notes)
{
    /// <summary>The first byte of its frames, beside those of formation.</summary>
    public const byte Frame = 5;

    private const long TellMicros = 1_000_000;
    private const long DialMicros = 60_000_000;

    private readonly List<(ConfiguredMember Member, long Until)> _gone = [];
    private readonly bool[] _up = new bool[256];
    private ClusterConfiguration _known = ClusterConfiguration.None;
    private long _knownIndex = -1, _toldIndex, _next;
    private bool _look;

    /// <summary>Who left lately: still to be dialled, so that it can be told.</summary>
    public IReadOnlyList<(ConfiguredMember Member, long Until)> Gone => _gone;

    public long NextWake => _look || _gone.Count > 0 ? _next : Instant.Never;

    public void OnLinkUp(ReplicaId peer)
    {
        _up[peer.Value] = true;
        _look = true;
    }

    public void OnLinkDown(ReplicaId peer) => _up[peer.Value] = false;

    /// <summary>True when somebody has to be dialled, or not any more.</summary>
    public bool Pump(Instant now)
    {
        bool changed = NoteWhoLeft(now);
        if (now.Micros < _next) return changed;
        _next = now.Micros + TellMicros;
        changed |= DropWhoWasTold(now);
        _look = false;
        for (byte id = 1; id < 255; id++)
        {
            if (!_up[id] || sessions.Configuration.Find(new ReplicaId(id)) is not null) continue;
            _look = true;
            Tell(new ReplicaId(id));
        }
        return changed;
    }

    private bool DropWhoWasTold(Instant now) => _gone.RemoveAll(g => now.Micros >= g.Until || sessions.Configuration.Find(g.Member.Id) is not null) > 0;

    private bool NoteWhoLeft(Instant now)
    {
        if (sessions.ConfigurationIndex == _knownIndex) return false;
        int before = _gone.Count;
        foreach (var m in _known.Members)
            if (m.Id != sessions.Self && sessions.Configuration.Find(m.Id) is null) _gone.Add((m, now.Micros + DialMicros));
        _known = sessions.Configuration;
        _knownIndex = sessions.ConfigurationIndex;
        if (_gone.Count > before) _next = now.Micros;
        _look = true;
        return true;
    }

    /// <summary>Only of what was applied while serving: a member that lags may not know yet that the other one was added.</summary>
    private void Tell(ReplicaId peer)
    {
        if (!sessions.Serving || sessions.ConfigurationIndex == 0 || sessions.Configuration.Find(peer) is not null) return;
        var w = mesh.Begin(peer, FrameKind.Formation);
        if (w is null) return;
        w.Byte(Frame);
        w.Int64(sessions.ConfigurationIndex);
        mesh.End(peer);
    }

    /// <summary>Somebody who serves says that this member is not in the configuration at an index that this one has not reached: one clear line.</summary>
    public void OnFrame(in Sender from, ReadOnlySpan<byte> body)
    {
        var r = new ByteReader(body);
        r.Byte();
        long index = r.Int64();
        if (r.Failed || index <= sessions.ConfigurationIndex || index <= _toldIndex) return;
        bool first = _toldIndex == 0;
        _toldIndex = index;
        if (!first) return;
        notes.Note(3, $"this member was removed from the cluster: member {from.Id.Value} says that the configuration at index {index} does not list {sessions.Self.Value}. It serves nobody; stop it, or add it again");
    }
}
