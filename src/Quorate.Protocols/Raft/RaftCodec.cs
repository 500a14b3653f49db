namespace Quorate.Protocols.Raft;

/// <summary>
/// Bytes of Raft's messages, format 1: a byte of format, a byte of kind, then the fields, little-endian. Every count is checked against what can follow; nothing is allocated by an unchecked number. An Append's entries stand in the codec's buffer until the next is decoded: one codec a host, and a message is received in the step that decoded it.
/// An entry is a byte (its kind; the top bit says that its term follows, else it is the one before's), checksum, length, payload.
/// </summary>
public sealed class RaftCodec(int maxEntryBytes = Limits.MaxEntryBytes) : IProtocolCodec
{
    public const byte Format = 1;
    private const byte NewTerm = 0x80;
    private const int LeastEntryBytes = 9;
    private TermedEntry[] _entries = [];
    private int _used;

    private enum Kind : byte { PreVote = 1, PreVoteReply, RequestVote, VoteReply, Append, AppendReply, InstallSnapshot, InstallReply, TimeoutNow, ReadIndex, ReadIndexReply, LossQuestion, LossAnswer }

    public EntryRead Encode(ProtocolMessage message, IEntrySource entries, ByteWriter into)
    {
        into.Byte(Format);
        switch (message)
        {
            case PreVote m: WriteAsk(into, Kind.PreVote, m.NextTerm, m.LastIndex, m.LastTerm, false); return EntryRead.Here;
            case PreVoteReply m: WriteVerdict(into, Kind.PreVoteReply, m.Term, m.Granted); return EntryRead.Here;
            case RequestVote m: WriteAsk(into, Kind.RequestVote, m.Term, m.LastIndex, m.LastTerm, m.Transfer); return EntryRead.Here;
            case VoteReply m: WriteVerdict(into, Kind.VoteReply, m.Term, m.Granted); return EntryRead.Here;
            case Append m: return WriteAppend(into, m, entries);
            case AppendReply m: WriteAppendReply(into, m); return EntryRead.Here;
            case InstallSnapshot m: WriteInstall(into, m); return EntryRead.Here;
            case InstallReply m:
                into.Byte((byte)Kind.InstallReply);
                into.UInt64(m.Term);
                into.Int64(m.Match);
                into.UInt64(m.Run);
                into.Int64(m.SentMicros);
                into.Bool(m.TooOld);
                return EntryRead.Here;
            case TimeoutNow m:
                into.Byte((byte)Kind.TimeoutNow);
                into.UInt64(m.Term);
                return EntryRead.Here;
            case ReadIndex m:
                into.Byte((byte)Kind.ReadIndex);
                into.UInt64(m.Run);
                into.Int64(m.Token);
                return EntryRead.Here;
            case ReadIndexReply m:
                into.Byte((byte)Kind.ReadIndexReply);
                into.UInt64(m.Run);
                into.Int64(m.Token);
                into.Int64(m.Index);
                into.Bool(m.Granted);
                return EntryRead.Here;
            case LossQuestion m:
                into.Byte((byte)Kind.LossQuestion);
                into.UInt64(m.Term);
                into.UInt64(m.Run);
                WriteLost(into, m.Entries);
                return EntryRead.Here;
            case LossAnswer m:
                into.Byte((byte)Kind.LossAnswer);
                into.UInt64(m.Term);
                into.UInt64(m.Asked);
                into.UInt64(m.Run);
                WriteLost(into, m.Entries);
                foreach (var word in m.Words) into.Byte((byte)word);
                return EntryRead.Here;
            default: throw new ArgumentException($"{message.GetType().Name} is not one of Raft's messages", nameof(message));
        }
    }

    public ProtocolMessage? Decode(ReadOnlySpan<byte> bytes, PayloadChunks chunks, BodyHandle body)
    {
        var r = new ByteReader(bytes);
        if (r.Byte() != Format) return null;
        ProtocolMessage? message = (Kind)r.Byte() switch
        {
            Kind.PreVote => new PreVote(r.UInt64(), r.Int64(), ReadAskEnd(ref r, out _)),
            Kind.PreVoteReply => new PreVoteReply(r.UInt64(), r.Bool()),
            Kind.RequestVote => new RequestVote(r.UInt64(), r.Int64(), ReadAskEnd(ref r, out bool transfer), transfer),
            Kind.VoteReply => new VoteReply(r.UInt64(), r.Bool()),
            Kind.Append => ReadAppend(ref r, chunks),
            Kind.AppendReply => ReadAppendReply(ref r),
            Kind.InstallSnapshot => ReadInstall(ref r, body),
            Kind.InstallReply => new InstallReply(r.UInt64(), r.Int64(), r.UInt64(), r.Int64(), r.Bool()),
            Kind.TimeoutNow => new TimeoutNow(r.UInt64()),
            Kind.ReadIndex => new ReadIndex(r.UInt64(), r.Int64()),
            Kind.ReadIndexReply => new ReadIndexReply(r.UInt64(), r.Int64(), r.Int64(), r.Bool()),
            Kind.LossQuestion => ReadQuestion(ref r),
            Kind.LossAnswer => ReadLossAnswer(ref r),
            _ => null,
        };
        return r.Ok && r.AtEnd ? message : null;
    }

    private static void WriteAsk(ByteWriter w, Kind kind, ulong term, long lastIndex, ulong lastTerm, bool transfer)
    {
        w.Byte((byte)kind);
        w.UInt64(term);
        w.Int64(lastIndex);
        w.UInt64(lastTerm);
        w.Bool(transfer);
    }

    private static ulong ReadAskEnd(ref ByteReader r, out bool transfer)
    {
        ulong lastTerm = r.UInt64();
        transfer = r.Bool();
        return lastTerm;
    }

    private static void WriteVerdict(ByteWriter w, Kind kind, ulong term, bool granted)
    {
        w.Byte((byte)kind);
        w.UInt64(term);
        w.Bool(granted);
    }

    private static EntryRead WriteAppend(ByteWriter w, Append m, IEntrySource entries)
    {
        w.Byte((byte)Kind.Append);
        w.UInt64(m.Term);
        w.Int64(m.PrevIndex);
        w.UInt64(m.PrevTerm);
        w.Int64(m.Commit);
        w.Int64(m.Round);
        w.Int64(m.ProvenMicros);
        w.UInt64(m.ProvenRun);
        w.Int32(m.Count);
        ulong term = m.PrevTerm;
        for (long i = m.First; i <= m.Last; i++)
        {
            if (entries.Read(i, out var e) is var read and not EntryRead.Here) return read;
            if (e.Term > m.Term || e.Term < term) return EntryRead.Gone; // overwritten since by another leader's: the range is gone
            w.Byte((byte)((byte)e.Kind | (e.Term == term ? 0 : NewTerm)));
            if (e.Term != term) w.UInt64(term = e.Term);
            w.UInt32(e.Checksum);
            w.Sized(e.Payload);
        }
        return EntryRead.Here;
    }

    /// <summary>The buffer of the entries that are decoded; what the message before left behind the new ones is forgotten, or its chunks would live on.</summary>
    private TermedEntry[] Room(int count)
    {
        if (_entries.Length < count) _entries = new TermedEntry[Math.Max(count, _entries.Length * 2)];
        else if (_used > count) Array.Clear(_entries, count, _used - count);
        _used = count;
        return _entries;
    }

    private Append? ReadAppend(ref ByteReader r, PayloadChunks chunks)
    {
        ulong term = r.UInt64();
        long prevIndex = r.Int64();
        ulong prevTerm = r.UInt64();
        long commit = r.Int64(), round = r.Int64(), proven = r.Int64();
        ulong provenRun = r.UInt64();
        int count = r.Count(LeastEntryBytes);
        if (r.Failed || prevIndex < 0 || prevTerm > term) return null;
        var entries = Room(count);
        ulong at = prevTerm;
        for (int i = 0; i < count; i++)
        {
            byte kind = r.Byte();
            if ((kind & NewTerm) != 0)
            {
                ulong next = r.UInt64();
                if (next <= at || next > term) return null;
                at = next;
            }
            uint checksum = r.UInt32();
            var payload = r.Sized();
            var entryKind = (EntryKind)(kind & ~NewTerm);
            if (r.Failed || payload.Length > maxEntryBytes || at == 0 || entryKind is not (EntryKind.Command or EntryKind.TermOpened or EntryKind.Configuration)) return null;
            if (Crc32C.Of(payload) != checksum) return null; // made where it entered the cluster: nothing rotten is passed on
            entries[i] = new TermedEntry(at, new Entry(entryKind, chunks.Copy(payload, checksum)));
        }
        return new Append { Term = term, PrevIndex = prevIndex, PrevTerm = prevTerm, Last = prevIndex + count, Commit = commit, Round = round, ProvenMicros = proven, ProvenRun = provenRun, Entries = entries.AsMemory(0, count) };
    }

    private static void WriteAppendReply(ByteWriter w, AppendReply m)
    {
        w.Byte((byte)Kind.AppendReply);
        w.UInt64(m.Term);
        w.Bool(m.Ok);
        w.Int64(m.Match);
        w.Int64(m.RejectedPrev);
        w.Int64(m.HintIndex);
        w.UInt64(m.HintTerm);
        w.Int64(m.Round);
        w.UInt64(m.Run);
        w.Int64(m.SentMicros);
    }

    private static AppendReply ReadAppendReply(ref ByteReader r) => new()
    {
        Term = r.UInt64(),
        Ok = r.Bool(),
        Match = r.Int64(),
        RejectedPrev = r.Int64(),
        HintIndex = r.Int64(),
        HintTerm = r.UInt64(),
        Round = r.Int64(),
        Run = r.UInt64(),
        SentMicros = r.Int64(),
    };

    private static void WriteInstall(ByteWriter w, InstallSnapshot m)
    {
        w.Byte((byte)Kind.InstallSnapshot);
        w.UInt64(m.Term);
        w.Int64(m.Body.Snapshot.Index);
        w.UInt64(m.Body.Snapshot.Term);
        w.UInt64(m.Body.Snapshot.Digest);
        w.Int64(m.Configuration.Index);
        w.Sized(m.Configuration.Configuration.Encode());
    }

    /// <summary>The body's identity as the leader named it; the token and the length as the receiver's host holds them.</summary>
    private static InstallSnapshot? ReadInstall(ref ByteReader r, BodyHandle body)
    {
        ulong term = r.UInt64();
        var snapshot = new SnapshotIdentity(r.Int64(), r.UInt64(), r.UInt64());
        long index = r.Int64();
        var bytes = r.Sized();
        if (r.Failed || snapshot.Index <= 0 || index < 0 || index > snapshot.Index || snapshot.Term > term || ClusterConfiguration.Decode(bytes) is not { } configuration) return null;
        return new InstallSnapshot(term, new ConfigurationAt(index, configuration), body with { Snapshot = snapshot });
    }

    private static void WriteLost(ByteWriter w, DamagedEntry[] entries)
    {
        w.Int32(entries.Length);
        foreach (var e in entries)
        {
            w.UInt64(e.Term);
            w.Int64(e.Index);
        }
    }

    private static DamagedEntry[]? ReadLost(ref ByteReader r)
    {
        var entries = new DamagedEntry[r.Count(16)];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new DamagedEntry(r.UInt64(), r.Int64());
            if (r.Failed || entries[i].Index <= 0 || (i > 0 && entries[i].Index <= entries[i - 1].Index)) return null;
        }
        return r.Failed || entries.Length is 0 or > Limits.MaxLossEntries ? null : entries;
    }

    private static LossQuestion? ReadQuestion(ref ByteReader r)
    {
        ulong term = r.UInt64(), run = r.UInt64();
        return ReadLost(ref r) is { } entries ? new LossQuestion(term, run, entries) : null;
    }

    private static LossAnswer? ReadLossAnswer(ref ByteReader r)
    {
        ulong term = r.UInt64(), asked = r.UInt64(), run = r.UInt64();
        if (ReadLost(ref r) is not { } entries || asked > term) return null;
        var words = new LossWord[entries.Length];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = (LossWord)r.Byte();
            if (words[i] is not (LossWord.Had or LossWord.NotThisEntry or LossWord.NothingOfItsTerm)) return null;
        }
        return new LossAnswer(term, asked, run, entries, words);
    }
}
