namespace Quorate.Protocols.Raft;

/// <summary>A message of Raft. Who sent it stands in the <see cref="Sender"/>, not in the message.</summary>
public abstract class RaftMessage : ProtocolMessage;

/// <summary>An entry on its way: the term that it was proposed in, and the entry.</summary>
public readonly record struct TermedEntry(ulong Term, Entry Entry);

/// <summary>"Would you vote for me in this term?" Changes nothing at either side (T §9.6).</summary>
public sealed class PreVote(ulong nextTerm, long lastIndex, ulong lastTerm) : RaftMessage
{
    public ulong NextTerm { get; } = nextTerm;
    public long LastIndex { get; } = lastIndex;
    public ulong LastTerm { get; } = lastTerm;
}

/// <summary>Granted: <see cref="Term"/> is the term that was asked about. Refused: the refuser's own, which brings a straggler up.</summary>
public sealed class PreVoteReply(ulong term, bool granted) : RaftMessage
{
    public ulong Term { get; } = term;
    public bool Granted { get; } = granted;
}

/// <summary>Leaves when the candidate's term, own vote and whole claimed log are durable (raft.md §4.5).</summary>
public sealed class RequestVote(ulong term, long lastIndex, ulong lastTerm, bool transfer) : RaftMessage
{
    public ulong Term { get; } = term;
    public long LastIndex { get; } = lastIndex;
    public ulong LastTerm { get; } = lastTerm;

    /// <summary>The old leader asked for it: stickiness does not hold it up (T §3.10).</summary>
    public bool Transfer { get; } = transfer;
}

/// <summary>A granted vote leaves when it is durable.</summary>
public sealed class VoteReply(ulong term, bool granted) : RaftMessage
{
    public ulong Term { get; } = term;
    public bool Granted { get; } = granted;
}

/// <summary>
/// Entries, probe, commit notice or beat (P §5.3). At the sender it names the range First..Last (empty when Last is First - 1), whose bytes the codec copies from the journal; at the receiver <see cref="Entries"/> holds them.
/// </summary>
public sealed class Append : RaftMessage
{
    public required ulong Term { get; init; }
    public required long PrevIndex { get; init; }
    public required ulong PrevTerm { get; init; }
    public required long Last { get; init; }

    /// <summary>The leader's commit index; the receiver follows it only as far as this message verified (raft.md §5.2.8).</summary>
    public required long Commit { get; init; }

    /// <summary>The leader's newest round: an own, increasing number, echoed in the reply (raft.md §8.2).</summary>
    public required long Round { get; init; }

    /// <summary>The newest send time of this very receiver (in its clock, in its run <see cref="ProvenRun"/>) that is proven to lie before a moment at which this leader led; 0 for none (sessions.md §6.2).</summary>
    public required long ProvenMicros { get; init; }
    public required ulong ProvenRun { get; init; }

    /// <summary>Set by the codec at the receiver: Last - PrevIndex entries, in the codec's own buffer, valid until it decodes again (a step allocates nothing but its messages).</summary>
    public ReadOnlyMemory<TermedEntry> Entries { get; init; }

    public long First => PrevIndex + 1;
    public int Count => (int)(Last - PrevIndex);
    public override (long First, long Last) Range => (First, Last);
}

/// <summary>
/// Ok: everything up to <see cref="Match"/> is equal to the leader's log and durable here. Not ok: the entry at <see cref="RejectedPrev"/> differs or is missing, and the hint says
/// where to go on (raft.md §5.4); Match is then what is committed and durable here, which every leader has.
/// </summary>
public sealed class AppendReply : RaftMessage
{
    /// <summary>As <see cref="RejectedPrev"/>: the Append was of an older term and nothing of it was looked at.</summary>
    public const long OnlyTheTerm = -1;

    public required ulong Term { get; init; }
    public required bool Ok { get; init; }
    public long Match { get; init; }
    public long RejectedPrev { get; init; }

    /// <summary>The replier's largest index with a term not above the rejected one's, and that index's term.</summary>
    public long HintIndex { get; init; }
    public ulong HintTerm { get; init; }

    /// <summary>Echo of the Append's round.</summary>
    public required long Round { get; init; }

    /// <summary>The replier's run and monotone time when it wrote this.</summary>
    public required ulong Run { get; init; }
    public required long SentMicros { get; init; }
}

/// <summary>A whole snapshot for a follower below the leader's log (P §7). The body is streamed by the host beneath everything urgent; the message comes when it is whole.</summary>
public sealed class InstallSnapshot(ulong term, ConfigurationAt configuration, BodyHandle body) : BodyMessage(body)
{
    public ulong Term { get; } = term;

    /// <summary>The configuration as of the snapshot, not the latest.</summary>
    public ConfigurationAt Configuration { get; } = configuration;
}

/// <summary>The snapshot is installed (or was not needed): everything up to <see cref="Match"/> is durable and equal.</summary>
public sealed class InstallReply(ulong term, long match, ulong run, long sentMicros, bool tooOld = false) : RaftMessage
{
    public ulong Term { get; } = term;
    public long Match { get; } = match;
    public ulong Run { get; } = run;
    public long SentMicros { get; } = sentMicros;

    /// <summary>It lies below what the replier's log begins on, which is lost: the next one may not (storage.md §4.5).</summary>
    public bool TooOld { get; } = tooOld;
}

/// <summary>"Campaign now": leadership transfer (T §3.10).</summary>
public sealed class TimeoutNow(ulong term) : RaftMessage
{
    public ulong Term { get; } = term;
}

/// <summary>What a voter can say of an entry that somebody lost (storage.md §2.4).</summary>
public enum LossWord : byte
{
    /// <summary>It has it, or stands on a snapshot at or above it, or lost it itself: whether it was acknowledged is not for this voter to deny.</summary>
    Had = 1,

    /// <summary>Never had it, but has others of the same term.</summary>
    NotThisEntry = 2,

    /// <summary>Never had any entry of its term.</summary>
    NothingOfItsTerm = 3,
}

/// <summary>
/// A marked replica that no leader brings past its mark asks the voters whether they ever had what it lost (storage.md §2.4). The term is above every one in which it can have acknowledged a lost entry; whoever answers has adopted it.
/// </summary>
public sealed class LossQuestion(ulong term, ulong run, DamagedEntry[] entries) : RaftMessage
{
    public ulong Term { get; } = term;

    /// <summary>The asker's: an answer to an earlier run's question is nobody's.</summary>
    public ulong Run { get; } = run;

    /// <summary>The highest of the mark, ascending.</summary>
    public DamagedEntry[] Entries { get; } = entries;
}

/// <summary>Leaves when the term that was asked with is durable at the replier. Answers from headers, snapshots and what is still on its way to the disk.</summary>
public sealed class LossAnswer(ulong term, ulong asked, ulong run, DamagedEntry[] entries, LossWord[] words) : RaftMessage
{
    /// <summary>The replier's own, not below <see cref="Asked"/>.</summary>
    public ulong Term { get; } = term;
    public ulong Asked { get; } = asked;
    public ulong Run { get; } = run;
    public DamagedEntry[] Entries { get; } = entries;
    public LossWord[] Words { get; } = words;
}

/// <summary>A linearizable read position is wanted for reads at this member (T §6.4). Carries no term (raft.md §8.5).</summary>
public sealed class ReadIndex(ulong run, long token) : RaftMessage
{
    /// <summary>The asker's run and its own number: an answer to an earlier run's question is nobody's.</summary>
    public ulong Run { get; } = run;
    public long Token { get; } = token;
}

/// <summary>The read position; refused: ask again later.</summary>
public sealed class ReadIndexReply(ulong run, long token, long index, bool granted) : RaftMessage
{
    public ulong Run { get; } = run;
    public long Token { get; } = token;
    public long Index { get; } = index;
    public bool Granted { get; } = granted;
}
