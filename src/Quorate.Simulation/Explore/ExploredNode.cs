using Quorate.Protocols.Raft;

namespace Quorate.Simulation.Explore;

/// <summary>An entry as a journal holds it.</summary>
internal readonly record struct Slot(ulong Term, Entry Entry);

/// <summary>A write under way: a promise, or entries of one term from First on.</summary>
internal readonly record struct Writing(Ticket Ticket, bool IsPromise, Promise Promise, long First, Slot[] Entries);

/// <summary>A message that waits for a ticket.</summary>
internal readonly record struct Held(ReplicaId To, ProtocolMessage Message, Ticket After);

/// <summary>
/// A real core with the least host that honours the contract. It is never changed once its step is done, so that any number of states share it: a step forks it (arrays are replaced, never written).
/// </summary>
internal sealed class ExploredNode
{
    public required RaftCore Core { get; init; }
    public required ReplicaId Id { get; init; }
    public ulong Run { get; init; }
    public Ticket LastTicket;
    public Ticket Durable;

    /// <summary>This member's clock, monotone micros: it moves by time-outs only.</summary>
    public long Now;
    public Slot[] Memory = [];
    public Slot[] Disk = [];
    public Promise DiskPromise;
    public Writing[] Pending = [];
    public Held[] Held = [];

    private ulong _signature;
    private readonly ulong[] _printedNames = new ulong[6], _prints = new ulong[6]; // as many as three members have orders
    private int _printed;

    /// <summary>What each step of this member leads to: a pure function of it and of the step, whatever the others do, so it is made once.</summary>
    public Dictionary<ulong, NodeStep> Steps { get; } = [];

    public RaftState State => Core.State;

    public ExploredNode Fork() => new()
    {
        Core = (RaftCore)Core.Fork(),
        Id = Id, Run = Run, LastTicket = LastTicket, Durable = Durable, Now = Now, Memory = Memory, Disk = Disk, DiskPromise = DiskPromise, Pending = Pending, Held = Held,
    };

    /// <summary>The log that a crash now would leave.</summary>
    public LogMap DurableLog() => MapOf(Disk);

    public static LogMap MapOf(Slot[] log)
    {
        var map = new LogMap();
        foreach (var slot in log) map.Append(slot.Term, slot.Entry.Payload.Length);
        return map;
    }

    public static Slot[] Write(Slot[] log, in Writing w)
    {
        if (w.IsPromise) return log;
        var written = new Slot[w.First - 1 + w.Entries.Length];
        Array.Copy(log, written, w.First - 1);
        w.Entries.CopyTo(written, w.First - 1);
        return written;
    }

    /// <summary>The oldest write survives from now on.</summary>
    public void CompleteOldest()
    {
        var w = Pending[0];
        Disk = Write(Disk, w);
        if (w.IsPromise) DiskPromise = w.Promise;
        Durable = w.Ticket;
        Pending = Pending[1..];
    }

    // ---- Prints

    /// <summary>What it is without any name in it: equal for members that could stand for each other. Computed once.</summary>
    public ulong Signature
    {
        get
        {
            if (_signature != 0) return _signature;
            Span<byte> none = stackalloc byte[256];
            none.Clear();
            return _signature = PrintNamed(none);
        }
    }

    /// <summary>Its whole state, each member called by its place in <paramref name="names"/>.</summary>
    public ulong Print(ReadOnlySpan<byte> names, ulong key)
    {
        for (int i = 0; i < _prints.Length; i++)
            if (_printedNames[i] == key) return _prints[i];
        int at = _printed++ % _prints.Length;
        _printedNames[at] = key;
        return _prints[at] = PrintNamed(names);
    }

    public ulong PrintNamed(ReadOnlySpan<byte> names)
    {
        var print = new Fingerprint();
        var s = State;
        print.Add((ulong)names[Id.Value]);
        print.Add(Run);
        AddTerm(ref print, names, s);
        AddJournal(ref print, names);
        AddTimes(ref print, s);
        ulong ballots = 0;
        foreach (var b in s.Ballots) ballots += Mix(names[b.Id.Value], b.Granted ? 1UL : 2UL);
        print.Add(ballots);
        foreach (var w in s.Spans)
        {
            print.Add(w.First);
            print.Add(w.Last);
            print.Add(w.Ticket.Value - Durable.Value);
        }
        print.Add(Math.Max(0, s.PromiseTicket.Value - Durable.Value));
        print.Add(s.EchoedRound);
        print.Add(s.AckedMatch);
        print.Add(Math.Max(0, s.AckedGate.Value - Durable.Value));
        print.Add(s.CampaignsByTransfer);
        print.Add(s.Round);
        if (s.Role == Role.Leader) AddLeader(ref print, names, s);
        return print.Value | 1;
    }

    private static void AddTerm(ref Fingerprint print, ReadOnlySpan<byte> names, RaftState s)
    {
        print.Add(s.Term);
        print.Add((ulong)names[s.VotedFor.Value] + (s.VotedFor.IsNone ? 0UL : 256));
        print.Add((ulong)s.Role);
        print.Add((ulong)names[s.Leader.Value] + (s.Leader.IsNone ? 0UL : 256));
        print.Add(s.Commit);
    }

    private void AddJournal(ref Fingerprint print, ReadOnlySpan<byte> names)
    {
        Add(ref print, Memory);
        print.Add(Pending.Length);
        if (Pending.Length > 0)
        {
            Add(ref print, Disk);
            print.Add(DiskPromise.Term);
            print.Add((ulong)names[(int)DiskPromise.Vote] + (DiskPromise.Vote == 0 ? 0UL : 256));
        }
        foreach (var w in Pending)
        {
            print.Add(w.IsPromise);
            print.Add(w.Promise.Term);
            print.Add((ulong)names[(int)w.Promise.Vote]);
            print.Add(w.First);
            Add(ref print, w.Entries ?? []);
        }
        foreach (var h in Held)
        {
            print.Add((ulong)names[h.To.Value]);
            print.Add(h.After.Value - Durable.Value);
            Flying.AddTo(ref print, h.Message);
        }
    }

    private static void Add(ref Fingerprint print, Slot[] log)
    {
        print.Add(log.Length);
        foreach (var slot in log)
        {
            print.Add(slot.Term);
            print.Add((ulong)slot.Entry.Payload.Checksum);
        }
    }

    /// <summary>Times as they stand to the member's own now; what is past the time-out is past.</summary>
    private void AddTimes(ref Fingerprint print, RaftState s)
    {
        long judged = s.Judged + (Now - s.LastNow);
        print.Add(Math.Min(judged - s.HeardLeader, Core.Options.ElectionTimeoutMicros));
        print.Add(Until(s.ElectionDeadline, judged));
        print.Add(Until(s.HeartbeatDeadline, judged));
        print.Add(Until(s.QuorumDeadline, judged));
    }

    private static long Until(long deadline, long judged) => deadline == Instant.Never ? -1 : Math.Max(0, deadline - judged);

    private void AddLeader(ref Fingerprint print, ReadOnlySpan<byte> names, RaftState s)
    {
        print.Add(s.TermStart);
        print.Add(s.ConfirmedRound);
        ulong peers = 0;
        foreach (var p in s.Peers)
        {
            var one = new Fingerprint();
            one.Add((ulong)names[p.Id.Value]);
            one.Add((ulong)p.State | (p.Paused ? 16UL : 0));
            one.Add(p.Match);
            one.Add(p.Next);
            foreach (var f in p.Flights) one.Add(f.Last);
            one.Add(Math.Min(s.Judged - p.Contact, Core.Options.ElectionTimeoutMicros));
            one.Add(p.AckedRound);
            one.Add(p.RoundSent);
            one.Add(p.CommitSent);
            one.Add(p.Run);
            peers += one.Value;
        }
        print.Add(peers);
    }

    private static ulong Mix(ulong a, ulong b)
    {
        var print = new Fingerprint();
        print.Add(a);
        print.Add(b);
        return print.Value;
    }
}
