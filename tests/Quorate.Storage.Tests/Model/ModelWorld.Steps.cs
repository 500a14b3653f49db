using System.Text;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>What the cores of the partitions do.</summary>
public sealed partial class ModelWorld
{
    private void Step()
    {
        // The last partition is a quiet one: its few entries are moved, or they would keep the ring.
        int p = (int)_chance.Below(_chance.Chance(_kinds ? 0.12 : 0.05) || _models.Length == 1 ? _models.Length : _models.Length - 1);
        var m = _models[p];
        if (_chance.Chance(0.03)) _disk.Stall(DiskQueue.Journal, _now + _chance.Between(1_000, 10_000)); // so that several batches wait
        if (_chance.Chance(0.01)) FillOrEmptyDisk();
        switch (_chance.Below(24))
        {
            case < 9:
                Append(p, m);
                break;
            case 9:
                m.Term += (ulong)_chance.Between(1, 3);
                var promise = new Promise(m.Term, (ulong)_chance.Below(3) + 1, 9);
                m.Box.PersistPromise(promise);
                Hand(p, m, m.Now with { Promise = promise });
                break;
            case 10 when m.Now.Last > m.Commit && _chance.Chance(0.3):
                long cut = _chance.Between(m.Commit, m.Now.Last);
                m.Box.PersistCut(cut);
                Hand(p, m, m.Now.Cut(cut));
                break;
            case 11:
                Commit(m);
                break;
            case 12 or 20 when _short || _chance.Chance(0.5):
                if (_short) Commit(m);
                Snapshot(p, m);
                break;
            case 13 or 21 when !m.BaseLost && m.Stored.Index > m.Now.Begin && m.Stored.Index <= m.Now.Last:
                long begin = _short ? m.Stored.Index : _chance.Between(Math.Max(m.Now.Begin + 1, m.Stored.Index - 10), m.Stored.Index + 1);
                m.Box.PersistLogBegin(begin, m.Now.Log[begin].Term, m.Stored);
                Hand(p, m, m.Now.BeginAt(begin));
                m.Commit = Math.Max(m.Commit, begin);
                break;
            case 14 or 18 or 19 when _kinds:
                OtherKind(p, m);
                break;
            case 15 when m.BaseLost || _chance.Chance(0.2):
                Install(p, m);
                break;
            case 16 when m.Now.Lost.Count > 0:
                Repair(p, m);
                break;
            case 17 when _chance.Chance(0.1):
                Rest();
                break;
            default:
                Pump(_chance.Chance(0.1) ? _chance.Between(0, 300_000) : _chance.Between(0, 600));
                break;
        }
        if (_chance.Chance(0.02)) Check();
    }

    private void Append(int p, Model m)
    {
        long first = m.Now.Last + 1;
        if (_chance.Chance(0.1) && m.Now.Last > m.Commit) first = _chance.Between(m.Commit + 1, m.Now.Last + 1);
        var (entries, models) = Entries(p, m, first);
        m.Box.PersistAppend(first, m.Term, entries);
        Hand(p, m, null);
        // One persist may be split over batches: each entry is a step of its own.
        for (int i = 0; i < entries.Length; i++) m.Steps.Add((m.Box.LastTicket, m.Now.Append(first + i, models[i])));
    }

    private (Entry[] Entries, ModelEntry[] Models) Entries(int p, Model m, long first)
    {
        int count = (int)_chance.Between(1, p > 0 && p == _models.Length - 1 ? 2 : 6);
        var entries = new Entry[count];
        var models = new ModelEntry[count];
        for (int i = 0; i < count; i++)
        {
            if (_chance.Chance(0.03))
            {
                var c = new ClusterConfiguration([new(new ReplicaId(1), (ulong)++_nonce, true, "a:1"), new(new ReplicaId(2), 2, true, "a:2"), new(new ReplicaId(3), 3, true, "a:3")]);
                entries[i] = new Entry(EntryKind.Configuration, Payload.Of(c.Encode()));
                models[i] = new ModelEntry(m.Term, Convert.ToHexString(c.Encode()), true);
                continue;
            }
            string text = $"p{p} i{first + i} t{m.Term} n{++_nonce} " + new string('.', (int)_chance.Below(_chance.Chance(_greedy ? 0.8 : 0.1) ? 900 : 100));
            entries[i] = new Entry(EntryKind.Command, Payload.Of(Encoding.UTF8.GetBytes(text)));
            models[i] = new ModelEntry(m.Term, text, false);
        }
        return (entries, models);
    }

    /// <summary>Gives what is in the box to the journal; the state that it leads to, when it is one step, follows.</summary>
    private void Hand(int p, Model m, ModelState? next)
    {
        foreach (ref readonly var v in m.Box.Verbs) LogOf(p).Gather(v, m.Box.EntriesOf(v));
        m.Box.Clear();
        if (next is not null) m.Steps.Add((m.Box.LastTicket, next));
    }

    /// <summary>What a leader calls committed is durable here as well, in this world without peers.</summary>
    private static void Commit(Model m)
    {
        var durable = m.Steps[m.DurableStep].State;
        long at = Math.Max(m.Commit, m.Now.Begin);
        while (m.Now.Log.TryGetValue(at + 1, out var now) && durable.Log.TryGetValue(at + 1, out var then) && now == then) at++;
        if (at <= durable.Last) m.Commit = Math.Max(m.Commit, at);
    }

    private void Pump(long micros)
    {
        _now += micros;
        _disk.RunDue(_now);
        _store!.Pump(new Instant(_now, 0));
        if (_store.Failed is { } failed && !_armed) throw new BrokenPromise($"the journal failed: {failed.Message}");
        PumpFetches();
        TakeSnapshotEvents();
        for (int p = 0; p < _models.Length; p++)
        {
            var m = _models[p];
            var durable = LogOf(p).Durable;
            while (m.DurableStep + 1 < m.Steps.Count && m.Steps[m.DurableStep + 1].Ticket <= durable) m.DurableStep++;
        }
    }

    /// <summary>Nothing to do for a while: behind the last real batch stands an empty one then (storage.md §1.6).</summary>
    private void Rest()
    {
        long written = -1;
        for (int i = 0, still = 0; i < 100 && still < 6 && _store!.Failed is null; i++)
        {
            still = written == _store.Journal.BatchesWritten && _store.Journal.IsQuiet ? still + 1 : 0;
            written = _store.Journal.BatchesWritten;
            Pump(30_000);
        }
        if (_store!.Failed is not null || !_store.Journal.IsQuiet || _full) return;
        var all = Headers();
        var top = all.MaxBy(h => h.Number);
        if (top is not null && all.Count(h => h.Number == top.Number) != 2) throw new BrokenPromise(Say($"batch {top.Number} does not have two headers"));
        if (top is not null && !top.Is(BatchFlags.Empty) && !top.Is(BatchFlags.Recovery)) throw new BrokenPromise(Say($"batch {top.Number} is still the highest after a rest"));
    }

    private void Check()
    {
        for (int p = 0; p < _models.Length; p++)
            if (Difference(p, _models[p].Now, NoHits) is { } d) throw new BrokenPromise($"live: {d}");
    }
}
