namespace Quorate.ZooKeeper;

/// <summary>The queue of a connection (sessions.md §7).</summary>
public sealed partial class ZooKeeperConnection
{
    private ParkQueue? _queue;
    private long _sessionId;
    private int _timeout;

    private bool Behind => _queue is { Count: > 0 };

    /// <summary>
    /// The oldest unapplied write is about to be applied: what stands in front of it is answered now, of the state before it, without a budget (sessions.md §7.2).
    /// A sync there is answered, too: the write's place in the log is behind all that was committed when the sync was sent.
    /// </summary>
    public override void BeforeApply()
    {
        if (_stage != Stage.Open) return;
#if MUTANTS
        if (Mutants.On(Mutant.ParkedReadsAfterApply)) return;
#endif
        BeginTurn();
        GoOn(long.MaxValue);
        while (_queue is { Count: > 0 } queue && queue.Head.Kind != ParkedKind.Write && _stage == Stage.Open)
        {
            AnswerHead(queue);
            GoOn(long.MaxValue);
        }
        Flush();
    }

    public override void OnApplied(long zxid, ReadOnlySpan<byte> result)
    {
        if (_stage != Stage.Open) return;
        BeginTurn();
#if MUTANTS
        while (Mutants.On(Mutant.ParkedReadsAfterApply) && _queue is { Count: > 0 } parked && parked.Head.Kind != ParkedKind.Write) AnswerHead(parked);
#endif
        Invariant.That(_queue is { Count: > 0 } && _queue.Head.Kind == ParkedKind.Write, "FaceQueueOrder", "a write was applied that is not the queue's head");
        var write = _queue!.Head;
        _queue.RemoveHead();
        if (write.Op == OpCode.CloseSession)
        {
            _connection.Output.HeaderFrame(write.Xid, zxid, ErrorCode.Ok);
            Answered(write.Since, zxid);
            _stage = Stage.Ending;
            End();
            return;
        }
        WriteAnswer.Write(_connection.Output, write.Xid, zxid, result);
        Answered(write.Since, zxid);
#if MUTANTS
        _connection.Output.Bytes(_late.Written);
        _late.Clear();
#endif
        Drain(budgeted: true);
        Flush();
    }

    public override void OnSynced(long token)
    {
        if (_stage != Stage.Open || _queue is not { } queue) return;
        for (int i = 0; i < queue.Count; i++)
        {
            ref var parked = ref queue[i];
            if (parked.Kind != ParkedKind.Sync || parked.Token != token) continue;
            parked.Kind = ParkedKind.Synced;
            break;
        }
        BeginTurn();
        Drain(budgeted: true);
        Flush();
    }

    /// <summary>One request. False: it stays unread for now.</summary>
    private bool Dispatch(ReadOnlySpan<byte> frame)
    {
        var r = new JuteReader(frame);
        int xid = r.Int(), op = r.Int();
        if (op is OpCode.Auth or OpCode.Sasl)
        {
            Count(op, xid);
            if (op == OpCode.Auth) Authenticate(xid, ref r);
            else Sasl(xid, ref r);
            return true;
        }
        bool numbered = WriteTranslation.IsWrite(op) || op == OpCode.CloseSession;
        if (numbered && !_sessions.WindowOpen)
        {
            WaitForWindow();
            return false;
        }
        if (!numbered && (Behind || op == OpCode.Sync) && Full(r.Remaining)) return false;
        if (numbered) return op == OpCode.CloseSession ? CloseBehind(xid) : Forward(xid, op, ref r);
        Count(op, xid);
        _noMore = !IsKnown(op);
        if (op == OpCode.Sync) AskSync(xid, r.Rest);
        else if (Behind) Park(ParkedKind.Read, xid, op, 0, r.Rest);
        else Answer(xid, op, 0, r.Rest, _sessions.Now.Micros, _identityCount);
        return true;
    }

    private bool Forward(int xid, int op, ref JuteReader r)
    {
        int error = ErrorCode.SystemError;
        var request = _face.Request;
        if (!WriteTranslation.NeedsRoom(op) || _sessions.HasRoom)
        {
            request.Clear();
            _face.Scratch.Clear();
            error = WriteTranslation.Translate(op, ref r, _identities, request, _face.Scratch);
            if (error == ErrorCode.Ok && request.Length > _sessions.MaxRequestBytes) error = ErrorCode.MarshallingError;
        }
        if (error != ErrorCode.Ok)
        {
            if (Behind && Full(0)) return false;
            Count(op, xid);
            if (Behind) Park(ParkedKind.Refused, xid, op, error, default);
            else Answer(xid, op, error, default, _sessions.Now.Micros, _identityCount);
            return true;
        }
        Count(op, xid);
        Park(ParkedKind.Write, xid, op, 0, default);
        _sessions.Write(this, request.Written);
        return true;
    }

    private bool CloseBehind(int xid)
    {
        Count(OpCode.CloseSession, xid);
        _noMore = true;
        Park(ParkedKind.Write, xid, OpCode.CloseSession, 0, default);
        _sessions.CloseSession(this);
        return true;
    }

    private void AskSync(int xid, ReadOnlySpan<byte> body)
    {
        Park(ParkedKind.Sync, xid, OpCode.Sync, 0, body);
        int place = _queue!.Count - 1;
        long token = _sessions.Sync(this);
        if (_stage == Stage.Open && _queue is { } queue && place < queue.Count) queue[place].Token = token;
    }

    private void Park(ParkedKind kind, int xid, int op, int error, ReadOnlySpan<byte> body)
    {
        _queue ??= _face.LendQueue();
        _queue.Add(new Parked { Kind = kind, Identities = _identityCount, Xid = xid, Op = op, Error = error, Since = _sessions.Now.Micros }, body);
    }

    /// <summary>No more fits: the socket is not read until something was answered.</summary>
    private bool Full(int bytes)
    {
        if (_queue is not { } queue) return false;
        var options = _face.Options;
        if (queue.Waiting < options.MaxParkedRequests && (queue.Waiting == 0 || queue.WaitingBytes + bytes <= options.MaxParkedBytes)) return false;
        Holding(Hold.Parked);
        return true;
    }

    /// <summary>Answers what has become the head, in order, as far as this turn's budget goes.</summary>
    private void Drain(bool budgeted)
    {
        if (!GoOn(RestOfTurn)) return;
        while (_stage == Stage.Open && _queue is { Count: > 0 } queue && queue.Head.Kind is not (ParkedKind.Write or ParkedKind.Sync))
        {
            if (budgeted && BudgetUsed)
            {
                _connection.Again();
                return;
            }
            _turnRequests++;
            AnswerHead(queue);
            if (_list is not null) return;
        }
        if (_stage != Stage.Open) return;
        if (_queue is { Count: 0 }) GiveQueueBack();
        if ((_hold & Hold.Parked) != 0 && (_queue is null || _queue.Waiting < _face.Options.MaxParkedRequests)) Release(Hold.Parked);
    }

    private void AnswerHead(ParkQueue queue)
    {
        var head = queue.Head;
        Answer(head.Xid, head.Op, head.Error, queue.BodyOf(in head), head.Since, head.Identities);
        if (_stage == Stage.Open) queue.RemoveHead();
    }

    /// <summary>Writes one answer into the connection's output.</summary>
    private void Answer(int xid, int op, int error, ReadOnlySpan<byte> body, long since, ushort identities)
    {
        int before = _connection.Output.Length;
        if (error != ErrorCode.Ok) _connection.Output.HeaderFrame(xid, _sessions.LastZxid, error);
        else Execute(xid, op, new JuteReader(body), identities);
        if (_stage == Stage.Gone) return;
        _turnBytes += _connection.Output.Length - before;
        if (_list is { } list)
        {
            list.Since = since;
            GoOn(RestOfTurn);
            return;
        }
        Answered(since, _sessions.LastZxid);
    }

    private void GiveQueueBack()
    {
        if (_queue is null) return;
        _face.TakeBack(_queue);
        _queue = null;
    }
}
