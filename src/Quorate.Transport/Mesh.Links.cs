namespace Quorate.Transport;

// How links come and go: dialling with back-off, greetings judged on both sides, breaks.
public sealed partial class Mesh
{
    private void Dial(Peer peer)
    {
        peer.RedialAt = Instant.Never;
        var link = new OutgoingLink(this, peer, ++_links, _now + LinkLimits.DialMicros);
        peer.Out = link;
        try
        {
            link.Connection = _network.Connect(peer.Address!, link);
            link.Connection.Urgent = true;
        }
        catch (NetworkException refused)
        {
            _notes.Say(2, peer.Name, refused.Message);
            link.Stage = LinkStage.Closed;
            peer.Out = null;
            Later(peer);
        }
    }

    private void Later(Peer peer)
    {
        if (peer.Address == null) return;
        long wait = Math.Min(LinkLimits.RedialMostMicros, LinkLimits.RedialLeastMicros << Math.Min(peer.Failures++, 10));
        peer.RedialAt = _now + Math.Min(LinkLimits.RedialMostMicros, _jitter.Between(wait * 3 / 4, wait * 5 / 4));
        WakeAt(peer.RedialAt);
    }

    internal void Greet(OutgoingLink link, Connection connection)
    {
        link.Connection = connection;
        connection.Urgent = true;
        Mine(link.Peer.Id, link.Number).Write(connection.Output, FrameKind.Hello);
        connection.Flush();
    }

    private Greeting Mine(ReplicaId target, long link) =>
        new(_identity.FormatNumber, _identity.ClusterId, _identity.Self, target, _identity.Directory, _identity.Run, link, _identity.Address, _identity.Http);

    /// <summary>The peer accepted our greeting and says who it is.</summary>
    internal void Welcomed(OutgoingLink link, ReadOnlySpan<byte> body)
    {
        var peer = link.Peer;
        if (!Greeting.TryRead(body, _identity.FormatNumber, out var theirs))
        {
            BreakOutgoing(link, "answered our greeting with bytes that are not a member's");
            return;
        }
        string? wrong =
            theirs.Format > _identity.FormatNumber ? $"speaks format {theirs.Format}, this member speaks up to {_identity.FormatNumber}" :
            theirs.Id != peer.Id ? $"is {theirs.Id} at {peer.Address}: the member lists differ" :
            OtherCluster(theirs) ? OtherClusterText(theirs) : null;
        if (wrong != null)
        {
            Refused(peer.Id, peer.Name, wrong);
            DropOutgoing(peer);
            peer.Failures = 10;
            Later(peer);
            return;
        }
        link.Stage = LinkStage.Standing;
        link.Directory = theirs.Directory;
        link.Run = theirs.Run;
        peer.Http = theirs.Http;
        peer.Failures = 0;
        peer.PingAt = _now + LinkLimits.PingMicros;
        peer.UnansweredSince = Instant.Never;
        _notes.Forget(peer.Name);
        _nextWake = Peer.Soon;
        TellUp(peer);
    }

    internal void RefusedByPeer(OutgoingLink link, ReadOnlySpan<byte> body)
    {
        var peer = link.Peer;
        if (Greeting.TryReadRefusal(body, out _, out string text)) Refused(peer.Id, peer.Name, $"refuses this member: {text}");
        DropOutgoing(peer);
        peer.Failures = 10;
        Later(peer);
        _nextWake = Peer.Soon;
    }

    private void Refused(ReplicaId peer, string about, string reason)
    {
        if (_notes.Say(2, about, reason)) _handler.OnRefused(peer, reason);
    }

    private bool OtherCluster(in Greeting theirs) => theirs.Cluster != 0 && _identity.ClusterId != 0 && theirs.Cluster != _identity.ClusterId;

    private string OtherClusterText(in Greeting theirs) => $"belongs to cluster {theirs.Cluster:x16}, {_identity.Self} to cluster {_identity.ClusterId:x16}";

    private IncomingLink? Accept(Connection connection)
    {
        if (_strangers.Count >= LinkLimits.MaxStrangers) return null;
        var link = new IncomingLink(this, connection);
        _strangers.Add(link);
        return link;
    }

    /// <summary>A stranger greets: it becomes its peer's incoming link, or is refused.</summary>
    internal void Greeted(IncomingLink link, ReadOnlySpan<byte> body)
    {
        if (!Greeting.TryRead(body, _identity.FormatNumber, out var theirs))
        {
            BreakIncoming(link, "connected to our members' port with bytes that are not a member's; closed");
            return;
        }
        if (Judge(theirs) is var (reason, text) && reason != 0)
        {
            string about = theirs.Id.IsNone ? Host(link.Connection) : theirs.Id.ToString();
            Refused(theirs.Id, about, "was refused: " + text);
            Greeting.WriteRefusal(link.Connection.Output, _identity.FormatNumber, reason, text);
            link.Connection.Flush();
            Forget(link);
            link.Connection.Close();
            return;
        }
        var peer = Known(theirs.Id);
        if (peer.In is { } before && before.Sender.Directory == theirs.Directory && before.Run == theirs.Run && before.Sender.Link >= theirs.Link)
        {
            BreakIncoming(link, null);                      // an older dial of the same run that was accepted late
            return;
        }
        if (peer.In != null) Replace(peer.In);
        _strangers.Remove(link);
        link.Connection.Urgent = true;
        link.Stage = LinkStage.Standing;
        link.Peer = peer;
        link.Run = theirs.Run;
        link.Sender = new Sender(theirs.Id, theirs.Directory, theirs.Link);
        link.Heard = true;
        peer.In = link;
        peer.Http = theirs.Http;
        Mine(theirs.Id, 0).Write(link.Connection.Output, FrameKind.Welcome);
        link.Connection.Flush();
        DialBack(peer, theirs);
    }

    private (RefusalReason Reason, string Text) Judge(in Greeting theirs)
    {
        if (theirs.Format > _identity.FormatNumber) return (RefusalReason.NewerFormat, $"it speaks format {theirs.Format}, {_identity.Self} speaks up to {_identity.FormatNumber}");
        if (theirs.Id == _identity.Self)
            return (RefusalReason.DuplicateId, theirs.Directory == _identity.Directory ? $"the address that it dialled is its own" : $"its id is that of {_identity.Self}, who answers here with another data directory");
        if (theirs.Target != _identity.Self) return (RefusalReason.WrongTarget, $"it dialled {theirs.Target}, but {_identity.Self} answers here: the member lists differ");
        if (OtherCluster(theirs)) return (RefusalReason.OtherCluster, "it " + OtherClusterText(theirs));
        // A wiped member comes back with another directory; but while the former one is still talking, there are two of them.
        if (_byId[theirs.Id.Value]?.In is { } other && other.Sender.Directory != theirs.Directory && _now - other.HeardAt < LinkLimits.DuplicateMicros)
            return (RefusalReason.DuplicateId, $"another {theirs.Id} with another data directory is connected to {_identity.Self}");
        return default;
    }

    /// <summary>A peer that dials us is there: dial it at once, and drop a link to what it was before.</summary>
    private void DialBack(Peer peer, in Greeting theirs)
    {
        if (peer.Address == null) return;
        _nextWake = Peer.Soon;
        if (peer.Out is { Stage: LinkStage.Standing } link)
        {
            if (link.Directory == theirs.Directory && link.Run == theirs.Run) return;
            DropOutgoing(peer);
        }
        else if (peer.Out is { Stage: LinkStage.Connecting or LinkStage.Greeting } dial)
        {
            if (_now - (dial.Deadline - LinkLimits.DialMicros) < LinkLimits.RedialLeastMicros) return;
            DropOutgoing(peer);
        }
        peer.Failures = 0;
        peer.RedialAt = Peer.Soon;
    }

    internal void BreakOutgoing(OutgoingLink link, string complaint)
    {
        _notes.Say(2, link.Peer.Name, complaint);
        DropOutgoing(link.Peer);
        Later(link.Peer);
    }

    internal void OutgoingClosed(OutgoingLink link)
    {
        Detach(link);
        Later(link.Peer);
    }

    private void DropOutgoing(Peer peer)
    {
        var link = peer.Out!;
        link.Connection?.Abort();
        Detach(link);
    }

    private void Detach(OutgoingLink link)
    {
        bool stood = link.Stage == LinkStage.Standing;
        link.Stage = LinkStage.Closed;
        link.FrameStart = -1;
        var peer = link.Peer;
        peer.Out = null;
        if (peer.OldUntil != 0) peer.PingDue = true;
        peer.UnansweredSince = Instant.Never;
        if (!stood) return;
        TellDown(peer);
        peer.Sending.Fail(null);
    }

    /// <summary>Closes an incoming connection with a note (none when there is nothing to say).</summary>
    internal void BreakIncoming(IncomingLink link, string? complaint)
    {
        if (complaint != null) _notes.Say(2, link.Peer?.Name ?? Host(link.Connection), complaint);
        if (link.Peer == null)
        {
            Forget(link);
            link.Connection.Abort();
        }
        else BreakOffIncoming(link);
    }

    internal void IncomingClosed(IncomingLink link)
    {
        if (link.Peer == null) Forget(link);
        else Lost(link);
    }

    private void BreakOffIncoming(IncomingLink link)
    {
        link.Connection.Abort();
        Lost(link);
    }

    private void Forget(IncomingLink link)
    {
        link.Stage = LinkStage.Closed;
        _strangers.Remove(link);
    }

    /// <summary>The peer dialled again: what it sends comes on the new one, and what was under way on the old one is broken off.</summary>
    private void Replace(IncomingLink link)
    {
        link.Connection.Abort();
        Lost(link);
    }

    private void Lost(IncomingLink link)
    {
        link.Stage = LinkStage.Closed;
        var peer = link.Peer!;
        peer.In = null;
        peer.PongOwed = 0;
        if (peer.OldUntil != 0) peer.PingDue = true;        // the pong may be lost with it
        peer.Receiving.BreakOff(link.Sender, _handler);
        TellDown(peer);
        peer.Sending.Fail(peer.Standing ? peer.Out!.Connection : null);
        peer.TellAgainAt = _now + LinkLimits.HalfLinkMicros;
        _nextWake = Peer.Soon;
    }

    private void TellUp(Peer peer)
    {
        if (peer.ToldUp) return;
        peer.ToldUp = true;
        peer.TellAgainAt = Instant.Never;
        var link = peer.Out!;
        _handler.OnLinkUp(peer.Id, link.Directory, link.Run, link.Number);
    }

    private void TellDown(Peer peer)
    {
        if (!peer.ToldUp) return;
        peer.ToldUp = false;
        _handler.OnLinkDown(peer.Id);
    }

    /// <summary>The other end without its port, which changes at each attempt.</summary>
    private static string Host(Connection connection)
    {
        int colon = connection.RemoteAddress.LastIndexOf(':');
        return colon < 0 ? connection.RemoteAddress : connection.RemoteAddress[..colon];
    }
}
