namespace Quorate.Runtime.Sessions;

/// <summary>
/// A cut-off member hangs up (sessions.md §6.2): it serves while a quorum-confirmed leader was heard within ServeWithoutLeader, counted from when this member sent what the proof echoes,
/// and while it has applied up to the commit that some proof not older than MaxApplyLag named.
/// </summary>
public sealed partial class SessionHost
{
    private const int ProofSamples = 16;
    private readonly (long At, long Commit)[] _proofs = new (long, long)[ProofSamples];
    private int _proofCount;
    private bool _caughtUpOnce;

    public bool Serving { get; private set; }

    /// <summary>A snapshot is being installed: nothing is served until it is done (sessions.md §6.3).</summary>
    private bool _installing;

    private void UpdateServing()
    {
        SampleProof();
        bool serves = !_installing && MayServe();
        if (serves == Serving) return;
        Serving = serves;
        if (serves)
        {
            _notes.Note(1, $"serving clients: term {_standing.Term}, leader {_standing.Leader}, applied {AppliedIndex}");
            return;
        }
        _notes.Note(2, $"not serving: {WhyNot()}");
        HangUpAll("this member does not serve");
    }

    private bool MayServe()
    {
#if MUTANTS
        if (Mutants.On(Mutant.ServeForever)) return _caughtUpOnce || AppliedRecently();
#endif
#if MUTANTS
        if (Mutants.On(Mutant.ServedWithoutBeingNamed)) return Now.Micros < _standing.MayServeUntilMicros && AppliedRecently();
#endif
        return Now.Micros < _standing.MayServeUntilMicros && Configuration.Names(Self, _origin.Directory) && AppliedRecently();
    }

    private string WhyNot() =>
        !Configuration.Names(Self, _origin.Directory) ? "the applied configuration does not name this directory"
        : Now.Micros >= _standing.MayServeUntilMicros ? "no leader confirmed by a quorum was heard"
        : _installing ? "a snapshot is being installed"
        : "apply lags behind what was proven committed";

    /// <summary>Keeps the commits that proofs named, one for each sixteenth of MaxApplyLag.</summary>
    private void SampleProof()
    {
        if (Now.Micros >= _standing.MayServeUntilMicros) return;
        if (_proofCount > 0 && Now.Micros - _proofs[_proofCount - 1].At < _options.MaxApplyLagMicros / ProofSamples) return;
        if (_proofCount == ProofSamples)
        {
            Array.Copy(_proofs, 1, _proofs, 0, ProofSamples - 1);
            _proofCount--;
        }
        _proofs[_proofCount++] = (Now.Micros, _standing.ProvenCommit);
    }

    private bool AppliedRecently()
    {
        if (!_caughtUpOnce)
        {
            _caughtUpOnce = _proofCount > 0 && AppliedIndex >= _standing.ProvenCommit && Table.OpenedTerm > 0;
            return _caughtUpOnce;
        }
#if MUTANTS
        if (Mutants.On(Mutant.ApplyLagIgnored)) return true;
#endif
        for (int i = 0; i < _proofCount; i++)
            if (Now.Micros - _proofs[i].At <= _options.MaxApplyLagMicros && AppliedIndex >= _proofs[i].Commit) return true;
        return AppliedIndex >= _standing.ProvenCommit;
    }

    /// <summary>Closes every client connection before the state is replaced: no snapshot holds their answers or events (sessions.md §6.3).</summary>
    public void BeginInstall()
    {
#if MUTANTS
        if (Mutants.On(Mutant.InstallWithConnectionsOpen)) return;
#endif
        _installing = true;
        UpdateServing();
        HangUpAll("a snapshot is being installed");
    }

    /// <summary>The state is the snapshot's now; the stream goes on from its last n.</summary>
    public void EndInstall(in SnapshotIdentity snapshot, ConfigurationAt configuration)
    {
        AppliedIndex = snapshot.Index;
        AppliedTerm = snapshot.Term;
        Configuration = configuration.Configuration;
        ConfigurationIndex = configuration.Index;
        var position = Table.PositionOf(Self.Value);
        long covered = position.Directory == _origin.Directory && position.Run == _origin.Run ? position.Number : 0;
        while (_window.Count > 0 && _window.FirstNumber <= covered) _window.RemoveFirst();
        if (_window.Count == 0 && _window.FirstNumber <= covered) _window.Reset(covered + 1);
        _installing = false;
    }

    /// <summary>The member stops: every client is hung up, nothing more is served.</summary>
    public void Stop()
    {
        _installing = true;
        Serving = false;
        HangUpAll("this member stops");
    }
}
