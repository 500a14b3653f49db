using System.Globalization;
using Quorate.Doors;
using Quorate.Primitives.Tree;
using Quorate.Protocols.Raft;
using Quorate.Runtime;
using Quorate.Runtime.Membership;
using Quorate.Runtime.Sessions;
using Quorate.Storage;
using Quorate.Storage.Doors;
using Quorate.Transport.Doors;
using Quorate.ZooKeeper;
using Microsoft.Extensions.Logging;

namespace Quorate.Shell;

/// <summary>
/// A member in this process: opens the five doors, gives it a strand, and is the only way to it for everybody else: a question is posted to the strand and answered inside a turn (DESIGN §2).
/// Two of them in one process do not know of each other.
/// </summary>
public sealed class QuorateMember : IAsyncDisposable
{
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(1);
    private readonly QuorateOptions _options;
    private readonly ILogger _logger;
    private readonly NotesRing _notes = new();
    private readonly TurnClock _clock = new();
    private readonly TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SocketNetwork? _network;
    private FileDisk? _disk;
    private Member? _member;
    private MemberFaces? _faces;
    private DataTree? _tree;
    private MemberTurn? _turn;
    private Strand? _strand;
    private Timer? _watch;
    private Task _telling = Task.CompletedTask;
    private long _began;

    public QuorateMember(QuorateOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
    }

    /// <summary>Completes when clients are served for the first time.</summary>
    public Task Serving => _serving.Task;

    /// <summary>Completes when the member has stopped; with what stopped it, or null when it was asked to.</summary>
    public Task<Exception?> Ended => _ended.Task;

    public QuorateOptions Options => _options;

    /// <summary>HOST:PORT where operators may ask this member over HTTP; the other members are told. Set it before <see cref="Start"/>; empty: nowhere.</summary>
    public string Http { get; set; } = "";

    /// <summary>HOST:PORT of the client port as bound.</summary>
    public string ZooKeeper => _member?.ClientAddress ?? "";

    internal MemberFigures Figures => _turn?.Figures ?? MemberFigures.None;

    /// <summary>The strand has turned within so long: it is alive (a watcher asks it to every second).</summary>
    public bool IsLive => !_ended.Task.IsCompleted && _turn is { Ended: false } turn && BootClock.Micros() - turn.Figures.AtMicros < 10_000_000;

    /// <summary>In a quorum, and caught up.</summary>
    public bool IsServing => !_ended.Task.IsCompleted && Figures.Serving;

    /// <summary>Who leads; 0 when that is not known here.</summary>
    public int Leader => Figures.Leader;

    /// <summary>Opens everything and begins. Throws <see cref="QuorateConfigurationException"/> with one clear line; then nothing is left open.</summary>
    public void Start()
    {
        if (_options.Check() is { } wrong) throw new QuorateConfigurationException(wrong);
        var members = _options.ParseMembers();
        string? peer = _options.Members.Length == 0 && _options.Peer.Length == 0 ? null : _options.Peer.Length > 0 ? _options.Peer : members.First(m => m.Id == _options.Id).Address;
        Refuse("zookeeper", _options.ZooKeeper);
        if (peer is not null) Refuse("peer", peer);
        _began = BootClock.Micros();
        try
        {
            Open(members, peer);
        }
        catch (Exception error) when (error is StorageRefusal or DiskException or NetworkException)
        {
            Release();
            throw new QuorateConfigurationException(OneLine(error.Message), error);
        }
        catch
        {
            Release();
            throw;
        }
        _telling = Task.Run(TellAsync);
        _strand!.Start();
        _watch = new Timer(_ => _strand.Post(static () => { }), null, s_watch, s_watch);
    }

    /// <summary>Asks the member something; the answer is made inside a turn of the strand.</summary>
    internal async Task<T> AskAsync<T>(Func<Member, T> question, CancellationToken cancellationToken = default)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(member => answer.SetResult(question(member)), answer.SetException);
        return await AnswerAsync(answer.Task, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The member's own view.</summary>
    public Task<MemberStatus> StatusAsync(CancellationToken cancellationToken = default) => AskAsync(Describe, cancellationToken);

    /// <summary>Adds a learner at HOST:PORT of its mesh; it votes after <see cref="PromoteAsync"/>.</summary>
    public Task AddAsync(byte id, string address, CancellationToken cancellationToken = default) => ChangeAsync(MembershipChange.Add, id, address, cancellationToken);

    public Task RemoveAsync(byte id, CancellationToken cancellationToken = default) => ChangeAsync(MembershipChange.Remove, id, "", cancellationToken);

    /// <summary>Gives a learner that has caught up its vote.</summary>
    public Task PromoteAsync(byte id, CancellationToken cancellationToken = default) => ChangeAsync(MembershipChange.Promote, id, "", cancellationToken);

    /// <summary>Hands leadership to a member, or to the best one when none is named (0).</summary>
    public async Task TransferAsync(byte to, CancellationToken cancellationToken = default)
    {
        var answer = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(member =>
        {
            if (member.Host is null || member.Standing.Role != Kernel.Role.Leader) answer.SetResult("this member does not lead");
            else member.Host.Ask(ProposalKind.Transfer, null, new ReplicaId(to), (kind, reason) => answer.TrySetResult(kind == AnswerKind.Done ? null : reason ?? "the outcome is " + kind));
        }, answer.SetException);
        if (await AnswerAsync(answer.Task, cancellationToken).ConfigureAwait(false) is { } wrong) throw new QuorateException(wrong);
    }

    /// <summary>Accepts that these damaged entries of this very member are lost, and with them everything of its log above the lowest (storage.md §2.4).</summary>
    public async Task AcceptLossAsync(long[] indexes, CancellationToken cancellationToken = default)
    {
        var answer = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(member =>
        {
            if (member.Host is null) answer.SetResult("nothing is damaged at this member");
            else member.Host.AcceptLoss(BootClock.Now(), indexes, (kind, reason) => answer.TrySetResult(kind == AnswerKind.Done ? null : reason ?? "the outcome is " + kind));
        }, answer.SetException);
        if (await AnswerAsync(answer.Task, cancellationToken).ConfigureAwait(false) is { } wrong) throw new QuorateException(wrong);
    }

    /// <summary>Hands leadership over, flushes, ends. Safe to call again.</summary>
    public async Task StopAsync()
    {
        if (_strand is null)
        {
            _ended.TrySetResult(null);
            return;
        }
        if (_turn is { Ended: false } turn) _strand.Post(turn.Retire);
        await _ended.Task.ConfigureAwait(false);
        await _telling.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        if (_watch is not null) await _watch.DisposeAsync().ConfigureAwait(false);
    }

    private void Open(IReadOnlyList<(byte Id, string Address)> members, string? peer)
    {
        var self = new ReplicaId((byte)_options.Id);
        var face = new FaceOptions
        {
            TickTimeMillis = _options.TickTime, MinSessionTimeoutMillis = _options.MinSessionTimeout, MaxSessionTimeoutMillis = _options.MaxSessionTimeout, MaxClientCnxns = _options.MaxClientCnxns,
            SuperDigest = _options.SuperDigest, ExtendedTypesEnabled = _options.ExtendedTypesEnabled, FourLetterWords = _options.FourLetterWords, MaxRequestBytes = _options.JuteMaxBuffer,
            ClientAddress = _options.ZooKeeper, DataDirectory = Path.GetFullPath(_options.Data),
        };
        // sessions.md §6.2: always under half the smallest session time-out.
        long serve = Math.Min(Limits.ServeWithoutLeaderMicros, (face.Negotiate(0) * Instant.MicrosPerMilli / 2) - 1000);
        _network = SocketNetwork.ForThisPlatform(_notes);
        _disk = new FileDisk(_network.Bell.Ring);
        _tree = new DataTree(new TreeOptions { ExtendedTypes = _options.ExtendedTypesEnabled });
        _faces = new MemberFaces(face, _tree, _notes, _clock);
        _member = new Member(new MemberOptions
        {
            Self = self, Members = [.. members.Select(m => (new ReplicaId(m.Id), m.Address))], PeerAddress = peer, ClientAddress = _options.ZooKeeper, HttpAddress = Http, FormWithQuorum = _options.FormWithQuorum,
            Storage = new StorageOptions
            {
                DataDirectory = Path.GetFullPath(_options.Data), Self = self, Level = Enum.Parse<StorageLevel>(_options.Storage, ignoreCase: true), SegmentBytes = _options.SegmentBytes,
                SnapshotDueBytes = _options.SnapshotDueBytes, MayBeginAnew = Runtime.Membership.Membership.OthersAreAQuorum, IsAlone = Runtime.Membership.Membership.IsAlone,
            },
            Raft = new RaftOptions { ServeWithoutLeaderMicros = serve },
            Sessions = new SessionOptions
            {
                ServeWithoutLeaderMicros = serve, SweepMicros = _options.ContainerCheckIntervalMs * Instant.MicrosPerMilli,
                // What a minute may take, for one look; never none, or a short interval would remove nothing at all.
                SweepCount = (int)Math.Clamp((long)_options.ContainerMaxPerMinute * _options.ContainerCheckIntervalMs / 60_000, 1, int.MaxValue),
            },
        }, _disk, _network, new SystemSeed(), _notes, _faces);
        _turn = new MemberTurn(_member, _clock, () => _faces.Face, _tree) { Disk = _disk, Served = _serving.SetResult };
        _strand = new Strand(_network, _turn, _notes, "quorate-" + _options.Id.ToString(CultureInfo.InvariantCulture)) { Ended = OnEnded };
        _turn.Strand = _strand;
        _member.Start(BootClock.Now());
    }

    /// <summary>On the strand's thread, its last act.</summary>
    private void OnEnded(Exception? failure)
    {
        if (failure is not null) _member!.Dispose();
        _disk!.Dispose();
        _notes.End();
        _ended.TrySetResult(failure ?? _turn!.Failed);
    }

    private void Release()
    {
        _member?.Dispose();
        _disk?.Dispose();
        _network?.Dispose();
        _strand = null;
        _notes.End();
    }

    private async Task ChangeAsync(MembershipChange change, byte id, string address, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(member => member.Membership.Change(change, new ReplicaId(id), address, wrong => answer.TrySetResult(wrong)), answer.SetException);
        if (await AnswerAsync(answer.Task, cancellationToken).ConfigureAwait(false) is { } reason) throw new QuorateException(reason);
    }

    private void Post(Action<Member> question, Action<Exception> failed)
    {
        if (_strand is null || _turn is null) throw new QuorateException("the member does not run");
        var (strand, turn, member) = (_strand, _turn, _member!);
        strand.Post(() =>
        {
            if (turn.Ended) failed(new QuorateException("the member has stopped"));
            else question(member);
        });
    }

    private async Task<T> AnswerAsync<T>(Task<T> answer, CancellationToken cancellationToken)
    {
        var patience = TimeSpan.FromSeconds(10);
        if (await Task.WhenAny(answer, _ended.Task, Task.Delay(patience, cancellationToken)).ConfigureAwait(false) == answer) return await answer.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        throw new QuorateException(_ended.Task.IsCompleted ? "the member has stopped" : string.Create(CultureInfo.InvariantCulture, $"no answer within {patience.TotalSeconds} s; it may happen yet"));
    }

    private MemberStatus Describe(Member member)
    {
        var (sessions, standing, identity) = (member.Sessions, member.Standing, member.Store.Identity);
        bool leads = standing.Role == Kernel.Role.Leader;
        return new MemberStatus
        {
            Id = _options.Id,
            Role = !member.Formed ? "forming" : sessions.Alone ? "standalone" : standing.Role is Kernel.Role.PreCandidate ? "candidate" : standing.Role.ToString().ToLowerInvariant(),
            Serving = member.Formed && sessions.Serving, Term = standing.Term, Leader = standing.Leader.Value, Commit = standing.Commit, Applied = sessions.AppliedIndex,
            Zxid = "0x" + sessions.LastZxid.ToString("x", CultureInfo.InvariantCulture), Sessions = sessions.SessionCount, Connections = _faces!.Face.ConnectionCount, Watches = _faces.Face.WatchCount,
            Nodes = _tree!.NodeCount, DataBytes = _tree.DataBytes, Storage = _options.Storage, LowSpace = member.Formed && !sessions.HasRoom,
            Damaged = standing.Marked, DamagedHighest = standing.MarkedHighest,
            Cluster = identity.ClusterId.ToString("x16", CultureInfo.InvariantCulture), Directory = identity.Directory.ToString("x16", CultureInfo.InvariantCulture), Run = identity.Run,
            ZooKeeper = member.ClientAddress, Peer = member.PeerAddress, UptimeSeconds = Math.Round((BootClock.Micros() - _began) / 1e6, 1), Version = QuorateVersion.Text,
            Members =
            [
                .. (member.Formed ? sessions.Configuration.Members : [.. member.Options.Members.Select(m => new ConfiguredMember(m.Id, 0, true, m.Address))]).Select(m => new MemberView(
                    m.Id.Value, m.Address, m.Voter, m.Id == member.Options.Self || member.Mesh.IsUp(m.Id),
                    m.Id == member.Options.Self ? sessions.AppliedIndex : leads ? sessions.ReportOf(m.Id).Applied : null, HttpOf(member, m.Id))),
            ],
        };
    }

    private string HttpOf(Member member, ReplicaId id) => id == member.Options.Self ? Http : member.Mesh.HttpOf(id);

    private async Task TellAsync()
    {
        await foreach (var note in _notes.Reader.ReadAllAsync().ConfigureAwait(false))
            NoteLog.Write(_logger, note.Level switch { 0 => LogLevel.Debug, 1 => LogLevel.Information, 2 => LogLevel.Warning, _ => LogLevel.Error }, note.Text);
        if (_notes.Dropped > 0) NoteLog.Write(_logger, LogLevel.Warning, string.Create(CultureInfo.InvariantCulture, $"{_notes.Dropped} notes were dropped"));
    }

    private static void Refuse(string setting, string address)
    {
        if (Listening.Refusal(setting, Address.Parse(address, out _)!.Value) is { } reason) throw new QuorateConfigurationException(reason);
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
