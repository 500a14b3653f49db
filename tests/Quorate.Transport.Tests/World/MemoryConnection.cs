namespace Quorate.Transport.Tests.World;

/// <summary>One end of a stream in memory.</summary>
public sealed class MemoryConnection(MemoryWorld world, MemoryMember member) : Connection
{
    private const int KernelBytes = 128 * 1024;
    private readonly Queue<(long At, byte[] Bytes)> _flying = new();
    private readonly ByteWriter _held = new();
    private MemoryConnection? _other;
    private bool _dirty, _closing;
    private long _lastArrival;
    private int _inFlight;

    public MemoryMember Member { get; } = member;
    public bool Open { get; private set; } = true;
    public override bool Reading { get; set; } = true;

    public void Join(MemoryConnection other)
    {
        _other = other;
        other._other = this;
    }

    public override void Flush()
    {
        if (_dirty || !Open) return;
        _dirty = true;
        Member.Dirty(this);
    }

    public override void Again() => throw new NotSupportedException("the mesh never asks again");

    public override void Close()
    {
        if (!Open) return;
        Owner = null;
        _closing = true;
        Flush();
    }

    public override void Abort()
    {
        if (!Open) return;
        Open = false;
        Owner = null;
        Output.Release();
        End("closed");
    }

    /// <summary>A fault of the network: both ends see a reset.</summary>
    public void Cut()
    {
        if (!Open) return;
        var other = _other;
        world.At(world.Delay(), () => Member.Arrive(() => Tell("cut")));
        if (other != null) world.At(world.Delay(), () => other.Member.Arrive(() => other.Tell("cut")));
    }

    /// <summary>Its process died.</summary>
    public void Die()
    {
        if (!Open) return;
        Open = false;
        Owner = null;
        End("reset");
    }

    public void SendNow()
    {
        _dirty = false;
        if (!Open || _other == null) return;
        int room = world.BytesAMilli == 0 ? Output.Length : Math.Min(Output.Length, KernelBytes - _inFlight);
        if (room < Math.Min(Output.Length, 16_384)) room = 0;       // else slivers of bytes beget slivers of room
        int sent = 0;
        while (sent < room)
        {
            int size = (int)Math.Min(room - sent, world.Prng.Chance(0.3) ? world.Prng.Between(1, 40) : world.Prng.Between(40, 60_000));
            long at = Math.Max(_lastArrival, world.Now + world.Delay());
            if (world.BytesAMilli > 0) at += (size * 1000L + world.BytesAMilli - 1) / world.BytesAMilli;
            _lastArrival = at;
            _flying.Enqueue((at, Output.Written.Slice(sent, size).ToArray()));
            _inFlight += size;
            sent += size;
            world.AtTime(at, Kick);
        }
        Output.Consume(sent);
        if (!_closing || Output.Length > 0) return;
        Open = false;
        world.AtTime(Math.Max(_lastArrival, world.Now + 1), () => End("closed"));
    }

    /// <summary>Delivers what is due, in order.</summary>
    public void Kick()
    {
        var other = _other;
        if (other == null || world.Parted(Member, other.Member)) return;
        while (_flying.TryPeek(out var chunk) && chunk.At <= world.Now)
        {
            _flying.Dequeue();
            _inFlight -= chunk.Bytes.Length;
            other.Member.Arrive(() => other.Take(chunk.Bytes));
        }
        if (Output.Length > 0) Flush();
    }

    public void Tell(string reason)
    {
        if (!Open) return;
        Open = false;
        var owner = Owner;
        Owner = null;
        owner?.OnClosed(this, reason);
    }

    private void Take(byte[] bytes)
    {
        if (!Open || Owner == null) return;
        _held.Bytes(bytes);
        int consumed = Owner.OnBytes(this, _held.Written);
        if (Open) _held.Consume(consumed);
    }

    private void End(string reason)
    {
        var other = _other;
        if (other == null || world.Parted(Member, other.Member)) return;      // the FIN or RST is lost
        world.AtTime(Math.Max(_lastArrival, world.Now + world.Delay()) + 1, () => other.Member.Arrive(() => other.Tell(reason)));
    }
}
