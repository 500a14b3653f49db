namespace Quorate.Transport;

/// <summary>The body that one peer is sending us, and what we have to confirm of it.</summary>
internal sealed class BulkReceiver
{
    private uint _number;
    private long _length, _received, _confirmed;
    private bool _active, _wholeDue;

    /// <summary>Something should be confirmed as soon as the handler's backlog allows.</summary>
    public bool ConfirmDue => _wholeDue || (_active && _received - _confirmed >= LinkLimits.BulkConfirmBytes);

    /// <summary>A whole body waits for its confirmation: no backlog holds that back.</summary>
    public bool WholeDue => _wholeDue;

    /// <summary>Takes a frame; false when it does not follow.</summary>
    public bool Take(Sender from, ReadOnlySpan<byte> body, IMeshHandler handler)
    {
        var reader = new ByteReader(body);
        var step = (BulkStep)reader.Byte();
        uint number = reader.UInt32();
        if (reader.Failed) return false;
        if (step == BulkStep.Begin) return Begin(from, number, ref reader, handler);
        if (!_active || number != _number) return step == BulkStep.Abort;   // it had ended here before its sender broke it off
        switch (step)
        {
            case BulkStep.Bytes:
                long offset = reader.Int64();
                var bytes = reader.Bytes(reader.Remaining);
                if (reader.Failed || offset != _received || bytes.Length > _length - _received || bytes.Length == 0) return false;
                _received += bytes.Length;
                handler.OnBulkBytes(from, bytes);
                return true;
            case BulkStep.End:
                if (_received != _length || !reader.AtEnd) return false;
                _active = false;
                _wholeDue = true;
                handler.OnBulkEnd(from, true);
                return true;
            case BulkStep.Abort:
                _active = false;
                handler.OnBulkEnd(from, false);
                return true;
            default:
                return false;
        }
    }

    public void Confirm(ByteWriter output)
    {
        int start = Frame.Begin(output, FrameKind.BulkConfirm);
        output.UInt32(_number);
        output.Int64(_received);
        output.Bool(_wholeDue);
        Frame.End(output, start);
        _confirmed = _received;
        _wholeDue = false;
    }

    /// <summary>The link that carried it is gone.</summary>
    public void BreakOff(Sender from, IMeshHandler handler)
    {
        _wholeDue = false;
        if (!_active) return;
        _active = false;
        handler.OnBulkEnd(from, false);
    }

    private bool Begin(Sender from, uint number, ref ByteReader reader, IMeshHandler handler)
    {
        long length = reader.Int64();
        var header = reader.Sized();
        if (reader.Failed || length < 0 || _active) return false;
        _active = true;
        _wholeDue = false;
        _number = number;
        _length = length;
        _received = _confirmed = 0;
        handler.OnBulkBegin(from, header, length);
        return true;
    }
}
