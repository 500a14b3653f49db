using Quorate.Protocols.Raft;

namespace Quorate.Protocols.Tests.Raft;

public class RaftCodecTests
{
    private readonly RaftCodec _codec = new();
    private readonly PayloadChunks _chunks = new();

    private static JournalImage Journal(params ulong[] terms)
    {
        var image = new JournalImage();
        var outbox = new Outbox();
        foreach (ulong term in terms)
        {
            outbox.Clear();
            outbox.PersistAppend(image.Map.Last + 1, term, [new Entry(EntryKind.Command, Payload.Of([(byte)term, 7]))]);
            image.Apply(new JournalRecord(outbox.Verbs[0], outbox.EntriesOf(outbox.Verbs[0]).ToArray()));
        }
        return image;
    }

    private static Append Range(long prev, ulong prevTerm, long last) => new() { Term = 9, PrevIndex = prev, PrevTerm = prevTerm, Last = last, Commit = 3, Round = 4, ProvenMicros = 5, ProvenRun = 6 };

    public static IEnumerable<ProtocolMessage> Messages()
    {
        yield return new PreVote(1, 2, 3);
        yield return new PreVoteReply(1, true);
        yield return new RequestVote(4, 5, 6, true);
        yield return new VoteReply(7, false);
        yield return Range(1, 1, 4);
        yield return Range(4, 3, 4);
        yield return new AppendReply { Term = 1, Ok = false, RejectedPrev = 2, HintIndex = 3, HintTerm = 4, Round = 5, Run = 6, SentMicros = 7 };
        yield return new InstallSnapshot(9, new ConfigurationAt(2, new ClusterConfiguration([new ConfiguredMember(new ReplicaId(1), 8, true, "a:1")])), new BodyHandle(new SnapshotIdentity(5, 4, 3), 0, 0));
        yield return new InstallReply(1, 2, 3, 4, true);
        yield return new TimeoutNow(3);
        yield return new ReadIndex(1, 2);
        yield return new ReadIndexReply(1, 2, 3, true);
        yield return new LossQuestion(7, 3, [new DamagedEntry(5, 8), new DamagedEntry(6, 9)]);
        yield return new LossAnswer(8, 7, 3, [new DamagedEntry(5, 8), new DamagedEntry(6, 9)], [LossWord.Had, LossWord.NothingOfItsTerm]);
    }

    [Fact]
    public void Every_message_survives_the_wire_byte_for_byte()
    {
        var journal = Journal(1, 1, 2, 3);
        foreach (var message in Messages())
        {
            var bytes = new ByteWriter();
            Assert.Equal(EntryRead.Here, _codec.Encode(message, journal, bytes));
            var read = _codec.Decode(bytes.Written, _chunks, default);
            Assert.NotNull(read);
            Assert.Equal(message.GetType(), read.GetType());
            var again = new ByteWriter();
            Assert.Equal(EntryRead.Here, _codec.Encode(read, journal, again));
            Assert.Equal(bytes.Written.ToArray(), again.Written.ToArray());
        }
    }

    [Fact]
    public void Entries_carry_their_terms_kinds_and_bytes()
    {
        var bytes = new ByteWriter();
        Assert.Equal(EntryRead.Here, _codec.Encode(Range(1, 1, 4), Journal(1, 1, 2, 3), bytes));
        var entries = Assert.IsType<Append>(_codec.Decode(bytes.Written, _chunks, default)).Entries.ToArray();
        Assert.Equal([1UL, 2UL, 3UL], entries.Select(e => e.Term));
        Assert.Equal([3, 7], entries[2].Entry.Payload.Span.ToArray());
    }

    [Fact]
    public void A_range_that_is_gone_is_not_sent() => Assert.Equal(EntryRead.Gone, _codec.Encode(Range(1, 1, 9), Journal(1, 1), new ByteWriter()));

    [Fact]
    public void Cut_bytes_are_no_message_and_no_flip_is_believed_blindly()
    {
        var journal = Journal(1, 1, 2, 3);
        var chance = new Prng(5);
        foreach (var message in Messages())
        {
            var w = new ByteWriter();
            _codec.Encode(message, journal, w);
            var bytes = w.Written.ToArray();
            for (int cut = 0; cut < bytes.Length; cut++) Assert.Null(_codec.Decode(bytes.AsSpan(0, cut), _chunks, default));
            for (int i = 0; i < 200; i++)
            {
                var bad = (byte[])bytes.Clone();
                bad[chance.Below(bad.Length)] ^= (byte)(1 << (int)chance.Below(8));
                _codec.Decode(bad, _chunks, default); // a message or none, never an exception, never an allocation by an unchecked count
            }
        }
    }

    [Fact]
    public void Absurd_counts_and_rotten_payloads_are_refused()
    {
        var bytes = new ByteWriter();
        _codec.Encode(Range(1, 1, 4), Journal(1, 1, 2, 3), bytes);
        var bad = bytes.Written.ToArray();
        BitConverter.TryWriteBytes(bad.AsSpan(58), int.MaxValue);
        Assert.Null(_codec.Decode(bad, _chunks, default));
        bad = bytes.Written.ToArray();
        bad[^1] ^= 1;
        Assert.Null(_codec.Decode(bad, _chunks, default));
    }
}
