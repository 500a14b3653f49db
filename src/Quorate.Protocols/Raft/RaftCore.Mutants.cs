#if MUTANTS
namespace Quorate.Protocols.Raft;

/// <summary>What some planted bugs need to remember; exists in the mutants' build only.</summary>
public sealed partial class RaftCore
{
    private readonly List<(WriteSpan Span, ulong Term)> _ghosts = [];
    private PeerProgress[] _formerPeers = [];

    /// <summary>DurableByIndexNotTicket (raft.md, bug 16): writes that were cut from the log, whose completion is taken for that of a later write of the same index and term.</summary>
    private void KeepGhosts(long first)
    {
        if (!Mutants.On(Mutant.DurableByIndexNotTicket)) return;
        foreach (var w in S.Spans)
            if (w.Last >= first && S.Log.TryTermOf(w.Last, out ulong term)) _ghosts.Add((w, term));
    }

    private void CompleteGhosts(Ticket upTo)
    {
        for (int i = _ghosts.Count - 1; i >= 0; i--)
        {
            var (span, term) = _ghosts[i];
            if (span.Ticket > upTo) continue;
            _ghosts.RemoveAt(i);
            if (!S.Log.Matches(span.Last, term)) continue;
            while (S.Spans.Count > 0 && S.Spans[0].Last <= span.Last) S.Spans.RemoveAt(0);
        }
    }

    /// <summary>MatchKeptAcrossTerms (raft.md, bug 34).</summary>
    private void RememberFormerPeers()
    {
        if (!Mutants.On(Mutant.MatchKeptAcrossTerms)) return;
        foreach (var former in _formerPeers)
            if (S.Peer(former.Id) is { } p && p.Directory == former.Directory)
            {
                p.Match = Math.Min(former.Match, S.Log.Last);
                p.Next = Math.Max(p.Next, p.Match + 1);
            }
    }
}
#endif
