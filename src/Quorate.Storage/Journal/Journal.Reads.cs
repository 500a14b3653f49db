namespace Quorate.Storage;

/// <summary>Reads of old entries beside the work: submitted and completed like writes, so that the strand never waits for one (DESIGN §4).</summary>
public sealed partial class Journal
{
    private readonly List<Segment> _leaving = [];      // freed, not spare, and still being read
    private readonly List<PartitionLog> _movers = [];  // whose moved runs wait for a read
    private int _readsUnderWay;

    internal void Submit(ReadEntriesWork work)
    {
        _readsUnderWay++;
        foreach (ref readonly var piece in work.Pieces) piece.Segment.Reads++;
        _disk.Submit(DiskQueue.Reads, work);
    }

    /// <summary>The partition goes on moving when its read is done.</summary>
    internal void MoveLater(PartitionLog log)
    {
        if (!_movers.Contains(log)) _movers.Add(log);
    }

    internal void NoteDamage(string text) => _notes.Note(3, text);

    private void TakeRead(ReadEntriesWork work)
    {
        _readsUnderWay--;
        foreach (ref readonly var piece in work.Pieces)
        {
            if (--piece.Segment.Reads > 0 || !_leaving.Remove(piece.Segment)) continue;
            _disk.Submit(DiskQueue.Background, new RemoveFile(piece.Segment.Path, piece.Segment.File));
        }
        if (work.Failure is { } failure) NoteDamage($"old entries could not be read: {failure.Message}");
        work.Owner.Arrived();
    }

    private void PumpMoves()
    {
        for (int i = _movers.Count - 1; i >= 0; i--)
            if (_movers[i].GoOnMoving()) _movers.RemoveAt(i);
    }
}
