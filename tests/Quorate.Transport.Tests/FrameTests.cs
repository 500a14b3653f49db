using System.Buffers.Binary;

namespace Quorate.Transport.Tests;

public sealed class FrameTests
{
    private static ByteWriter Whole(string text)
    {
        var writer = new ByteWriter();
        int start = Frame.Begin(writer, FrameKind.Session);
        writer.Bytes(System.Text.Encoding.UTF8.GetBytes(text));
        Frame.End(writer, start);
        return writer;
    }

    [Fact]
    public void A_frame_reads_back_and_waits_for_its_last_byte()
    {
        var bytes = Whole("hello").Written;
        for (int n = 0; n < bytes.Length; n++) Assert.Equal(FrameVerdict.Unfinished, Frame.Read(bytes[..n], 100, out _, out _, out _));
        Assert.Equal(FrameVerdict.Whole, Frame.Read(bytes, 100, out var kind, out var body, out int size));
        Assert.Equal(FrameKind.Session, kind);
        Assert.True(body.SequenceEqual("hello"u8));
        Assert.Equal(bytes.Length, size);
    }

    [Fact]
    public void Every_flipped_bit_is_noticed()
    {
        var bytes = Whole("a body of some bytes").Written.ToArray();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(FrameVerdict.Whole, Frame.Read(bytes, Limits.MaxFrameBytes, out _, out _, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(93u)]
    [InlineData(0x7fffffffu)]
    [InlineData(0x80000000u)]
    [InlineData(0xffffffffu)]
    public void An_impossible_length_is_refused_with_four_bytes(uint length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, length);
        Assert.Equal(FrameVerdict.BadLength, Frame.Read(bytes, 100, out _, out _, out _));
    }

    [Fact]
    public void A_greeting_reads_back_and_one_of_a_newer_format_shows_only_its_format()
    {
        var writer = new ByteWriter();
        var mine = new Greeting(1, 5, new ReplicaId(2), new ReplicaId(3), 11, 12, 13, "host:1", "host:2");
        mine.Write(writer, FrameKind.Hello);
        Frame.Read(writer.Written, 1024, out _, out var body, out _);
        Assert.True(Greeting.TryRead(body, 1, out var read));
        Assert.Equal(mine, read);
        for (int n = 0; n < body.Length; n++) Assert.False(Greeting.TryRead(body[..n], 1, out _));

        writer.Clear();
        (mine with { Format = 2 }).Write(writer, FrameKind.Hello);
        Frame.Read(writer.Written, 1024, out _, out body, out _);
        Assert.True(Greeting.TryRead(body, 1, out read));
        Assert.Equal(2, read.Format);
        Assert.True(read.Id.IsNone);
    }
}
