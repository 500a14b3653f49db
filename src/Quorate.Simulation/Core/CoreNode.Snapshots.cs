using Quorate.Storage;

namespace Quorate.Simulation.Core;

/// <summary>Snapshots of a core node: written in slices over turns, received whole, restored.</summary>
internal sealed partial class CoreNode
{
    private readonly Queue<Parcel> _bodies = new();
    private readonly List<OutgoingBody> _outgoing = [];
    private Parcel? _receiving;
    private SnapshotWriter? _writing;
    private byte[] _slices = [];
    private int _written;

    private void WriteSnapshot()
    {
        if (_writing is null)
        {
            if (Applied == 0 || Machine.Configuration is null && Applied < 2 || _snapshotPending || !(_log!.SnapshotDue(64) || (Standing.WantsSnapshot && Applied > _store!.Snapshots.Newest(0).Snapshot.Index))) return;
            _slices = Machine.Encode();
            _written = 0;
            _snapshotPending = true;
            _writing = _store!.Snapshots.BeginWrite(0, new SnapshotIdentity(Applied, _appliedTerm, Machine.Digest));
        }
        int n = Math.Min(16, _slices.Length - _written);
        _writing.Append(_slices.AsSpan(_written, n));
        _written += n;
        if (_written == _slices.Length)
        {
            _writing.Finish(_world.Plan.Keys);
            _writing = null;
        }
        WakeAfter(20);
    }

    private bool _snapshotPending;

    private void HearSnapshots()
    {
        while (_store!.Snapshots.TryTakeEvent(out var e))
        {
            switch (e.Kind)
            {
                case SnapshotEventKind.Stored:
                    _snapshotPending = false;
                    _hostInputs.Enqueue(new SnapshotStored(e.Identity));
                    break;
                case SnapshotEventKind.Failed:
                    _snapshotPending = false;
                    _hostInputs.Enqueue(new SnapshotFailed());
                    break;
                case SnapshotEventKind.Received when _receiving is { } parcel:
                    _receiving = null;
                    if (_world.Codec.Decode(parcel.Bytes, _chunks, e.Body) is { } message) Hand(parcel, message);
                    break;
                default:
                    if (_receiving is { } lost) _hostInputs.Enqueue(new ReceiveFailed(new ReplicaId((byte)lost.From), e.Identity));
                    _receiving = null;
                    break;
            }
        }
        if (_receiving is null && _bodies.TryDequeue(out var next)) BeginReceiving(next);
        Feed();
    }

    private void BeginReceiving(Parcel parcel)
    {
        if (_receiving is not null)
        {
            _bodies.Enqueue(parcel);
            return;
        }
        _receiving = parcel;
        var receiver = _store!.Snapshots.BeginReceive(0, parcel.Snapshot, parcel.Body!.Length);
        receiver.Append(parcel.Body);
        receiver.Finish();
    }

    private sealed record OutgoingBody(ReplicaId To, byte[] Message, BodyStream Stream, byte[] Bytes)
    {
        public int Read { get; set; }
    }

    // The core names what to stream; the store holds it under that identity, or holds a newer one by now.
    private void BeginBody(ReplicaId to, SnapshotIdentity wanted, byte[] message)
    {
        var handle = _store!.Snapshots.Newest(0);
        if (handle.Snapshot != wanted) _hostInputs.Enqueue(new Undelivered(to));
        else _outgoing.Add(new OutgoingBody(to, message, _store.Snapshots.OpenBody(handle)!, new byte[handle.Bytes]));
    }

    private void SendBodies()
    {
        for (int i = _outgoing.Count - 1; i >= 0; i--)
        {
            var body = _outgoing[i];
            int count;
            while ((count = body.Stream.Read(body.Read, body.Bytes.AsSpan(body.Read))) > 0) body.Read += count;
            if (count == BodyStream.Later && body.Read < body.Bytes.Length) continue;
            _outgoing.RemoveAt(i);
            body.Stream.End();
            if (body.Read < body.Bytes.Length) _hostInputs.Enqueue(new Undelivered(body.To));
            else _world.Transmit(this, body.To, new Parcel(Number, Directory, _link, _world.Schedule.NowMicros, body.Message, body.Bytes, body.Stream.Body.Snapshot));
        }
    }

    private void Restore(BodyHandle body, SnapshotIdentity identity)
    {
        var whole = new ByteWriter(256);
        var reader = _store!.Snapshots.OpenForRestore(body);
        while (reader.ReadSlice(out var slice)) whole.Bytes(slice);
        Machine = new RegisterMachine(_world.Plan.Keys);
        if (!Machine.Restore(whole.Written) || Machine.Digest != identity.Digest)
            throw new BreachException("SnapshotSound", $"n{Number}: the snapshot at {identity.Index} does not restore to its digest");
        Applied = identity.Index;
        _deliverTo = Math.Max(_deliverTo, Applied);
        _appliedTerm = identity.Term;
        _world.Ghost.OnDigest(Number, Applied, Machine.Digest);
        AnswerReads();
    }
}
