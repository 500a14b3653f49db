using Quorate.Doors;
using Quorate.Primitives.Tree;
using Quorate.Runtime;
using Quorate.Storage.Doors;
using Quorate.Transport.Doors;
using Quorate.ZooKeeper;

namespace Quorate.Shell;

/// <summary>
/// What the strand turns in production: the member, its figures, and its end. Stopping is (1) Retire, until another member leads or <see cref="HandOverMicros"/> have passed; (2) the member hangs up and writes what it gathered and the empty batch behind it, for <see cref="CloseMicros"/> at most; (3) the strand makes its last turn.
/// </summary>
internal sealed class MemberTurn(Member member, TurnClock clock, Func<ZooKeeperFace> face, DataTree tree) : IPumped
{
    private const long FigureMicros = 100_000, HandOverMicros = 2_000_000, CloseMicros = 1_000_000;
    private MemberFigures _figures = MemberFigures.None;
    private long _retiringUntil, _closingUntil, _nextFigures;
    private Kernel.Role _role;
    private long _elections, _requests, _frames;

    public Strand? Strand { get; set; }

    /// <summary>The real disk, which may sync on the strand while next to nothing is in flight.</summary>
    public FileDisk? Disk { get; init; }

    /// <summary>Raised on the strand, once, when the member serves for the first time.</summary>
    public Action? Served { get; set; }

    /// <summary>The disk said no to a journal write: the member stopped itself.</summary>
    public DiskException? Failed { get; private set; }

    public bool Ended { get; private set; }

    public MemberFigures Figures => Volatile.Read(ref _figures);

    /// <summary>On the strand.</summary>
    public void Retire()
    {
        if (_retiringUntil != 0 || Ended) return;
        _retiringUntil = clock.Now.Micros + HandOverMicros;
        member.Retire();
    }

    public void BeginTurn(Instant now)
    {
        clock.Now = now;
        if (!Ended) member.BeginTurn(now);
    }

    public long Pump(Instant now)
    {
        if (Ended) return Instant.Never;
        clock.Now = now;
        JudgeDisk();
        long wake = member.Pump(now);
        Publish(now);
        if (member.Failed is { } failed) End(failed);
        else if (_closingUntil != 0)
        {
            if (member.Closed || now.Micros >= _closingUntil) End(null);
        }
        else if (_retiringUntil != 0 && (member.Retired || now.Micros >= _retiringUntil))
        {
            _closingUntil = now.Micros + CloseMicros;
            member.BeginClose();
            return now.Micros;
        }
        if (Ended) return Instant.Never;
        long until = _closingUntil != 0 ? _closingUntil : _retiringUntil;
        return until == 0 ? wake : Math.Min(wake, until);
    }

    /// <summary>A turn that brought a request or two syncs on the strand, which saves a hop to a sleeping thread and back; under load the journal's thread syncs one batch while the next one gathers (DESIGN §4).</summary>
    private void JudgeDisk()
    {
        if (Disk is null) return;
        long requests = face().Received, frames = member.Mesh.FramesReceived;
        Disk.MaySyncHere = requests - _requests <= 2 && frames - _frames <= 4;
        (_requests, _frames) = (requests, frames);
    }

    private void End(DiskException? failed)
    {
        Failed = failed;
        Ended = true;
        member.Dispose();
        Volatile.Write(ref _figures, _figures with { Serving = false });
        Strand!.Stop();
    }

    private void Publish(Instant now)
    {
        var standing = member.Standing;
        if (standing.Role != _role && standing.Role is Kernel.Role.Candidate or Kernel.Role.Leader && _role is not Kernel.Role.Candidate) _elections++;
        _role = standing.Role;
        bool serving = member.Formed && member.Sessions.Serving;
        if (now.Micros < _nextFigures && serving == _figures.Serving) return;
        _nextFigures = now.Micros + FigureMicros;
        var sessions = member.Sessions;
        var front = face();
        Volatile.Write(ref _figures, new MemberFigures
        {
            AtMicros = now.Micros, Serving = serving, Formed = member.Formed, LowSpace = member.Formed && !sessions.HasRoom, Damaged = standing.Marked, DamagedHighest = standing.MarkedHighest, Role = (int)standing.Role, Term = standing.Term, Leader = standing.Leader.Value,
            Commit = standing.Commit, Applied = sessions.AppliedIndex, AppliedBytes = member.Host?.AppliedBytes ?? 0, Elections = _elections, Sessions = sessions.SessionCount, Connections = front.ConnectionCount, Watches = front.WatchCount,
            Nodes = tree.NodeCount, DataBytes = tree.DataBytes, Received = front.Received, Sent = front.Sent, Rejected = front.Rejected, WindowBytes = sessions.WindowBytes,
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread(),
        });
        if (!serving || Served is not { } served) return;
        Served = null;
        served();
    }
}
