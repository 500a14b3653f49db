namespace Quorate.Storage;

/// <summary>
/// The bytes of the newest batches, in reused chunks: a batch is gathered where it stays readable, and is written to the disk from there.
/// A chunk goes back only when every batch in it is durable and the total is over the limit.
/// </summary>
internal sealed class RecentBytes(long limit, int chunkBytes)
{
    private readonly Queue<Chunk> _inOrder = new();
    private readonly Stack<Chunk> _free = new();
    private long _total;
    private Chunk? _current;

    /// <summary>A place for a batch that begins now: the chunk that it begins in, with at least <paramref name="least"/> bytes left.</summary>
    public Chunk Begin(ulong batch, int least)
    {
        if (_current is null || _current.Bytes.Length - _current.Used < least) _current = Next(batch, least);
        _current.LastBatch = batch;
        return _current;
    }

    /// <summary>A fresh chunk for a batch that outgrew its place.</summary>
    public Chunk Larger(ulong batch, int bytes)
    {
        _current = Next(batch, bytes);
        _current.LastBatch = batch;
        return _current;
    }

    /// <summary>Lets old chunks go; returns the number up to which batches are not in memory any more, 0 for none.</summary>
    public Chunk? TakeOld(ulong durable)
    {
        if (_total <= limit || !_inOrder.TryPeek(out var oldest) || oldest == _current || oldest.LastBatch > durable) return null;
        _inOrder.Dequeue();
        _total -= oldest.Bytes.Length;
        return oldest;
    }

    /// <summary>Takes a chunk back that nothing refers to any more.</summary>
    public void Reuse(Chunk chunk)
    {
        if (chunk.Bytes.Length == chunkBytes && _free.Count < 4) _free.Push(chunk);
    }

    private Chunk Next(ulong batch, int least)
    {
        var chunk = least <= chunkBytes && _free.Count > 0 ? _free.Pop() : new Chunk(Math.Max(chunkBytes, least));
        chunk.Used = 0;
        chunk.FirstBatch = chunk.LastBatch = batch;
        _inOrder.Enqueue(chunk);
        _total += chunk.Bytes.Length;
        return chunk;
    }
}
