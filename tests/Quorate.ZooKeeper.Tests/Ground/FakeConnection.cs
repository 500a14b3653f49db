namespace Quorate.ZooKeeper.Tests.Ground;

/// <summary>The door's side of a connection, by hand: what arrives is kept until it is consumed; what is sent is collected.</summary>
public sealed class FakeConnection : Connection
{
    private readonly ByteWriter _input = new();

    public FakeConnection(long number, string remote)
    {
        Number = number;
        RemoteAddress = remote;
    }

    public bool Closed { get; private set; }
    public bool Aborted { get; private set; }
    public bool AskedAgain { get; private set; }
    public bool Flushed { get; private set; }
    public override bool Reading { get; set; } = true;
    public int Unconsumed => _input.Length;
    public bool Over => Closed || Aborted;

    public override void Flush() => Flushed = true;
    public override void Again() => AskedAgain = true;
    public override void Close() => Closed = true;
    public override void Abort() => Aborted = true;

    /// <summary>Bytes come in from the network (into the socket's buffer, when it is not read).</summary>
    public void Arrive(ReadOnlySpan<byte> bytes) => _input.Bytes(bytes);

    /// <summary>What a door does in a turn.</summary>
    public void Turn()
    {
        if (Over || !(AskedAgain || (Reading && _input.Length > 0))) return;
        AskedAgain = false;
        int used = Owner!.OnBytes(this, _input.Written);
        _input.Consume(used);
    }

    /// <summary>Sends what was flushed.</summary>
    public byte[] TakeOutput()
    {
        byte[] bytes = Output.Written.ToArray();
        if (bytes.Length > 0) Assert.True(Flushed, "bytes were written and never flushed");
        Output.Clear();
        Flushed = false;
        return bytes;
    }
}
