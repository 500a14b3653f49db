using System.Text;
using Quorate.Simulation;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>Starting, and what must hold then.</summary>
public sealed partial class ModelWorld
{
    private long _opening = 60; // operations of the last start

    /// <summary>False when the world ends here, having seen a refusal as it must be.</summary>
    private bool TryOpen()
    {
        for (int tries = 0; ; tries++)
        {
            // Cut short anywhere, or among the last operations of a start, where the opening is written.
            if (tries < 5 && _chance.Chance(0.25)) _disk.CrashAfter(_chance.Chance(0.5) ? _chance.Below(100) : Math.Max(0, _opening - _chance.Below(10)));
            long began = _disk.Operations;
            if (tries < 5 && _chance.Chance(0.05)) FailSoon();
            try
            {
                _store = MemberStore.Open(_disk, _options, _doorSeed, _notes);
                _disk.CrashAfter(long.MaxValue);
                DisarmFaults();
                _opening = _disk.Operations - began;
                break;
            }
            catch (SimCrash)
            {
                _notes.Note(0, "stopped while opening");
                StopAgain();
            }
            catch (DiskException e) when (_armed || (_full && e.Failure == DiskFailure.Full))
            {
                _notes.Note(0, $"the disk failed while opening: {e.Message}");
                if (!_armed) EmptyDisk();
                StopAgain();
            }
            catch (StorageRefusal r)
            {
                if (!_unknownExpected || _options.MayBeginAnew is not null || !r.Message.Contains("offset", StringComparison.Ordinal)) throw new BrokenPromise($"refused: {r.Message}");
                Unknown++;
                return false;
            }
        }
        Recoveries++;
        _notes.Note(0, $"opened: {_store.Identity.Directory:x} run {_store.Identity.Run}");
        JudgeIdentity();
        for (int p = 0; p < _models.Length; p++) Recovered(p, _models[p]);
        _hits.Clear();
        NoteNumbers();
        return true;
    }

    private void StopAgain()
    {
        if (_chance.Chance(0.5)) _disk.Crash();
        else _disk.Kill();
        DisarmFaults();
    }

    /// <summary>A run is never used twice; another directory is drawn when, and only when, something of unknown content was lost (§2.1, §6.1).</summary>
    private void JudgeIdentity()
    {
        var identity = _store!.Identity;
        if (identity.Run <= _lastRun) throw new BrokenPromise($"run {identity.Run} after run {_lastRun}");
        _lastRun = identity.Run;
        bool anew = _directory != 0 && identity.Directory != _directory;
        if (anew != (_unknownExpected && _directory != 0)) throw new BrokenPromise(anew ? "another directory though nothing of unknown content was lost" : "something of unknown content was lost and nobody says so");
        _directory = identity.Directory;
        _key = identity.Key.ToArray();
        if (!anew) return;
        _unknownExpected = false;
        Unknown++;
        _hits.Clear();
        _rottenSegments.Clear();
        foreach (var m in _models)
        {
            m.Reset(ModelState.Empty);
            m.Commit = 0;
            m.Stored = default;
            m.BaseLost = false;
        }
        if (_chance.Chance(0.5)) _store.RemoveOldDirectories();
    }

    private void Recovered(int p, Model m)
    {
        var log = LogOf(p);
        CheckSnapshot(p, m, log);
        string? nearest = null;
        int found = -1;
        for (int k = m.Steps.Count - 1; k >= m.DurableStep; k--)
        {
            if (Difference(p, m.Steps[k].State, _hits) is { } d)
            {
                nearest ??= d;
                continue;
            }
            found = k;
            break;
        }
        if (found < 0) throw new BrokenPromise($"p{p}: nothing between the durable step {m.DurableStep} and the last {m.Steps.Count - 1} was recovered; against the last: {nearest}; against the durable: {Difference(p, m.Steps[m.DurableStep].State, _hits)}");
        var state = m.Steps[found].State;
        if (log.Map.BeginIndex > state.Begin) state = state.BeginAt(log.Map.BeginIndex);
        foreach (long i in MarkOf(log))
        {
            if (!_store!.Damage.Any(d => d.Partition == p && (_rottenSegments.Contains(d.File) || state.Lost.Contains(i)))) throw new BrokenPromise($"p{p}: no damage names where entry {i} was lost");
            if (!state.Lost.Contains(i)) Marks++;
            state = state with { Lost = state.Lost.Add(i) };
        }
        while (state.Staged.Count > 0 && !log.TryReadNow(state.Staged.Keys.Last(), out _, staged: true)) state = state with { Staged = state.Staged.Remove(state.Staged.Keys.Last()) };
        m.Reset(state);
        m.Commit = Math.Max(Math.Min(m.Commit, state.Last), state.Begin);
        m.Stored = log.Recover(new ReplicaId(1), 1).Snapshot;
        m.BaseLost = log.BaseLost;
    }

    private static HashSet<long> MarkOf(PartitionLog log) => [.. log.Mark.Select(d => d.Index).Where(i => i > log.Map.BeginIndex)];

    private void CheckSnapshot(int p, Model m, PartitionLog log)
    {
        var body = _store!.Snapshots.Newest(p);
        if (log.BaseLost)
        {
            if (!_store.Damage.Any(d => d.Partition == p && _rottenSnapshots.Contains(d.File))) throw new BrokenPromise($"p{p}: the base is lost, and what rotted is not named");
            Marks++;
            return;
        }
        if (body.Snapshot.Index < log.Map.BeginIndex) throw new BrokenPromise($"p{p}: the log begins at {log.Map.BeginIndex}, the snapshot is at {body.Snapshot.Index}");
        if (m.Stored.Index > body.Snapshot.Index && _rottenSnapshots.Count == 0) throw new BrokenPromise($"p{p}: the stored snapshot at {m.Stored.Index} is gone, {body.Snapshot.Index} is there");
        if (body.Snapshot.IsNone) return;
        var reader = _store.Snapshots.OpenForRestore(body);
        var text = new StringBuilder();
        while (reader.ReadSlice(out var s)) text.Append(Encoding.UTF8.GetString(s));
        if (reader.Failed || text.ToString() != _snapshots[(p, body.Snapshot.Index)]) throw new BrokenPromise($"p{p}: the snapshot at {body.Snapshot.Index} does not read back");
    }

    /// <summary>Null when the partition holds this state, but for what rotted.</summary>
    private string? Difference(int p, ModelState s, HashSet<(int Partition, long Index)> hits)
    {
        var log = LogOf(p);
        if (log.Promise != s.Promise) return Say($"promise {log.Promise}, expected {s.Promise}");
        if (log.Map.Last != s.Last) return Say($"last {log.Map.Last}, expected {s.Last}");
        var mark = MarkOf(log);
        foreach (long i in mark)
            if (!s.Lost.Contains(i) && !hits.Contains((p, i))) return Say($"a mark of {i} without damage");
        foreach (long i in s.Lost)
            if (i > log.Map.BeginIndex && !mark.Contains(i)) return Say($"the mark of {i} is gone");
        if (log.Map.BeginIndex != s.Begin)
        {
            // What is damaged below a whole snapshot is dropped: the log begins there (§2.4).
            bool below = s.Lost.Any(i => i <= log.Map.BeginIndex) || hits.Any(h => h.Partition == p && h.Index <= log.Map.BeginIndex);
            if (!below || log.Map.BeginIndex < s.Begin || log.Map.BeginIndex != _store!.Snapshots.Newest(p).Snapshot.Index) return Say($"begin {log.Map.BeginIndex}, expected {s.Begin}");
        }
        for (long i = log.Map.First; i <= log.Map.Last; i++)
        {
            var expected = s.Log[i];
            if (!log.Map.TryTermOf(i, out ulong term) || term != expected.Term) return Say($"term {term} at {i}, expected {expected.Term}");
            if (mark.Contains(i)) continue;
            if (!log.TryReadNow(i, out var e)) return Say($"entry {i} cannot be read");
            if (TextOf(e) != expected.Text) return Say($"entry {i} is {TextOf(e)}, expected {expected.Text}");
        }
        return DifferentConfigurations(s, log) ?? DifferentStaged(p, s, log, hits);
    }

    private static string? DifferentConfigurations(ModelState s, PartitionLog log)
    {
        var above = s.Configurations.Where(c => c.Key > log.Map.BeginIndex).Select(c => (c.Key, c.Value));
        var own = log.Configurations.Where(c => c.Index > log.Map.BeginIndex).Select(c => (c.Index, Convert.ToHexString(c.Configuration.Encode())));
        if (!above.SequenceEqual(own)) return Say($"configurations at {string.Join(',', own.Select(c => c.Index))}, expected {string.Join(',', above.Select(c => c.Key))}");
        long below = s.Configurations.Keys.Where(k => k <= log.Map.BeginIndex).DefaultIfEmpty(0).Max();
        return below > 0 && !log.Configurations.Any(c => c.Index == below) ? Say($"the configuration at {below} is gone") : null;
    }

    private static string? DifferentStaged(int p, ModelState s, PartitionLog log, HashSet<(int Partition, long Index)> hits)
    {
        bool cut = false;
        foreach (var (i, expected) in s.Staged)
        {
            bool read = log.TryReadNow(i, out var e, staged: true);
            cut |= !read && hits.Contains((p, i)); // what is staged behind damage cannot be adopted any more
            if (read == cut) return Say($"staged {i} {(read ? "stands behind damage" : "cannot be read")}");
            if (read && (TextOf(e) != expected.Text || e.Term != expected.Term)) return Say($"staged {i} is {TextOf(e)}, expected {expected.Text}");
        }
        long first = s.Staged.Count > 0 ? s.Staged.Keys.First() : 0, last = s.Staged.Count > 0 ? s.Staged.Keys.Last() : 0;
        for (long i = Math.Max(1, log.Map.First - 30); i <= log.Map.Last + 30; i++)
            if ((i < first || i > last) && log.TryReadNow(i, out _, staged: true)) return Say($"{i} is staged");
        return null;
    }
}
