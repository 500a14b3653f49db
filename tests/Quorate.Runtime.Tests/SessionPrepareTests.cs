using Quorate.Runtime.Faces;
using Quorate.Runtime.Sessions;

namespace Quorate.Runtime.Tests;

/// <summary>sessions.md §2 and §4.2: every number becomes exactly one entry that counts, judged over the applied table and what is pending.</summary>
public class SessionPrepareTests
{
    private const ulong Directory = 77, Run = 3;
    private static readonly ClusterConfiguration s_members = new([new ConfiguredMember(new ReplicaId(1), Directory, true, "a:1")]);
    private readonly SessionTable _table = new();
    private readonly EchoMachine _machine = new();
    private readonly SessionPrepare _prepare;

    public SessionPrepareTests()
    {
        _prepare = new SessionPrepare(_table, _machine, 4096);
        _table.OpenTerm(5, true);
        _prepare.Open(5);
    }

    [Fact]
    public void A_number_counts_only_as_the_next_of_the_newest_run_of_the_named_directory()
    {
        Assert.True(_prepare.Counts(1, At(1), s_members));
        Assert.False(_prepare.Counts(1, At(2), s_members));
        Assert.False(_prepare.Counts(1, At(1) with { Directory = 78 }, s_members));
        Assert.False(_prepare.Counts(2, At(1), s_members));
        Take(CommandKind.Empty, 1, 0, 1);
        Assert.False(_prepare.Counts(1, At(1), s_members));
        Assert.True(_prepare.Counts(1, At(2), s_members));
        Assert.True(_prepare.Counts(1, At(1) with { Run = Run + 1 }, s_members));
        Assert.False(_prepare.Counts(1, At(2) with { Run = Run + 1 }, s_members));
        Assert.False(_prepare.Counts(1, At(1) with { Run = Run - 1 }, s_members));
    }

    [Fact]
    public void A_position_lives_on_in_the_table_and_is_where_the_next_leadership_begins()
    {
        _table.Advance(1, At(7));
        _prepare.Open(6);
        Assert.True(_prepare.Counts(1, At(8), s_members));
        Assert.False(_prepare.Counts(1, At(7), s_members));
    }

    [Fact]
    public void A_write_of_an_attachment_that_a_pending_attach_replaced_says_close_this_connection()
    {
        var session = _table.Add(1, 4000, 9, new Attachment(1, Run, 10));
        Assert.Equal(CommandKind.Write, Take(CommandKind.Write, 1, session.Id, 10));
        Assert.Equal(CommandKind.Attach, Take(CommandKind.Attach, 2, session.Id, 11, Handshake(9)));
        Assert.Equal(CommandKind.Stale, Take(CommandKind.Write, 3, session.Id, 10));
        Assert.Equal(CommandKind.Write, Take(CommandKind.Write, 4, session.Id, 11));
    }

    [Fact]
    public void A_closed_session_is_unknown_to_everything_prepared_after_its_close()
    {
        var session = _table.Add(1, 4000, 9, new Attachment(1, Run, 10));
        Assert.Equal(CommandKind.Close, Take(CommandKind.Close, 1, session.Id, 10));
        Assert.Equal([session.Id], _machine.Ended);
        Assert.Equal(CommandKind.Stale, Take(CommandKind.Write, 2, session.Id, 10));
        Assert.Equal(HandshakeVerdict.UnknownSession, TakeAttach(3, session.Id, 9));
        Assert.False(_prepare.PrepareExpire(session, 0, new ByteWriter()));
    }

    [Fact]
    public void An_expire_is_dropped_when_the_session_was_attached_again_pending_attachments_included()
    {
        var session = _table.Add(1, 4000, 9, new Attachment(1, Run, 10));
        Take(CommandKind.Attach, 1, session.Id, 11, Handshake(9));
        Assert.False(_prepare.PrepareExpire(session, 0, new ByteWriter()));
        _prepare.Open(6);
        Assert.True(_prepare.PrepareExpire(session, 0, new ByteWriter()));
        Assert.False(_prepare.PrepareExpire(session, 0, new ByteWriter()));
    }

    [Fact]
    public void A_handshake_with_a_wrong_password_or_of_nobody_is_a_verdict_in_the_log()
    {
        var session = _table.Add(1, 4000, 9, new Attachment(1, Run, 10));
        Assert.Equal(HandshakeVerdict.WrongPassword, TakeAttach(1, session.Id, 8));
        Assert.Equal(HandshakeVerdict.UnknownSession, TakeAttach(2, 123, 9));
        Assert.Equal(HandshakeVerdict.Attached, TakeAttach(3, session.Id, 9));
    }

    [Fact]
    public void Pending_changes_are_released_when_their_transaction_was_applied_and_not_before()
    {
        var session = _table.Add(1, 4000, 9, new Attachment(1, Run, 10));
        Take(CommandKind.Attach, 1, session.Id, 11, Handshake(9));
        Take(CommandKind.Empty, 2, 0, 0);
        _prepare.Applied();                 // the attach is in the state now
        session.Attached = new Attachment(1, Run, 11);
        Assert.Equal(1, _machine.Released);
        Assert.Equal(CommandKind.Write, Take(CommandKind.Write, 3, session.Id, 11));
        Assert.Equal(2, _prepare.InFlight);
    }

    [Fact]
    public void The_table_survives_its_own_bytes()
    {
        for (int i = 0; i < 50; i++) _table.Add((byte)(1 + i % 3), 4000 + i, (UInt128)i << 70, new Attachment(1, Run, i));
        _table.Remove(_table.Sessions[7]);
        _table.Attach(_table.Sessions[11], new Attachment(2, Run, 99), 7000);
        _table.Advance(3, new StreamPosition(5, 6, 7));
        _table.NextZxid();
        _table.Stamp(123456);
        var bytes = new ByteWriter();
        _table.WriteTo(bytes);
        var other = new SessionTable();
        Assert.True(other.ReadFrom(bytes.Written));
        Assert.Equal(_table.Digest, other.Digest);
        var again = new ByteWriter();
        other.WriteTo(again);
        Assert.Equal(bytes.Written.ToArray(), again.Written.ToArray());
        Assert.False(new SessionTable().ReadFrom(bytes.Written[..^1]));
    }

    private static StreamPosition At(long n) => new(Directory, Run, n);

    private static byte[] Handshake(ulong password)
    {
        var w = new ByteWriter();
        w.Int32(4000);
        w.UInt64(password);
        w.UInt64(0);
        return w.Written.ToArray();
    }

    private CommandKind Take(CommandKind kind, long n, long session, long connection, byte[]? body = null) => Entry(kind, n, session, connection, body).Kind;

    private HandshakeVerdict TakeAttach(long n, long session, ulong password) => (HandshakeVerdict)Entry(CommandKind.Attach, n, session, 50 + n, Handshake(password)).Body[0];

    private Command Entry(CommandKind kind, long n, long session, long connection, byte[]? body)
    {
        var w = new ByteWriter();
        _prepare.Prepare(1, At(n), new StreamRequest { Kind = kind, Session = session, Connection = connection, Body = body }, 1000, w);
        return Command.Read(w.Written.ToArray());
    }

    private sealed class EchoMachine : IStateMachine
    {
        public List<long> Ended { get; } = [];
        public long Released { get; private set; }
        public ulong Digest => 0;
        public long EncodedBytes => 0;
        public long RowCount => 0;
        public void Prepare(in PrepareContext context, ReadOnlySpan<byte> request, ByteWriter transaction) => transaction.Bytes(request);
        public void PrepareSessionEnd(long sequence, long session) => Ended.Add(session);
        public void ReleasePending(long sequence) => Released = sequence;
        public void ResetPending() => Released = 0;
        public void Apply(in ApplyContext context, ReadOnlySpan<byte> transaction, IApplySink sink, ByteWriter result) => result.Bytes(transaction);
        public void ApplySessionEnd(in ApplyContext context, long session, IApplySink sink) { }
        public void BeginSnapshot(ByteWriter firstSlice) { }
        public bool WriteSnapshotSlice(int bytes, ByteWriter into) => true;
        public void AbandonSnapshot() { }
        public void BeginRestore() { }
        public bool RestoreSlice(ReadOnlySpan<byte> slice) => true;
        public bool EndRestore() => true;
    }
}
