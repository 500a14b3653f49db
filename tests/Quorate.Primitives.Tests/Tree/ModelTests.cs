using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>The tree against the naive one: requests prepared several ahead of apply, session ends, sweeps, snapshots taken while it changes, replicas that only apply, replicas that were restored.</summary>
public sealed class ModelTests
{
    private const int Seeds = 250;
    private const int Steps = 400;

    [Fact]
    public void RandomRequestsGiveWhatTheNaiveTreeGives()
    {
        for (ulong seed = 0; seed < Seeds; seed++) new Run(seed).Go(Steps);
    }

    /// <summary>One transaction that was prepared: what the naive tree said of it, and what it should show.</summary>
    private sealed record Prepared(long Sequence, byte[] Transaction, long Session, bool EndsSession, long Time, string Expected, IReadOnlyList<NaiveEvent> Events);

    private sealed class Run(ulong seed)
    {
        private readonly NaiveTree _naive = new();
        private readonly OpMaker _maker = new(seed);
        private readonly DataTree _leader = new();
        private readonly List<DataTree> _followers = [new(), new()];
        private readonly Queue<Prepared> _flight = new();
        private readonly List<Prepared> _log = [];
        private readonly ByteWriter _result = new(), _transaction = new();
        private readonly List<byte[]> _slices = [];
        private long _sequence, _time = 1000;
        private bool _snapshotting;
        private int _snapshotAt;
        private string _snapshotDump = "";
        private ulong _snapshotDigest;
        private long _snapshotRows;

        public void Go(int steps)
        {
            for (int step = 0; step < steps; step++)
            {
                long dice = _maker.Prng.Below(100);
                if (dice < 55) PrepareRequest();
                else if (dice < 58) PrepareEnd();
                else if (dice < 92) ApplyOldest();
                else if (dice < 94) Release();
                else if (dice < 95) Sweep();
                else if (dice < 98) Snapshot();
                else LoseLeadership();
            }
            while (_flight.Count > 0) ApplyOldest();
            Compare();
            Release();
            Assert.Equal(0, _leader.PendingCount);
        }

        private void PrepareRequest(NaiveOp? op = null, long session = -1)
        {
            _time += _maker.Prng.Below(50);
            if (session < 0) session = 0x0100_0000_0000_0000 + 1 + _maker.Prng.Below(4);
            op ??= _maker.Next(session);
            var ids = _maker.Ids();
            long sequence = ++_sequence;
            _transaction.Clear();
            _leader.Prepare(new PrepareContext(sequence, session, _time, 1 << 20), Bench.Encode(op, ids), _transaction);
            string expected = _naive.Execute(op, session, ids, sequence, _time);
            _flight.Enqueue(new Prepared(sequence, _transaction.Written.ToArray(), session, false, _time, expected, [.. _naive.Events]));
        }

        private void PrepareEnd()
        {
            long session = 0x0100_0000_0000_0000 + 1 + _maker.Prng.Below(4), sequence = ++_sequence;
            _leader.PrepareSessionEnd(sequence, session);
            _naive.EndSession(session, sequence);
            _flight.Enqueue(new Prepared(sequence, [], session, true, _time, "", [.. _naive.Events]));
        }

        private void ApplyOldest()
        {
            if (!_flight.TryDequeue(out var p)) return;
            ApplyTo(_leader, p, wantsResult: true);
            foreach (var follower in _followers)
            {
                ApplyTo(follower, p, wantsResult: _maker.Prng.Below(2) == 0);
                Assert.Equal(_leader.Digest, follower.Digest);
            }
            _log.Add(p);
            if (_maker.Prng.Below(3) > 0) _leader.ReleasePending(p.Sequence);
            if (_snapshotting && _maker.Prng.Below(3) == 0) Slice();
        }

        private void ApplyTo(DataTree tree, Prepared p, bool wantsResult)
        {
            var events = new EventLog { Tree = tree };
            var context = new ApplyContext(p.Sequence, p.Sequence, p.Time, p.Session, wantsResult);
            _result.Clear();
            if (p.EndsSession) tree.ApplySessionEnd(context, p.Session, events);
            else tree.Apply(context, p.Transaction, events, _result);
            Assert.True(p.Events.SequenceEqual(events.Events), $"seed {seed} seq {p.Sequence}: events\n{string.Join("\n", p.Events)}\nbut\n{string.Join("\n", events.Events)}");
            if (p.EndsSession) return;
            if (wantsResult) Assert.True(p.Expected == Bench.ResultText(_result.Written), $"seed {seed} seq {p.Sequence}: expected {p.Expected}, got {Bench.ResultText(_result.Written)}");
            else Assert.Equal(0, _result.Length);
        }

        private void Release()
        {
            if (_log.Count > 0) _leader.ReleasePending(_log[^1].Sequence);
        }

        private void Sweep()
        {
            while (_flight.Count > 0) ApplyOldest();
            _time += _maker.Prng.Below(1500);
            var requests = new List<byte[]>();
            _leader.CollectSweep(_time, 3, requests);
            foreach (var request in requests)
            {
                var r = new ByteReader(request);
                r.Sized();
                r.Byte();
                string path = System.Text.Encoding.UTF8.GetString(r.Sized());
                PrepareRequest(new NaiveOp(TreeOp.DeleteContainer, path), session: 0);
                Assert.Equal("DeleteContainer 0", _flight.Last().Expected);
                if (_maker.Prng.Below(3) == 0) PrepareRequest();
            }
        }

        private void Snapshot()
        {
            if (_snapshotting)
            {
                if (_maker.Prng.Below(4) > 0) return;
                _leader.AbandonSnapshot();
            }
            _slices.Clear();
            _snapshotting = true;
            _snapshotAt = _log.Count;
            (_snapshotDump, _snapshotDigest, _snapshotRows) = (Bench.Dump(_leader), _leader.Digest, _leader.RowCount);
            var w = new ByteWriter();
            _leader.BeginSnapshot(w);
            _slices.Add(w.Written.ToArray());
        }

        private void Slice()
        {
            var w = new ByteWriter();
            bool finished = _leader.WriteSnapshotSlice((int)_maker.Prng.Between(1, 600), w);
            _slices.Add(w.Written.ToArray());
            if (!finished) return;
            _snapshotting = false;
            var restored = new DataTree();
            if (_maker.Prng.Below(2) == 0) restored = _followers[1];   // one that had a state before
            restored.BeginRestore();
            foreach (var slice in _slices) Assert.True(restored.RestoreSlice(slice));
            Assert.True(restored.EndRestore());
            Assert.Equal(_snapshotDigest, restored.Digest);
            Assert.Equal(_snapshotRows, restored.RowCount);
            Assert.Equal(_snapshotDump, Bench.Dump(restored));
            for (int i = _snapshotAt; i < _log.Count; i++) ApplyTo(restored, _log[i], wantsResult: true);
            _followers[1] = restored;
            CompareCounts(restored);
            Assert.Equal(_leader.Digest, restored.Digest);
            Assert.Equal(Bench.Dump(_leader), Bench.Dump(restored));
        }

        private void LoseLeadership()
        {
            // What was prepared is still committed, by the log of the new leader; only the pending changes go. So everything is applied first.
            if (_maker.Prng.Below(4) > 0) return;
            while (_flight.Count > 0) ApplyOldest();
            _leader.ResetPending();
            Assert.Equal(0, _leader.PendingCount);
        }

        private void Compare()
        {
            Assert.Equal(_naive.Dump(), Bench.Dump(_leader));
            foreach (var follower in _followers)
            {
                Assert.Equal(_naive.Dump(), Bench.Dump(follower));
                CompareCounts(follower);
            }
        }

        private void CompareCounts(DataTree other)
        {
            Assert.Equal(_leader.NodeCount, other.NodeCount);
            Assert.Equal(_leader.EphemeralCount, other.EphemeralCount);
            Assert.Equal(_leader.EphemeralSessions, other.EphemeralSessions);
            Assert.Equal(_leader.DataBytes, other.DataBytes);
        }
    }
}
