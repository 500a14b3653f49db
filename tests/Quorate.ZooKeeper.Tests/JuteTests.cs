using System.Text;
using Quorate.ZooKeeper.Tests.Ground;

namespace Quorate.ZooKeeper.Tests;

/// <summary>zookeeper.md §1.1.</summary>
public sealed class JuteTests
{
    [Fact]
    public void Everything_written_is_read_again()
    {
        var w = new ByteWriter();
        w.JuteInt(-7);
        w.JuteLong(long.MinValue);
        w.JuteBool(true);
        w.JuteNull();
        w.JuteBuffer([]);
        w.JuteString("é");
        Assert.Equal("fffffff9" + "8000000000000000" + "01" + "ffffffff" + "00000000" + "00000002c3a9", Convert.ToHexString(w.Written).ToLowerInvariant());
        var r = new JuteReader(w.Written);
        Assert.Equal((-7, long.MinValue, true), (r.Int(), r.Long(), r.Bool()));
        r.Buffer(out bool isNull);
        Assert.True(isNull);
        Assert.True(r.Buffer(out isNull).IsEmpty);
        Assert.False(isNull);
        Assert.Equal("é"u8.ToArray(), r.String(new ByteWriter(), out _).ToArray());
        Assert.True(r.Ok);
        Assert.Equal(0, r.Remaining);
    }

    [Theory]
    [InlineData("fffffffe")]
    [InlineData("80000000")]
    [InlineData("00000005aabbcc")]
    [InlineData("7fffffff")]
    [InlineData("0000")]
    public void A_bad_length_fails_and_stays_failed(string hex)
    {
        var r = new JuteReader(Convert.FromHexString(hex));
        Assert.True(r.Buffer(out _).IsEmpty);
        Assert.True(r.Failed);
        Assert.Equal((0, 0L, false), (r.Int(), r.Long(), r.Bool()));
        Assert.True(r.Failed);
    }

    [Theory]
    [InlineData("ffffffff", 0, true, false)]
    [InlineData("fffffffb", 0, false, false)]
    [InlineData("00000002aaaaaaaabbbbbbbb", 2, false, false)]
    [InlineData("00000003aaaaaaaabbbbbbbb", 0, false, true)]
    [InlineData("7fffffff", 0, false, true)]
    public void Counts_that_cannot_fit_are_refused_before_anything_is_sized(string hex, int count, bool isNull, bool failed)
    {
        var r = new JuteReader(Convert.FromHexString(hex));
        Assert.Equal(count, r.Count(4, out bool none));
        Assert.Equal((isNull, failed), (none, r.Failed));
    }

    [Theory]
    [InlineData("2fc328", "/\ufffd(")]
    [InlineData("2fff", "/\ufffd")]
    [InlineData("2fe282", "/\ufffd")]
    [InlineData("2ff0288cbc", "/\ufffd(\ufffd\ufffd")]
    [InlineData("2f61c3a9", "/aé")]
    public void Malformed_utf8_is_replaced(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);
        var w = new ByteWriter();
        w.JuteBuffer(bytes);
        var r = new JuteReader(w.Written);
        var scratch = new ByteWriter();
        Assert.Equal(text, Encoding.UTF8.GetString(r.String(scratch, out _)));
    }

    [Fact]
    public void Any_bytes_are_answered_or_closed_and_never_throw()
    {
        var prng = new Prng(20261121);
        for (int round = 0; round < 3000; round++)
        {
            var world = new FaceWorld(atOnce: prng.Chance(0.7));
            var client = world.Connect();
            var bytes = new ByteWriter();
            for (int requests = (int)prng.Between(1, 8); requests > 0; requests--) Wild(ref prng, bytes);
            // Cut into random packets.
            var rest = bytes.Written.ToArray().AsSpan();
            while (!rest.IsEmpty)
            {
                int n = Math.Min(rest.Length, (int)prng.Between(1, 200));
                client.Send(rest[..n]);
                rest = rest[n..];
                if (prng.Chance(0.3)) world.Sessions.ApplyAll();
            }
            world.Sessions.ApplyAll();
            world.Sessions.AnswerSyncs();
            client.Turn();
            if (!client.Over) client.TakeFrames(); // whole frames only
        }
    }

    private static readonly int[] s_ops = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 100, 101, 102, 103, 104, 105, 106, 107, -11, -10];

    /// <summary>A request whose body is a valid one with pieces changed, or plain noise.</summary>
    private static void Wild(ref Prng prng, ByteWriter into)
    {
        int op = s_ops[prng.Below(s_ops.Length)];
        var body = new ByteWriter();
        string[] paths = ["/", "/a", "/a/b", "", "/zookeeper", "//", "/\u0001"];
        for (int fields = (int)prng.Below(6); fields > 0; fields--)
        {
            switch (prng.Below(7))
            {
                case 0: body.JuteString(paths[prng.Below(paths.Length)]); break;
                case 1: body.JuteInt((int)prng.Between(-3, 8)); break;
                case 2: body.JuteLong((long)prng.Next()); break;
                case 3: body.JuteBool(prng.Chance(0.5)); break;
                case 4: body.MultiHeader((int)prng.Between(-1, 22), prng.Chance(0.3), -1); break;
                case 5: RawClient.CreateBody(paths[prng.Below(paths.Length)], "x", (int)prng.Below(8))(body); break;
                default:
                    for (int i = 0; i < 6; i++) body.Byte((byte)prng.Next());
                    break;
            }
        }
        var bytes = body.WrittenMutable;
        if (bytes.Length > 0 && prng.Chance(0.3)) bytes[(int)prng.Below(bytes.Length)] ^= (byte)(1 << (int)prng.Below(8));
        int length = 8 + bytes.Length;
        if (prng.Chance(0.03)) length = (int)prng.Next();
        into.JuteInt(length);
        into.JuteInt((int)prng.Next());
        into.JuteInt(op);
        into.Bytes(bytes);
    }
}
