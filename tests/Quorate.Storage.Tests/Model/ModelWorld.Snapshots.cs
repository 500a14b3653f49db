using System.Text;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>Own snapshots and a leader's (storage.md §4).</summary>
public sealed partial class ModelWorld
{
    private readonly Dictionary<(int Partition, long Index), string> _snapshots = [];
    private SnapshotWriter? _writer;
    private SnapshotReceiver? _receiver;
    private bool _roomSure, _keepTail, _wasFull;

    private string TextAt(int p, long index)
    {
        if (!_snapshots.TryGetValue((p, index), out string? text)) _snapshots.Add((p, index), text = $"state of p{p} at {index} " + new string('#', (int)_chance.Below(20_000)));
        return text;
    }

    private void Snapshot(int p, Model m)
    {
        LogOf(p).SnapshotDue(20_000 + (_chance.Chance(0.1) ? _chance.Below(100_000) : 0));
        if (_writer is not null || m.BaseLost || m.Commit <= m.Now.Begin || !m.Now.Log.TryGetValue(m.Commit, out var at)) return;
        _roomSure = _store!.Snapshots.ReserveBytes > 40_000 && !_store.Snapshots.IsBusy;
        _writer = _store.Snapshots.BeginWrite(p, new SnapshotIdentity(m.Commit, at.Term, (ulong)m.Commit));
        _writer.Append(Encoding.UTF8.GetBytes(TextAt(p, m.Commit)));
        _writer.Finish(1);
    }

    /// <summary>A leader's snapshot: one of what is committed here, after which the tail stays, or one ahead of everything.</summary>
    private void Install(int p, Model m)
    {
        if (_receiver is not null) return;
        _keepTail = m.Commit > m.Now.Begin && _chance.Chance(0.5);
        long index = _keepTail ? m.Commit : m.Now.Last + _chance.Between(1, 20);
        var identity = new SnapshotIdentity(index, _keepTail ? m.Now.Log[index].Term : m.Term, (ulong)index);
        byte[] raw = LeadersFile(p, identity);
        _receiver = _store!.Snapshots.BeginReceive(p, identity, raw.Length);
        _receiver.Append(raw);
        _receiver.Finish();
    }

    private byte[] LeadersFile(int p, SnapshotIdentity identity)
    {
        using var leader = MemberStore.Open(_disk, new StorageOptions { DataDirectory = "/leader", Self = new ReplicaId(2), Level = StorageLevel.Memory, SegmentBytes = 64 * 1024, MaxEntryBytes = 1024 }, new TestSeed(1), new ListNotes());
        var writer = leader.Snapshots.BeginWrite(p, identity);
        writer.Append(Encoding.UTF8.GetBytes(TextAt(p, identity.Index)));
        writer.Finish(1);
        for (long now = 1_000; ; now += 1_000)
        {
            leader.Pump(new Instant(now, 0));
            if (!leader.Snapshots.TryTakeEvent(out var e)) continue;
            return Ground.ReadAll(leader.Snapshots.OpenBody(e.Body)!, () => leader.Pump(new Instant(now += 1_000, 0)));
        }
    }

    private void TakeSnapshotEvents()
    {
        while (_store!.Snapshots.TryTakeEvent(out var e))
        {
            _wasFull |= _full;
            var m = _models[e.Partition];
            switch (e.Kind)
            {
                case SnapshotEventKind.Stored:
                    _writer = null;
                    if (e.Identity.Index > m.Stored.Index) m.Stored = e.Identity;
                    break;
                case SnapshotEventKind.Failed:
                    _writer = null;
                    if (!_armed && (!_wasFull || _roomSure)) throw new BrokenPromise($"snapshot failed{(_full ? " on a full disk though there was a reserve" : "")}: {e.Reason}");
                    break;
                case SnapshotEventKind.Received:
                    _receiver = null;
                    SwitchTo(e, m);
                    break;
                case SnapshotEventKind.ReceiveFailed:
                    _receiver = null;
                    if (!_wasFull && !_armed) throw new BrokenPromise($"a leader's snapshot was not taken: {e.Reason}");
                    break;
            }
            if (_writer is null && _receiver is null) _wasFull = _full;
        }
    }

    private void SwitchTo(in SnapshotEvent e, Model m)
    {
        var at = e.Identity;
        if (at.Index <= m.Now.Begin || (!_keepTail && at.Index <= m.Commit) || _chance.Chance(0.1)) return; // the core has gone on meanwhile
        m.Box.PersistSwitch(e.Body, _keepTail);
        Hand(e.Partition, m, m.Now.Install(at.Index, _keepTail));
        m.BaseLost = false;
        if (!_keepTail) m.Commit = m.Now.Begin;
        Installs++;
    }
}
