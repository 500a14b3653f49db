namespace Quorate.Storage;

/// <summary>Step 4: recovery first makes durable what it read (storage.md §2.2).</summary>
internal sealed partial class JournalRecovery
{
    /// <summary>
    /// After SIGKILL the page cache shows batches, renames and ends of segments that no sync ever covered, and pages that a failed sync called clean. So the highest batch that is not cut is written
    /// again, same bytes in the same place, both headers made good (which makes its pages dirty again), and then every segment and the directory are synced.
    /// </summary>
    public void MakeDurable()
    {
#if MUTANTS
        if (Mutants.On(Mutant.RecoveryTrustsCache)) return;
#endif
#if MUTANTS
        if (!Mutants.On(Mutant.HighestNotWrittenAgain))
#endif
        if (Highest > 0 && _scan.Found.TryGetValue(Named, out var named) && named.Header.Checksum == NamedChecksum) WriteAgain(named);
        foreach (var segment in _segments) segment.File.Sync();
        disk.SyncDirectory(folder);
    }

    private static void WriteAgain(FoundBatch batch)
    {
        if (batch.Runs.Length != batch.Header.Ops.Length) JournalScan.Verify(batch);
        if (!batch.RegionWhole) return; // damage stays as it is: it is the evidence
        var h = batch.Header;
        var bytes = new byte[h.Length];
        if (!JournalScan.TryRead(batch.Segment.File, h.Offset, bytes))
        {
            // Some block of a header cannot be read: what counts is put together from the parts that can.
            bytes.AsSpan().Clear();
            if (!JournalScan.TryRead(batch.Segment.File, h.Offset + h.RegionOffset, bytes.AsSpan(h.RegionOffset, h.RegionLength))) return;
        }
        int from = batch.FrontWhole ? 0 : h.BackOffset, to = batch.FrontWhole ? h.BackOffset : 0;
        if (!batch.FrontWhole || !batch.BackWhole)
        {
            var good = new byte[h.HeaderLength];
            if (!JournalScan.TryRead(batch.Segment.File, h.Offset + from, good)) return;
            good.CopyTo(bytes.AsSpan(from));
            bytes.AsSpan(to, h.HeaderLength).Clear();
            good.CopyTo(bytes.AsSpan(to));
        }
        batch.Segment.File.Write(h.Offset, bytes);
    }
}
