using Quorate.Storage;
using Quorate.Transport;

namespace Quorate.Runtime.Replica;

/// <summary>Snapshots: made in slices while the state changes, streamed to followers beneath everything urgent, received, installed (storage.md §3.2, §4).</summary>
public sealed partial class ReplicaHost
{
    /// <summary>Encoded bytes a turn: well under a millisecond.</summary>
    private const int SliceBytes = 128 * 1024;

    private readonly ByteWriter _slice = new();
    private readonly ByteWriter _machineSlice = new();
    private readonly Incoming?[] _incoming = new Incoming?[256];
    private readonly List<Incoming> _ended = [];
    private readonly List<(ReplicaId To, long Index, long Until)> _delivered = [];
    private readonly List<(ReplicaId From, SnapshotIdentity Snapshot, long At)> _unstored = [];
    private SnapshotWriter? _writer;
    private SnapshotIdentity _writing;
    private bool _snapshotAsked, _finished;
    private long _retrySnapshotAt;

    /// <summary>Micros after which one that failed is tried again.</summary>
    private const long RetrySnapshotMicros = 1_000_000;

    /// <summary>Micros after which a member that has a snapshot whole and does not report its position is taken to have lost it: it is synced, read back and restored by then.</summary>
    private const long TakenMicros = 60_000_000;
    private Action<string>? _snapshotAnswer;

    private sealed class Incoming(byte[] header, Sender from, SnapshotReceiver receiver, SnapshotIdentity identity)
    {
        public readonly byte[] Header = header;
        public readonly Sender From = from;
        public readonly SnapshotReceiver Receiver = receiver;
        public readonly SnapshotIdentity Identity = identity;
    }

    /// <summary>A snapshot is being written and the disk does not hold it up.</summary>
    private bool SnapshotWantsTurn => _writer is { } w && !_finished && w.Unwritten < Limits.SnapshotUnwrittenBytes;

    /// <summary>Asks for a snapshot now, whether due or not.</summary>
    public void AskSnapshot(Action<string> answer)
    {
        _snapshotAsked = true;
        _snapshotAnswer += answer;
    }

    private void PumpSnapshot()
    {
        JudgeDelivered();
        TellUnstored();
        if (_writer is null)
        {
            if (_snapshotAsked || (_now.Micros >= _retrySnapshotAt && _sessions.AppliedIndex > _log.Map.BeginIndex && (Standing.WantsSnapshot || _log.SnapshotDue(_sessions.Machine.EncodedBytes)))) BeginSnapshot();
            return;
        }
        if (!SnapshotWantsTurn) return;
        bool last = StateSnapshots.WriteNext(_sessions, SliceBytes, _slice);
        if (_slice.Length > 1) _writer.Append(_slice.Written);
        if (!last) return;
        _finished = true;
        _writer.Finish(_sessions.Machine.RowCount);
    }

    private void BeginSnapshot()
    {
        _snapshotAsked = false;
        if (_sessions.AppliedIndex == _store.Snapshots.Newest(0).Snapshot.Index)
        {
            AnswerSnapshot("nothing was applied since the last snapshot");
            return;
        }
        _writing = new SnapshotIdentity(_sessions.AppliedIndex, _sessions.AppliedTerm, StateSnapshots.DigestOf(_sessions));
        _writer = _store.Snapshots.BeginWrite(0, _writing);
        _finished = false;
        StateSnapshots.WriteFirst(_sessions, _slice, _machineSlice);
        _writer.Append(_slice.Written);
        _writer.Append(_machineSlice.Written);
        _notes.Note(1, $"snapshot at index {_writing.Index} begins");
    }

    private void AnswerSnapshot(string text)
    {
        _snapshotAnswer?.Invoke(text);
        _snapshotAnswer = null;
    }

    private void TakeSnapshotEvents()
    {
        while (_store.Snapshots.TryTakeEvent(out var e))
        {
            switch (e.Kind)
            {
                case SnapshotEventKind.Stored:
                    _writer = null;
                    _notes.Note(1, $"snapshot at index {e.Identity.Index} stored");
                    AnswerSnapshot($"snapshot at index {e.Identity.Index} stored");
                    // Without room nothing is kept behind it for those that lag.
                    Tell(_now, new SnapshotStored(e.Identity, _lowSpace ? e.Identity.Index + 1 : _log.FirstWithin(Limits.TrailingJournalBytes)));
                    break;
                case SnapshotEventKind.Failed:
                    _retrySnapshotAt = _now.Micros + RetrySnapshotMicros;
                    EndWriting();
                    _notes.Note(2, $"a snapshot failed: {e.Reason}");
                    AnswerSnapshot($"the snapshot failed: {e.Reason}");
                    Tell(_now, new SnapshotFailed());
                    break;
                case SnapshotEventKind.Received: TakeReceived(e.Body); break;
                case SnapshotEventKind.ReceiveFailed:
                    NoteUnstored(e.Identity);
                    _notes.Note(2, $"a received snapshot was not usable: {e.Reason}");
                    break;
            }
        }
    }

    /// <summary>Whoever sent it hears of it, a little later: what kept it from being stored (a full disk) seldom passes at once, and its bytes would come again as fast as they failed.</summary>
    private void NoteUnstored(in SnapshotIdentity identity)
    {
        for (int i = _ended.Count - 1; i >= 0; i--)
        {
            if (_ended[i].Identity != identity) continue;
            _unstored.Add((_ended[i].From.Id, identity, _now.Micros + Limits.ReceiveRetryMicros));
            _ended.RemoveAt(i);
        }
    }

    private void TellUnstored()
    {
        for (int i = _unstored.Count - 1; i >= 0; i--)
        {
            var (from, snapshot, at) = _unstored[i];
            if (_now.Micros < at) continue;
            _unstored.RemoveAt(i);
            Tell(_now, new ReceiveFailed(from, snapshot));
        }
    }

    /// <summary>Another body comes from there: nobody waits for a word about the one before.</summary>
    private void ForgetUnstored(ReplicaId from)
    {
        for (int i = _unstored.Count - 1; i >= 0; i--)
            if (_unstored[i].From == from) _unstored.RemoveAt(i);
    }

    private void EndWriting()
    {
        if (_writer is null) return;
        if (!_finished) _sessions.Machine.AbandonSnapshot();
        _writer = null;
    }

    private bool SendBody(ReplicaId to, BodyMessage message)
    {
        var body = _store.Snapshots.Newest(0);
        if (!_mesh.IsUp(to) || body.Snapshot.IsNone || body.Snapshot.Index != message.Body.Snapshot.Index)
        {
            NoteUndelivered(to);
            return false;
        }
        var header = new ByteWriter(256);
        if (_codec.Encode(message, _log, header) != EntryRead.Here)
        {
            NoteUndelivered(to);
            return false;
        }
        _notes.Note(1, $"snapshot at index {body.Snapshot.Index} ({body.Bytes} bytes) goes to {to}");
        _mesh.QueueBulk(to, new SnapshotBody(this, to, header.Written.ToArray(), _store.Snapshots.OpenBody(body)!));
        return true;
    }

    /// <summary>A stored snapshot as the mesh pulls it.</summary>
    private sealed class SnapshotBody : IBulkSource
    {
        private readonly ReplicaHost _host;
        private readonly ReplicaId _to;
        private readonly byte[] _header;
        private readonly BodyStream _body;

        public SnapshotBody(ReplicaHost host, ReplicaId to, byte[] header, BodyStream body)
        {
            _host = host;
            _to = to;
            _header = header;
            _body = body;
        }

        public ReadOnlySpan<byte> Header => _header;
        public long Length => _body.Body.Bytes;

        public int Read(long offset, Span<byte> into) => _body.Read(offset, into);

        public void Done(bool delivered)
        {
            _body.End();
            if (delivered) _host._delivered.Add((_to, _body.Body.Snapshot.Index, _host._now.Micros + TakenMicros));
            else _host.NoteUndelivered(_to);
        }
    }

    public void OnBulkBegin(Instant now, in Sender from, ReadOnlySpan<byte> header, long length)
    {
        AbandonIncoming(from.Id);
        ForgetUnstored(from.Id);
        if (_codec.Decode(header, _chunks, default) is not BodyMessage message) return;
        var identity = message.Body.Snapshot;
        if (identity.Index <= _sessions.AppliedIndex)
        {
            // Its bytes are not needed, but whoever sends them waits for a word: without one, and with a log that began above this member's by then, it waited for ever (served seeds 11079 and 11095).
            _now = now;
            _core.Receive(now, from, message, _outbox);
            Stepped();
            return;
        }
        if (EndedOf(header, identity)) return; // the link broke behind its last byte: it is on its way to the disk
        _incoming[from.Id.Value] = new Incoming(header.ToArray(), from, _store.Snapshots.BeginReceive(0, identity, length), identity);
    }

    public void OnBulkBytes(in Sender from, ReadOnlySpan<byte> bytes) => _incoming[from.Id.Value]?.Receiver.Append(bytes);

    public void OnBulkEnd(in Sender from, bool whole)
    {
        if (_incoming[from.Id.Value] is not { } incoming) return;
        if (!whole)
        {
            AbandonIncoming(from.Id);
            return;
        }
        _incoming[from.Id.Value] = null;
        _ended.Add(incoming);
        incoming.Receiver.Finish();
    }

    private bool EndedOf(ReadOnlySpan<byte> header, in SnapshotIdentity identity)
    {
        foreach (var i in _ended)
            if (i.Identity == identity && header.SequenceEqual(i.Header)) return true;
        return false;
    }

    /// <summary>A body that its receiver had whole and of which no word came back: the core would wait for it for ever.</summary>
    private void JudgeDelivered()
    {
        for (int i = _delivered.Count - 1; i >= 0; i--)
        {
            var (to, index, until) = _delivered[i];
            bool taken = Standing.Role != Role.Leader || _sessions.ReportOf(to).Applied >= index;
            if (!taken && _now.Micros < until) continue;
            _delivered.RemoveAt(i);
            if (!taken) NoteUndelivered(to);
        }
    }

    public long BulkBacklog(ReplicaId from) => _incoming[from.Value]?.Receiver.Unwritten ?? 0;

    private void AbandonIncoming(ReplicaId from)
    {
        _incoming[from.Value]?.Receiver.Abandon();
        _incoming[from.Value] = null;
    }

    /// <summary>Whole, synced and read back: now the core hears of it.</summary>
    private void TakeReceived(in BodyHandle body)
    {
        for (int i = 0; i < _ended.Count; i++)
        {
            var incoming = _ended[i];
            if (incoming.Identity != body.Snapshot) continue;
            _ended.RemoveAt(i);
            if (_codec.Decode(incoming.Header, _chunks, body) is not { } message) return;
            _core.Receive(_now, incoming.From, message, _outbox);
            Stepped();
            return;
        }
    }

    /// <summary>Replaces the state, in line with deliveries. Clients were hung up first (sessions.md §6.3).</summary>
    private void Install(in BodyHandle body)
    {
        _notes.Note(1, $"installing a snapshot at index {body.Snapshot.Index}");
        if (_writer is not null && !_finished)
        {
            _writer.Abandon(); // no event comes of it; a finished one still has its own
            EndWriting();
            AnswerSnapshot("a leader's snapshot took its place");
        }
        _sessions.BeginInstall();
        var configuration = Restore(body);
        _sessions.EndInstall(body.Snapshot, configuration);
        _deliverTo = body.Snapshot.Index;
        _observer?.OnInstalled(body.Snapshot, _sessions);
    }

    private ConfigurationAt RestoreAtStart(in SnapshotIdentity snapshot)
    {
        var configuration = Restore(_store.Snapshots.Newest(0));
        _sessions.EndInstall(snapshot, configuration);
        return configuration;
    }

    private ConfigurationAt Restore(in BodyHandle body)
    {
        ConfigurationAt? configuration = null;
        _sessions.Machine.BeginRestore();
        var reader = _store.Snapshots.OpenForRestore(body);
        bool whole = true;
        while (whole && reader.ReadSlice(out var slice)) whole = StateSnapshots.Restore(_sessions, slice, ref configuration);
        whole = whole && _sessions.Machine.EndRestore() && configuration is not null && StateSnapshots.DigestOf(_sessions) == body.Snapshot.Digest;
        if (!whole) throw new InvariantException("SnapshotRestores", $"the snapshot at index {body.Snapshot.Index} does not give the state that it was made of");
        return configuration!;
    }
}
