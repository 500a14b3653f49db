using Quorate.Runtime.Sessions;
using Quorate.Transport;

namespace Quorate.Runtime.Tests.Harness;

/// <summary>One member of a <see cref="SessionStage"/>.</summary>
public sealed class SessionNode : IResident, IMeshHandler, INotes, ISeed
{
    private readonly SessionStage _stage;
    private readonly List<(long Proposal, long At)> _reads = [];
    private byte _chance;

    public SessionNode(SessionStage stage, byte id, ulong run, SessionOptions options)
    {
        _stage = stage;
        Id = new ReplicaId(id);
        Directory = 100 + (ulong)id;
        Run = run;
        Door = stage.Street.Open($"m{id}:1", this);
        Mesh = new Mesh(Door, this, new MeshIdentity(Id, Directory, run, 7, 1, $"m{id}:1"), this);
        Mesh.Listen($"m{id}:1");
        Sessions = new SessionHost(Id, Directory, run, options, Machine, Mesh, this, this);
        Sessions.Begin(stage.Configuration);
    }

    public ReplicaId Id { get; }
    public ulong Directory { get; }
    public ulong Run { get; }
    public Door Door { get; }
    public Mesh Mesh { get; }
    public ListMachine Machine { get; } = new();
    public SessionHost Sessions { get; }
    public List<string> Notes { get; } = [];

    /// <summary>It hears the stage's leader.</summary>
    public bool Follows { get; set; } = true;

    /// <summary>Nothing above is applied here.</summary>
    public long HeldAt { get; set; } = long.MaxValue;

    /// <summary>Micros of its permission; null: as long as it follows.</summary>
    public long? MayServeUntil { get; set; }

    /// <summary>Frames of the session layer that it received and loses: what a full queue at the leader does.</summary>
    public Func<SessionFrame, bool>? Loses { get; set; }

    public Dictionary<SessionFrame, int> Received { get; } = [];

    private ulong _term;
    private ReplicaId _leader;

    private Standing Standing
    {
        get
        {
            bool leads = _stage.Leader == this && Follows;
            if (Follows) (_term, _leader) = (_stage.Term, _stage.Leader?.Id ?? default);
            else if (leads) _leader = default;
            long serve = MayServeUntil ?? (Follows && _stage.Leader is not null ? _stage.Street.Micros + 600_000 : 0);
            return new Standing(leads ? Role.Leader : Role.Follower, _term, _leader, leads ? _stage.MayPropose : 0, serve, _stage.Last, _stage.Last, _stage.LastConfiguration);
        }
    }

    /// <summary>Whoever was asked for a read index took the questions along.</summary>
    public void ForgetReads() => _reads.Clear();

    public void DialAll() => Mesh.SetPeers([.. _stage.Nodes.Where(n => n != this).Select(n => (n.Id, n.Door.Address))]);

    public void BeginTurn(Instant now) => Sessions.BeginTurn(now, Standing);

    public void Pump(Instant now)
    {
        Sessions.BeginTurn(now, Standing);
        Act();
        Sessions.EndTurn();
        Act();
        Mesh.Pump(now);
    }

    public void OnFrame(Sender from, FrameKind kind, ReadOnlySpan<byte> body)
    {
        var frame = (SessionFrame)body[0];
        if (Loses?.Invoke(frame) == true) return;
        Received[frame] = Received.GetValueOrDefault(frame) + 1;
        Sessions.NoteStanding(Standing);
        Sessions.OnFrame(from, body);
    }

    /// <summary>A snapshot of another's state is installed here, as the replica host does it.</summary>
    public void InstallFrom(SessionNode other)
    {
        var table = new ByteWriter();
        other.Sessions.Table.WriteTo(table);
        Sessions.BeginInstall();
        Assert.True(Sessions.Table.ReadFrom(table.Written));
        Machine.Written.Clear();
        Machine.Written.AddRange(other.Machine.Written);
        Sessions.EndInstall(new SnapshotIdentity(other.Sessions.AppliedIndex, other.Sessions.AppliedTerm, 0), new ConfigurationAt(other.Sessions.ConfigurationIndex, other.Sessions.Configuration));
    }

    public void OnLinkUp(ReplicaId peer, ulong directory, ulong run, long link) => Sessions.OnLink(peer);
    public void OnLinkDown(ReplicaId peer) => Sessions.OnLink(peer);
    public void OnBulkBegin(Sender from, ReadOnlySpan<byte> header, long length) { }
    public void OnBulkBytes(Sender from, ReadOnlySpan<byte> bytes) { }
    public void OnBulkEnd(Sender from, bool whole) { }
    public void OnRefused(ReplicaId peer, string reason) => Notes.Add(reason);
    public void Note(int level, string text) => Notes.Add(text);

    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)(++_chance * 37 + Id.Value);
    }

    private void Act()
    {
        Sessions.NoteStanding(Standing);
        Sessions.TakeNumbers();
        foreach (var p in Sessions.Proposals)
        {
            if (p.Kind == ProposalKind.Read) _reads.Add((p.Id, _stage.Street.Micros + _stage.RoundMicros));
            else _stage.Append(EntryKind.Command, p.Payload.Span.ToArray());
        }
        Sessions.Proposals.Clear();
        Apply();
        foreach (var read in _reads.ToArray())
        {
            if (read.At > _stage.Street.Micros || !Follows) continue;
            _reads.Remove(read);
            Sessions.OnReadAnswer(read.Proposal, AnswerKind.ReadAt, _stage.Last);
        }
    }

    private void Apply()
    {
        long to = Follows ? Math.Min(HeldAt, _stage.Last) : Sessions.AppliedIndex;
        if (Sessions.AppliedIndex >= to) return;
        while (Sessions.AppliedIndex < to) Sessions.Apply(_stage.Entry(Sessions.AppliedIndex + 1));
        Sessions.EndApply();
    }
}
