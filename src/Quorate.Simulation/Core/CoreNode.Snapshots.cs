using Quorate.Storage;

namespace Quorate.Simulation.Core;

/// <summary>Snapshots of a core node: written in slices over turns, received whole, restored.</summary>
internal sealed partial class CoreNode
{
    private readonly Queue<Parcel> _bodies = new();
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

    // The core names what to stream; the store holds it under that identity, or holds a newer one by now.
    private byte[]? ReadWhole(SnapshotIdentity wanted)
    {
        var handle = _store!.Snapshots.Newest(0);
        if (handle.Snapshot != wanted) return null;
        _store.Snapshots.Pin(handle);
        var bytes = new byte[handle.Bytes];
        int read = _store.Snapshots.ReadBody(handle, 0, bytes);
        _store.Snapshots.Unpin(handle);
        return read == bytes.Length ? bytes : null;
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
        _appliedTerm = identity.Term;
        _world.Ghost.OnDigest(Number, Applied, Machine.Digest);
        AnswerReads();
    }
}
