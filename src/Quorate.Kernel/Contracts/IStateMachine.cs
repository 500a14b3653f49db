namespace Quorate.Kernel;

/// <summary>What prepare is told beside the request.</summary>
/// <param name="Sequence">Grows with each prepared transaction of this leadership; <see cref="IStateMachine.ReleasePending"/> names it when the transaction was applied.</param>
/// <param name="Session">Who asks; 0 for nobody (the leader's own sweeps).</param>
/// <param name="TimeMillis">The transaction's stamp: the log time that apply will see at least.</param>
/// <param name="MaxBytes">The largest transaction that may come out.</param>
public readonly record struct PrepareContext(long Sequence, long Session, long TimeMillis, int MaxBytes);

/// <summary>What apply is told beside the transaction.</summary>
/// <param name="Index">The log position.</param>
/// <param name="Zxid">Its transaction id, assigned at apply (sessions.md §3.3).</param>
/// <param name="TimeMillis">The log time.</param>
/// <param name="Session">Whose it is.</param>
/// <param name="WantsResult">This member holds the connection that waits: write the result record.</param>
public readonly record struct ApplyContext(long Index, long Zxid, long TimeMillis, long Session, bool WantsResult);

/// <summary>
/// A deterministic state machine (a primitive). Judges once, at the leader, in <see cref="Prepare"/>, over the state and its own pending changes; <see cref="Apply"/> cannot fail and reads no configuration (sessions.md §2).
/// Requests, transactions and results are its own binary records. It has never heard of a protocol, a clock or a connection.
/// </summary>
public interface IStateMachine
{
    /// <summary>Turns a request into a transaction of results (a failure is a transaction too), appended to <paramref name="transaction"/>, and remembers its pending changes. Never throws on any bytes: what cannot be judged becomes an error transaction, and what would exceed MaxBytes is rolled back and becomes one.</summary>
    void Prepare(in PrepareContext context, ReadOnlySpan<byte> request, ByteWriter transaction);

    /// <summary>The session ends at this sequence: what it owns counts as gone for every later Prepare.</summary>
    void PrepareSessionEnd(long sequence, long session);

    /// <summary>Everything prepared up to this sequence has been applied: its pending changes may go.</summary>
    void ReleasePending(long sequence);

    /// <summary>Throws all pending changes away (leadership was lost, or prepare opens).</summary>
    void ResetPending();

    /// <summary>Applies; cannot fail. Events go to the sink in order; with WantsResult the result record is appended to <paramref name="result"/>.</summary>
    void Apply(in ApplyContext context, ReadOnlySpan<byte> transaction, IApplySink sink, ByteWriter result);

    /// <summary>Deletes what the session owns, in one zxid.</summary>
    void ApplySessionEnd(in ApplyContext context, long session, IApplySink sink);

    /// <summary>The incremental digest of the whole state; equal at equal positions on every replica.</summary>
    ulong Digest { get; }

    /// <summary>What <see cref="WriteSnapshotSlice"/> would encode in all, about; kept by apply (storage.md §3.3).</summary>
    long EncodedBytes { get; }

    /// <summary>Rows of the state, for the snapshot's last block.</summary>
    long RowCount { get; }

    /// <summary>Freezes the view at this position; what is no row is copied now (storage.md §4.1).</summary>
    void BeginSnapshot(ByteWriter firstSlice);

    /// <summary>Appends rows as of the frozen view until at least <paramref name="bytes"/> bytes were appended or it is finished (then true). A row that was about to change was encoded before its change.</summary>
    bool WriteSnapshotSlice(int bytes, ByteWriter into);

    /// <summary>Gives the frozen view up.</summary>
    void AbandonSnapshot();

    /// <summary>Empties the state; RestoreSlice calls follow with the very bytes of BeginSnapshot's and WriteSnapshotSlice's appends, cut only at those appends' ends.</summary>
    void BeginRestore();

    /// <summary>False when the bytes are no slice of this machine.</summary>
    bool RestoreSlice(ReadOnlySpan<byte> slice);

    /// <summary>Ends a restore; false when what was restored is not whole.</summary>
    bool EndRestore();
}

/// <summary>Takes what applying shows to the outside.</summary>
public interface IApplySink
{
    /// <summary>Something happened at a path. <paramref name="type"/> is the machine's own event number; <paramref name="access"/> names the access list that judges who may see it.</summary>
    void Event(int type, ReadOnlySpan<byte> path, long zxid, int access);

    /// <summary>This row of the machine, or what hangs below it, is about to change: whoever reads it in slices takes the rest now (sessions.md §7.4).</summary>
    void Changing(int row) { }
}

/// <summary>A machine with things of its own that grow old (container and TTL nodes). Only the leader asks, and proposes what comes as ordinary requests of session 0.</summary>
public interface ISweepingMachine
{
    /// <summary>Adds at most <paramref name="max"/> requests for what is due at this log time.</summary>
    void CollectSweep(long timeMillis, int max, List<byte[]> requests);
}
