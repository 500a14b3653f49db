namespace Quorate.Kernel.Tests;

public class LogMapTests
{
    /// <summary>Against the plainest model, thousands of random steps.</summary>
    [Fact]
    public void Agrees_with_a_plain_list()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            var chance = new Prng(seed);
            var map = new LogMap();
            var model = new List<(ulong Term, int Bytes)>();
            long begin = 0;
            ulong beginTerm = 0, term = 1;
            for (int step = 0; step < 150; step++)
            {
                switch (chance.Below(8))
                {
                    case 0: term += (ulong)chance.Below(3); break;
                    case 1:
                        long cut = begin + chance.Below(model.Count + 1);
                        map.TruncateAfter(cut);
                        model.RemoveRange((int)(cut - begin), model.Count - (int)(cut - begin));
                        break;
                    case 2:
                        long to = begin + chance.Below(model.Count + 1);
                        map.BeginAt(to);
                        if (to > begin) beginTerm = model[(int)(to - begin) - 1].Term;
                        model.RemoveRange(0, (int)(to - begin));
                        begin = to;
                        break;
                    default:
                        // Some worlds fill many pages.
                        for (long many = seed % 10 == 0 ? 1 + chance.Below(700) : 1; many > 0; many--)
                        {
                            int bytes = (int)chance.Below(seed % 20 == 0 ? Limits.MaxEntryBytes : 50);
                            map.Append(term, bytes);
                            model.Add((term, bytes));
                        }
                        break;
                }
                if (chance.Chance(0.1)) map = map.Copy();
                Same(map, model, begin, beginTerm, ref chance);
            }
        }
    }

    private static void Same(LogMap map, List<(ulong Term, int Bytes)> model, long begin, ulong beginTerm, ref Prng chance)
    {
        Assert.Equal((begin, begin + model.Count), (map.BeginIndex, map.Last));
        Assert.Equal(model.Count == 0 ? beginTerm : model[^1].Term, map.LastTerm);
        for (int i = 0; i < model.Count; i++)
        {
            Assert.True(map.TryTermOf(begin + 1 + i, out ulong term));
            Assert.Equal(model[i].Term, term);
            Assert.Equal(model[i].Bytes, map.BytesOf(begin + 1 + i, begin + 1 + i));
        }
        Assert.True(map.TryTermOf(begin, out ulong boundary));
        Assert.Equal(beginTerm, boundary);
        Assert.False(map.TryTermOf(begin - 1, out _));
        Assert.False(map.TryTermOf(map.Last + 1, out _));
        if (model.Count == 0) return;
        int from = (int)chance.Below(model.Count);
        long limit = chance.Below(200), sum = 0;
        int last = from;
        for (int i = from; i < model.Count && (sum += model[i].Bytes) <= limit; i++) last = i;
        Assert.Equal(begin + 1 + last, map.LastWithin(begin + 1 + from, limit));
        ulong most = model[from].Term;
        int at = model.FindLastIndex(Math.Min(from, model.Count - 1), e => e.Term <= most);
        Assert.Equal(begin + 1 + at, map.LastAtMost(begin + 1 + from, most));
    }
}

public class ByteTests
{
    [Fact]
    public void What_is_written_is_read()
    {
        var w = new ByteWriter();
        w.Byte(1);
        w.Bool(true);
        w.UInt16(2);
        w.Int32(-3);
        w.UInt32(4);
        w.Int64(-5);
        w.UInt64(6);
        w.Text("zürich");
        w.Sized([7, 8]);
        var r = new ByteReader(w.Written);
        Assert.Equal((1, true, 2, -3, 4u), (r.Byte(), r.Bool(), r.UInt16(), r.Int32(), r.UInt32()));
        Assert.Equal((-5L, 6ul, "zürich"), (r.Int64(), r.UInt64(), r.Text()));
        Assert.Equal([7, 8], r.Sized().ToArray());
        Assert.True(r.Ok && r.AtEnd);
    }

    [Fact]
    public void Past_the_end_failure_sticks_and_reads_zero()
    {
        var r = new ByteReader([1, 2]);
        Assert.Equal(0, r.Int32());
        Assert.Equal(0, r.Byte());
        Assert.True(r.Failed);
    }

    [Theory]
    [InlineData(-1), InlineData(int.MaxValue), InlineData(4)]
    public void A_count_that_cannot_follow_is_refused(int count)
    {
        var w = new ByteWriter();
        w.Int32(count);
        w.UInt16(0);
        var r = new ByteReader(w.Written);
        Assert.Equal(0, r.Count(1));
        Assert.True(r.Failed);
    }

    [Fact]
    public void Consume_and_patch()
    {
        var w = new ByteWriter();
        w.Int32(0);
        w.Byte(9);
        w.PatchInt32(0, 77);
        Assert.Equal(77, new ByteReader(w.Written).Int32());
        w.Consume(4);
        Assert.Equal([9], w.Written.ToArray());
    }
}

public class ChanceTests
{
    [Fact]
    public void The_same_seed_gives_the_same_numbers_and_a_copy_goes_on_by_itself()
    {
        var a = new Prng(1);
        var b = new Prng(1);
        var copy = a;
        Assert.Equal(a.Next(), b.Next());
        Assert.Equal(a.Next(), b.Next());
        copy.Next();
        Assert.Equal(copy.Next(), new Prng(1) is var c && c.Next() is var _ ? c.Next() : 0);
        Assert.NotEqual(new Prng(1).Next(), new Prng(2).Next());
    }

    [Fact]
    public void Below_stays_below_and_reaches_everything()
    {
        var chance = new Prng(3);
        var seen = new int[10];
        for (int i = 0; i < 10_000; i++) seen[chance.Below(10)]++;
        Assert.All(seen, n => Assert.InRange(n, 850, 1150));
        Assert.Equal(0, chance.Below(0));
    }
}

public class ConfigurationTests
{
    private static ConfiguredMember M(int id, bool voter = true) => new(new ReplicaId((byte)id), (ulong)id * 10, voter, $"h:{id}");

    [Fact]
    public void Survives_its_bytes_sorted()
    {
        var c = new ClusterConfiguration([M(3), M(1), M(2, false)], [M(5)]);
        var d = ClusterConfiguration.Decode(c.Encode())!;
        Assert.Equal(c.Members, d.Members);
        Assert.Equal(c.Outgoing, d.Outgoing);
        Assert.Equal([1, 2, 3], d.Members.Select(m => (int)m.Id.Value));
        Assert.Equal(2, d.VoterCount);
    }

    [Fact]
    public void Only_the_recorded_directory_votes()
    {
        var c = new ClusterConfiguration([M(1), M(2, false)]);
        Assert.True(c.IsVoter(new ReplicaId(1), 10));
        Assert.False(c.IsVoter(new ReplicaId(1), 11));
        Assert.False(c.IsVoter(new ReplicaId(2), 20));
    }

    [Fact]
    public void Cut_bytes_are_no_configuration()
    {
        var bytes = new ClusterConfiguration([M(1), M(2)]).Encode();
        for (int i = 0; i < bytes.Length; i++) Assert.Null(ClusterConfiguration.Decode(bytes.AsSpan(0, i)));
    }
}

public class ChecksumTests
{
    [Fact]
    public void Is_Castagnoli() => Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));

    [Fact]
    public void Payloads_of_one_chunk_do_not_touch()
    {
        var chunks = new PayloadChunks();
        var payloads = Enumerable.Range(0, 3000).Select(i => chunks.Copy(BitConverter.GetBytes(i))).ToArray();
        for (int i = 0; i < payloads.Length; i++)
        {
            Assert.Equal(i, BitConverter.ToInt32(payloads[i].Span));
            Assert.Equal(Crc32C.Of(payloads[i].Span), payloads[i].Checksum);
        }
    }
}
