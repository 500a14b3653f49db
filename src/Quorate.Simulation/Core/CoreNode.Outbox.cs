namespace Quorate.Simulation.Core;

/// <summary>What the core wants, done in the order of asking.</summary>
internal sealed partial class CoreNode
{
    private void Process()
    {
        foreach (ref readonly var verb in _outbox.Verbs)
        {
            switch (verb.Kind)
            {
                case VerbKind.Persist:
                    Busy++;
                    if (_world.Trace.Verbose) _world.Say(this, $"persists {verb.Persist} ticket {verb.Ticket.Value} from {verb.First} x{verb.EntryCount} t{(verb.Persist == PersistKind.Promise ? verb.Promise.Term : verb.Term)}");
                    _log!.Gather(verb, _outbox.EntriesOf(verb));
                    Shadow.OnPersist(verb, _outbox.EntriesOf(verb));
                    if (verb.Persist == PersistKind.Append) Report(verb, _outbox.EntriesOf(verb));
                    break;
                case VerbKind.Send when verb.Ticket > _told:
                    _held.Add((verb.To, verb.Message!, verb.Ticket, _heldOrder++));
                    break;
                case VerbKind.Send:
                    _world.Global.Leaves(Self, Directory, verb.To, verb.Message!);
                    Send(verb.To, verb.Message!);
                    break;
                case VerbKind.Deliver:
                    Busy++;
                    _deliverTo = Math.Max(_deliverTo, verb.Last);
                    ApplyDelivered();
                    break;
                case VerbKind.Install:
                    Busy++;
                    _world.Global.Installed(Self, verb.Body.Snapshot);
                    Restore(verb.Body, verb.Body.Snapshot);
                    _hostInputs.Enqueue(new Applied(Applied));
                    break;
                case VerbKind.Answer:
                    Answer(verb);
                    break;
                default:
                    if (_world.Trace.Verbose) _world.Say(this, $"note {verb.Text} {verb.A} {verb.B} {verb.C}");
                    break;
            }
        }
        _outbox.Clear();
    }

    private void Report(in Verb verb, ReadOnlySpan<Entry> entries)
    {
        _log!.Map.TryTermOf(verb.First - 1, out ulong before);
        for (int i = 0; i < entries.Length; i++)
        {
            _world.Global.Appended(verb.First + i, verb.Term, before, entries[i].Kind, entries[i].Payload.Checksum);
            before = verb.Term;
        }
    }

    /// <summary>What was delivered and is here; the rest when its read is done.</summary>
    private void ApplyDelivered()
    {
        while (Applied < _deliverTo)
        {
            var read = _applying!.Read(Applied + 1, out var entry);
            if (read == EntryRead.Later && !_applying.IsReading)
            {
                _applying.Begin(Applied + 1, Math.Min(_deliverTo, _log!.Map.LastWithin(Applied + 1, 64 * 1024)));
                read = _applying.Read(Applied + 1, out entry);
            }
            if (read == EntryRead.Gone) throw new BreachException("DeliveredReadable", $"n{Number} cannot read {Applied + 1}");
            if (read == EntryRead.Later) return;
            Apply(Applied + 1, entry);
        }
    }

    private void Apply(long index, in EntryView entry)
    {
        _world.Global.Delivered(Self, Standing.Term, index, entry.Term, entry.Kind, Crc32C.Of(entry.Payload));
        _appliedTerm = entry.Term;
        Applied = index;
        if (entry.Kind == EntryKind.Command)
        {
            var command = RegisterCommand.Decode(entry.Payload);
            long result = Machine.Apply(command);
            if (_commands.Remove(command.Operation, out var request)) request.Answered?.Invoke(Reply.Done, result);
        }
        else if (entry.Kind == EntryKind.Configuration && ClusterConfiguration.Decode(entry.Payload) is { } configuration) Machine.Configuration = new ConfigurationAt(index, configuration);
        _world.Ghost.OnDigest(Number, index, Machine.Digest);
        _world.Trace.Add(_world.Schedule.NowMicros, 3, Number, index);
        _hostInputs.Enqueue(new Applied(index));
        AnswerReads();
    }

    private void Answer(in Verb verb)
    {
        if (!_proposals.Remove(verb.Proposal, out var request)) return;
        if (request.Kind == RequestKind.Read && verb.Answer == AnswerKind.ReadAt)
        {
            _reads.Add((verb.A, request));
            AnswerReads();
            return;
        }
        if (_world.Trace.Verbose) _world.Say(this, $"answers {request.Kind}: {verb.Answer} {verb.Text}");
        request.Answered?.Invoke(verb.Answer == AnswerKind.Done ? Reply.Done : Reply.Refused, 0);
    }

    private void AnswerReads()
    {
        for (int i = 0; i < _reads.Count; i++)
        {
            if (_reads[i].Position > Applied) continue;
            var request = _reads[i].Request;
            _reads.RemoveAt(i--);
            request.Answered?.Invoke(Reply.Done, Machine[request.Command.Key]);
        }
    }

    private void Send(ReplicaId to, ProtocolMessage message)
    {
        if (_delayed!.HoldsUp(to, message)) _delayed.Add(to, message);
        else Transmit(to, message, _log!);
    }

    private void SendDelayed()
    {
        while (_delayed!.TryTake(out var to, out var message, out var entries))
        {
            _world.Delays++;
            Transmit(to, message, entries);
        }
        while (_delayed.News() is { } news) _hostInputs.Enqueue(news);
    }

    private void Transmit(ReplicaId to, ProtocolMessage message, IEntrySource entries)
    {
        var w = new ByteWriter(128);
        switch (_world.Codec.Encode(message, entries, w))
        {
            case EntryRead.Later:
                _delayed!.Add(to, message);
                return;
            case EntryRead.Gone:
                _delayed!.Drop(to);
                _hostInputs.Enqueue(new Undelivered(to));
                return;
        }
        if (message is BodyMessage { Body.Snapshot: var snapshot }) BeginBody(to, snapshot, w.Written.ToArray());
        else _world.Transmit(this, to, new Parcel(Number, Directory, _link, _world.Schedule.NowMicros, w.Written.ToArray(), null, default));
    }
}
