using Quorate.Transport.Doors;

namespace Quorate.Transport.Tests.Doors;

/// <summary>The mesh over real sockets, both networks mixed.</summary>
[Collection("doors")]
public sealed class MeshOnSocketsTests
{
    private sealed class Member : IMeshHandler, IPumped, IBulkSource
    {
        public Member(byte id, string kind)
        {
            Network = kind == "epoll" ? new EpollNetwork(Notes) : new ManagedNetwork(Notes);
            Mesh = new Mesh(Network, Notes, new MeshIdentity(new ReplicaId(id), 100UL + id, 1, 5), this);
            Address = Mesh.Listen("127.0.0.1:0");
            Strand = new Strand(Network, this, Notes);
        }

        public Notes Notes { get; } = new();
        public SocketNetwork Network { get; }
        public Mesh Mesh { get; }
        public Strand Strand { get; }
        public string Address { get; }
        public long Beats;
        public long BodyBytes;
        public bool? Whole, Delivered;

        public void BeginTurn(Instant now) { }

        public long Pump(Instant now)
        {
            for (byte to = 1; to <= 3; to++)
            {
                var body = Mesh.Begin(new ReplicaId(to), FrameKind.Protocol);
                if (body == null) continue;
                body.Int64(now.Micros);
                Mesh.End(new ReplicaId(to));
            }
            Network.FlushPeers();
            Mesh.Pump(now);
            return Math.Min(Mesh.NextWake, now.Micros + 5_000);
        }

        public void OnLinkUp(ReplicaId peer, ulong directory, ulong run, long link) { }
        public void OnLinkDown(ReplicaId peer) { }
        public void OnFrame(Sender from, FrameKind kind, ReadOnlySpan<byte> body) => Interlocked.Increment(ref Beats);
        public void OnBulkBegin(Sender from, ReadOnlySpan<byte> header, long length) { }
        public void OnBulkBytes(Sender from, ReadOnlySpan<byte> bytes) => BodyBytes += bytes.Length;
        public void OnBulkEnd(Sender from, bool whole) => Whole = whole;
        public void OnRefused(ReplicaId peer, string reason) { }
        public ReadOnlySpan<byte> Header => "body"u8;
        public long Length => 100_000_000;
        public int Read(long offset, Span<byte> into) => into.Length;
        public void Done(bool delivered) => Delivered = delivered;
    }

    [Fact]
    public void Three_members_beat_and_stream_a_body()
    {
        string fast = OperatingSystem.IsLinux() ? "epoll" : "managed";
        var members = new[] { new Member(1, fast), new Member(2, fast), new Member(3, "managed") };
        foreach (var member in members) member.Mesh.SetPeers([.. members.Select(other => (other.Mesh.Identity.Self, other.Address))]);
        foreach (var member in members) member.Strand.Start();
        Stage.Until(() => members.All(member => Interlocked.Read(ref member.Beats) > 100), "beats");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        members[0].Strand.Post(() => members[0].Mesh.QueueBulk(new ReplicaId(2), members[0]));
        members[1].Strand.Post(() => members[1].Mesh.QueueBulk(new ReplicaId(3), members[1]));
        Stage.Until(() => members[0].Delivered == true && members[1].Delivered == true, "both bodies");
        Assert.Equal(100_000_000, members[1].BodyBytes);
        Assert.True(members[2].Whole);
        foreach (var member in members) member.Strand.Dispose();
        foreach (var member in members)
        {
            Assert.Null(member.Strand.Failure);
            Assert.DoesNotContain(member.Notes.Texts, text => !text.StartsWith("a turn took", StringComparison.Ordinal));
        }
        Console.WriteLine($"2 bodies of 100 MB in {clock.ElapsedMilliseconds} ms");
    }
}
