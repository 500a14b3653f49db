namespace Quorate.Runtime.Tests.Harness;

/// <summary>A machine that keeps what was written, in order, so that a lost, doubled or reordered write is seen; an open session owns nothing but its mark.</summary>
public sealed class ListMachine : IStateMachine
{
    private readonly HashSet<long> _pendingEnds = [];

    public List<string> Written { get; } = [];
    public List<long> Ended { get; } = [];
    public ulong Digest
    {
        get
        {
            ulong sum = 17;
            foreach (string text in Written)
                foreach (char c in text) sum = (sum * 31) + c;
            return sum;
        }
    }

    public long EncodedBytes => Written.Count * 16;
    public long RowCount => Written.Count;
    public void Prepare(in PrepareContext context, ReadOnlySpan<byte> request, ByteWriter transaction) => transaction.Bytes(request);
    public void PrepareSessionEnd(long sequence, long session) => _pendingEnds.Add(session);
    public void ReleasePending(long sequence) { }
    public void ResetPending() => _pendingEnds.Clear();

    public void Apply(in ApplyContext context, ReadOnlySpan<byte> transaction, IApplySink sink, ByteWriter result)
    {
        Written.Add(System.Text.Encoding.UTF8.GetString(transaction));
        result.Bytes(transaction);
    }

    public void ApplySessionEnd(in ApplyContext context, long session, IApplySink sink) => Ended.Add(session);
    public void BeginSnapshot(ByteWriter firstSlice) => firstSlice.Text(string.Join('\n', Written));
    public bool WriteSnapshotSlice(int bytes, ByteWriter into) => true;
    public void AbandonSnapshot() { }
    public void BeginRestore() => Written.Clear();

    public bool RestoreSlice(ReadOnlySpan<byte> slice)
    {
        var r = new ByteReader(slice);
        string text = r.Text();
        if (text.Length > 0) Written.AddRange(text.Split('\n'));
        return r.Ok;
    }

    public bool EndRestore() => true;
}
