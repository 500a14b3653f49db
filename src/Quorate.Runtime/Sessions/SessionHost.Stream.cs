using Quorate.Transport;

namespace Quorate.Runtime.Sessions;

/// <summary>
/// The member's side of its numbered stream (sessions.md §4): numbers go to the leader in order, and go again when leader, term or link changed, after Undelivered,
/// and when a beat that echoes what was sent after a number still names less; until the applied last n covers them.
/// </summary>
public sealed partial class SessionHost
{
    private const int MaxStreamFrameBytes = 1024 * 1024;

    /// <summary>Touches of one frame of a report: 1 MiB.</summary>
    private const int MaxReportFrameTouches = 64 * 1024;

    private long _frame;          // frames sent on the channel to leaders, counted over the run
    private long _channelBegan;   // frames up to here went to another leader, term or link
    private long _echo;           // the newest of them that the leader echoed
    private long _nextToSend = 1;
    private bool _channelKnown;   // the present leader named what it received, on the present link
    private bool _beatLow;
    private long _reportNumber, _reportEchoed;

    /// <summary>The link to a peer came or went: what was under way to it may be lost.</summary>
    public void OnLink(ReplicaId peer)
    {
        if (peer == _standing.Leader) LeaderMoved();
        if (_prepare.IsOpen) JudgeTouchesAgain(peer);
    }

    /// <summary>Leader, term or link changed: the stream begins anew at what the next beat names.</summary>
    private void LeaderMoved()
    {
        _channelKnown = false;
        _channelBegan = _echo = _frame;
        AnsweredUpTo = 0;
        ForgetSyncs();
    }

    private void OnBeat(in Sender from, ref ByteReader r)
    {
        var beat = Beat.Read(ref r);
        int verdicts = r.Count(24);
        if (r.Failed || beat.Term != _standing.Term || from.Id != _standing.Leader || from.Id == Self) return;
        for (int i = 0; i < verdicts; i++) TakeVerdict(r.Int64(), r.UInt64(), r.Int64());
        if (r.Failed) return;
        _beatLow = beat.LowSpace;
        if (!from.Old && IsMine(beat.Received)) _reportEchoed = Math.Max(_reportEchoed, Math.Min(beat.ReportEcho, _reportNumber));
        TakeReceived(beat);
        SendReport(from.Id);
        SendStream();
    }

    private bool IsMine(in StreamPosition position) => position.Directory == _origin.Directory && position.Run == _origin.Run;

    /// <summary>Sends again from what the beat names, when that is less than was sent and the beat is younger than the sending.</summary>
    private void TakeReceived(in Beat beat)
    {
        long received = Math.Max(IsMine(beat.Received) ? beat.Received.Number : 0, _window.FirstNumber - 1);
        if (!_channelKnown)
        {
            _channelKnown = true;
            _nextToSend = Math.Min(received + 1, _window.NextNumber);
            return;
        }
        if (beat.Echo <= _channelBegan) return;
        _echo = Math.Max(_echo, beat.Echo);
#if MUTANTS
        if (Mutants.On(Mutant.ResendOnlyOnLeaderChange)) return;
#endif
        if (received + 1 < _nextToSend && beat.Echo >= _window[received + 1].SentIn) _nextToSend = received + 1;
    }

    private void SendStream()
    {
        if (!_channelKnown || _standing.Leader.IsNone || _standing.Leader == Self) return;
        if (_nextToSend < _window.FirstNumber) _nextToSend = _window.FirstNumber;
        while (_nextToSend < _window.NextNumber)
        {
            var w = _mesh.Begin(_standing.Leader, FrameKind.Session);
            if (w is null) return; // no room or no link: again when there is
            WriteStreamFrame(w);
            _mesh.End(_standing.Leader);
        }
    }

    private void WriteStreamFrame(ByteWriter w)
    {
        w.Byte((byte)SessionFrame.Stream);
        w.Int64(++_frame);
        w.UInt64(_standing.Term);
        w.UInt64(_origin.Run);
        w.Int64(_nextToSend);
        int countAt = w.Length, count = 0, begin = w.Length;
        w.Int32(0);
        while (_nextToSend < _window.NextNumber && (count == 0 || w.Length - begin < MaxStreamFrameBytes))
        {
            ref var slot = ref _window[_nextToSend++];
            MakeEmptyWhenGone(ref slot);
            slot.SentIn = _frame;
            w.Sized(slot.Kind == CommandKind.Empty ? _window.BytesOf(slot)[..StreamRequest.HeaderBytes] : _window.BytesOf(slot));
            count++;
        }
        w.PatchInt32(countAt, count);
    }

    /// <summary>A numbered handshake whose connection is gone is sent, or sent again, empty: else a healed member's old Attaches throw clients off that live elsewhere by now (sessions.md §4.3).</summary>
    private void MakeEmptyWhenGone(ref RequestSlot slot)
    {
        if (slot.Kind is not (CommandKind.Open or CommandKind.Attach) || slot.Connection is not { IsGone: true }) return;
#if MUTANTS
        if (Mutants.On(Mutant.EmptiedAttachResentWhole)) return;
#endif
        slot.Kind = CommandKind.Empty;
        _window.SetFirstByte(slot, (byte)CommandKind.Empty);
    }

    /// <summary>
    /// Every touch that no beat of this leader has echoed, in as many frames as it takes (sessions.md §6.1). What a full queue cuts off comes with the next report, and nothing is claimed for it:
    /// the leader echoes a report when it has judged all its parts.
    /// </summary>
    private void SendReport(ReplicaId leader)
    {
        ForgetEchoed();
        _reportNumber++;
        int at = 0;
        for (int part = 0; part == 0 || at < _touched.Count; part++)
        {
            var w = _mesh.Begin(leader, FrameKind.Session);
            if (w is null) return;
            at = WriteReportPart(w, part, at);
            _mesh.End(leader);
        }
        AnsweredUpTo = Now.Micros;
#if MUTANTS
        if (!Mutants.On(Mutant.TouchesSentOnce)) return;
        foreach (var c in _touched) c.InTouched = false;
        _touched.Clear();
#endif
    }

    private int WriteReportPart(ByteWriter w, int part, int at)
    {
        int count = Math.Min(_touched.Count - at, MaxReportFrameTouches), end = at + count;
        new Report
        {
            Frame = ++_frame, Term = _standing.Term, Run = _origin.Run, Number = _reportNumber, Applied = AppliedIndex, ServeMicros = _options.ServeWithoutLeaderMicros, LowSpace = LowSpace,
            Part = part, Last = end == _touched.Count,
        }.Write(w);
        w.Int32(count);
        for (; at < end; at++)
        {
            var c = _touched[at];
            w.Int64(c.Session);
            w.Int64(c.IsGone ? -c.Number : c.Number);
        }
        return end;
    }

    private void ForgetEchoed()
    {
        int kept = 0;
        for (int i = 0; i < _touched.Count; i++)
        {
            var c = _touched[i];
            if (c.TouchedIn > _reportEchoed) _touched[kept++] = c;
            else c.InTouched = false;
        }
        _touched.RemoveRange(kept, _touched.Count - kept);
    }

    private void TakeVerdict(long session, ulong run, long connection)
    {
        if (run == _origin.Run && _attached.TryGetValue(session, out var c) && c.Number == connection) HangUp(c, "the session is not attached here any more");
    }
}
