using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

/// <summary>A message on its way, with its entries as they were when it left, and a print of what it says (without who and to whom: members are interchangeable).</summary>
internal sealed class Flying
{
    public ReplicaId From { get; }
    public ReplicaId To { get; }
    public ProtocolMessage Message { get; }
    public ulong Print { get; }

    public Flying(ReplicaId from, ReplicaId to, ProtocolMessage message)
    {
        (From, To, Message) = (from, to, message);
        var print = new Fingerprint();
        AddTo(ref print, message);
        Print = print.Value;
    }

    public ulong Named(ReadOnlySpan<byte> names)
    {
        var print = new Fingerprint();
        print.Add(Print);
        print.Add((ulong)(names[From.Value] << 8 | names[To.Value]));
        return print.Value;
    }

    public bool Same(Flying other) => From == other.From && To == other.To && Print == other.Print;

    /// <summary>Nothing can come of it any more at a member whose durable term is this one: terms only grow, and the receiver of such an answer looks at nothing else first.</summary>
    public bool IsDeadAt(ulong durableTerm) => Message switch
    {
        PreVoteReply { Granted: true } m => m.Term <= durableTerm,
        VoteReply m => m.Term < durableTerm,
        AppendReply m => m.Term < durableTerm,
        _ => false,
    };

    /// <summary>Also what a held message says. Times stand in none of them: every member claims time 0 here (<see cref="Answered"/>).</summary>
    public static void AddTo(ref Fingerprint print, ProtocolMessage message)
    {
        switch (message)
        {
            case PreVote m:
                print.Add(1UL);
                print.Add(m.NextTerm);
                print.Add(m.LastIndex);
                print.Add(m.LastTerm);
                break;
            case PreVoteReply m:
                print.Add(2UL);
                print.Add(m.Term);
                print.Add(m.Granted);
                break;
            case RequestVote m:
                print.Add(3UL);
                print.Add(m.Term);
                print.Add(m.LastIndex);
                print.Add(m.LastTerm);
                print.Add(m.Transfer);
                break;
            case VoteReply m:
                print.Add(4UL);
                print.Add(m.Term);
                print.Add(m.Granted);
                break;
            case Append m:
                print.Add(5UL);
                print.Add(m.Term);
                print.Add(m.PrevIndex);
                print.Add(m.PrevTerm);
                print.Add(m.Last);
                print.Add(m.Commit);
                print.Add(m.Round);
                print.Add(m.ProvenRun);
                foreach (var e in m.Entries.Span)
                {
                    print.Add(e.Term);
                    print.Add((ulong)e.Entry.Payload.Checksum);
                }
                break;
            case AppendReply m:
                print.Add(6UL);
                print.Add(m.Term);
                print.Add(m.Ok);
                print.Add(m.Match);
                print.Add(m.RejectedPrev);
                print.Add(m.HintIndex);
                print.Add(m.HintTerm);
                print.Add(m.Round);
                print.Add(m.Run);
                break;
            default:
                throw new InvalidOperationException($"the explorer's worlds have no {message.GetType().Name}");
        }
    }

    public override string ToString() => $"{From} to {To}: {Message switch
    {
        PreVote m => $"PreVote term {m.NextTerm}, log ({m.LastIndex}, {m.LastTerm})",
        PreVoteReply m => $"PreVoteReply term {m.Term} {(m.Granted ? "granted" : "refused")}",
        RequestVote m => $"RequestVote term {m.Term}, log ({m.LastIndex}, {m.LastTerm})",
        VoteReply m => $"VoteReply term {m.Term} {(m.Granted ? "granted" : "refused")}",
        Append m => $"Append term {m.Term}, behind ({m.PrevIndex}, {m.PrevTerm}) to {m.Last}, commit {m.Commit}, round {m.Round}",
        AppendReply m => m.Ok ? $"AppendReply term {m.Term}, match {m.Match}, round {m.Round}" : $"AppendReply term {m.Term}, rejects {m.RejectedPrev}, hint ({m.HintIndex}, {m.HintTerm})",
        _ => Message.ToString()!,
    }}";
}
