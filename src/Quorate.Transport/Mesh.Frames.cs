namespace Quorate.Transport;

// What arrives, and what each pump looks at.
public sealed partial class Mesh
{
    internal void Deliver(IncomingLink link, FrameKind kind, ReadOnlySpan<byte> body)
    {
        var peer = link.Peer!;
        link.Heard = true;
        FramesReceived++;
        switch (kind)
        {
            case FrameKind.Ping:
                if (!TryReadNumber(body, out ulong asked)) break;
                if (peer.Standing) SendNumber(peer, FrameKind.Pong, asked);
                else peer.PongOwed = asked;
                return;
            case FrameKind.Pong:
                if (!TryReadNumber(body, out ulong answered) || answered > peer.Pings) break;
                peer.UnansweredSince = answered == peer.Pings || !peer.Standing ? Instant.Never : _now;
                if (answered >= peer.OldUntil) peer.OldUntil = 0;
                return;
            case FrameKind.Bulk:
                if (!peer.Receiving.Take(From(link, peer), body, _handler)) break;
                return;
            case FrameKind.BulkConfirm:
                var reader = new ByteReader(body);
                uint number = reader.UInt32();
                long received = reader.Int64();
                bool whole = reader.Bool();
                if (reader.Failed || !peer.Sending.Confirmed(number, received, whole)) break;
                _nextWake = Peer.Soon;
                return;
            case FrameKind.Hello or FrameKind.Welcome or FrameKind.Refusal:
                break;
            default:
                _handler.OnFrame(From(link, peer), kind, body);
                return;
        }
        if (link.Stage == LinkStage.Standing) BreakIncoming(link, $"sent a frame of kind {(byte)kind} that does not fit; the link is closed");
    }

    /// <summary>The sender as every frame names it; old until the ping that followed a gap has come back.</summary>
    private static Sender From(IncomingLink link, Peer peer) => peer.OldUntil == 0 ? link.Sender : link.Sender with { Old = true };

    private void PumpStrangers(long late)
    {
        for (int i = _strangers.Count - 1; i >= 0; i--)
        {
            var link = _strangers[i];
            if (link.Deadline == Instant.Never) link.Deadline = _now + LinkLimits.StrangerMicros;
            else link.Deadline += late;
            if (_now >= link.Deadline) BreakIncoming(link, "connected to our members' port and said nothing; closed");
            else WakeAt(link.Deadline);
        }
    }

    private void PumpIncoming(Peer peer, long late)
    {
        if (peer.In is not { } link) return;
        link.HeardAt = link.Heard ? _now : link.HeardAt + late;
        link.Heard = false;
        if (_now - link.HeardAt >= LinkLimits.SilentMicros) BreakIncoming(link, "sent nothing for 10 s; the link is closed");
        else WakeAt(link.HeardAt + LinkLimits.SilentMicros);
    }

    private void PumpOutgoing(Peer peer, long late)
    {
        if (peer.Out is { Stage: LinkStage.Connecting or LinkStage.Greeting } dial && _now >= dial.Deadline)
        {
            DropOutgoing(peer);
            Later(peer);
        }
        if (peer.Out == null && _now >= peer.RedialAt) Dial(peer);
        if (peer.Out is { Stage: not LinkStage.Standing } pending) WakeAt(pending.Deadline);
        if (peer.Out == null) WakeAt(peer.RedialAt);
        if (!peer.Standing) return;
        if (peer.PongOwed != 0)
        {
            SendNumber(peer, FrameKind.Pong, peer.PongOwed);
            peer.PongOwed = 0;
        }
        if (peer.UnansweredSince != Instant.Never) peer.UnansweredSince += late;
        if (peer.UnansweredSince != Instant.Never && _now - peer.UnansweredSince >= LinkLimits.PongMicros && peer.In != null)
        {
            BreakOutgoing(peer.Out!, "answered no ping for 4 s; the link is dialled anew");
            return;
        }
        if (peer.PingDue || _now >= peer.PingAt) Ping(peer);
        WakeAt(peer.PingAt);
        if (peer.ToldUp) return;
        if (peer.In != null || _now >= peer.TellAgainAt) TellUp(peer);
        else WakeAt(peer.TellAgainAt);
    }

    private void PumpBodies(Peer peer)
    {
        if (peer.Receiving.ConfirmDue)
        {
            if (peer.Standing && (peer.Receiving.WholeDue || _handler.BulkBacklog(peer.Id) < LinkLimits.BulkBacklogBytes))
            {
                var connection = peer.Out!.Connection!;
                peer.Receiving.Confirm(connection.Output);
                connection.Flush();
            }
            else WakeAt(_now + LinkLimits.BulkRetryMicros);
        }
        if (peer.Sending.Idle) return;
        if (!peer.Standing)
        {
            peer.Sending.Fail(null);
            return;
        }
        long again = peer.Sending.Pump(peer.Out!.Connection!);
        if (again != Instant.Never) WakeAt(_now + again);
    }
}
