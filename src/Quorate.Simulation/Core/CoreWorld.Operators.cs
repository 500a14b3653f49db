namespace Quorate.Simulation.Core;

/// <summary>Operators: members that leave and come back, directories that are replaced.</summary>
internal sealed partial class CoreWorld
{
    // Somebody loses its vote, or leaves, or a spare comes. The operator of Operate() mends it later.
    public void ChangeMembership()
    {
        if (Leader() is not { } leader) return;
        var configuration = leader.Core.Configuration;
        var node = _nodes[(int)_prng.Below(_nodes.Count)];
        var me = configuration.Find(node.Self);
        ClusterConfiguration next;
        if (me is null) next = configuration.With(new ConfiguredMember(node.Self, node.Alive ? node.Directory : 0, false, "n" + node.Number));
        else if (!me.Voter) next = _prng.Chance(0.5) ? configuration.With(me with { Voter = true }) : configuration.Without(node.Self);
        else if (configuration.VoterCount <= 1) return;
        else next = _prng.Chance(0.5) ? configuration.With(me with { Voter = false }) : configuration.Without(node.Self);
        if (me is null && !node.Alive) return;
        Change(next);
    }

    /// <summary>An operator who does not wait until the new leader's term is open (Ongaro 2015).</summary>
    public void OnNewLeader()
    {
        if (Plan.Membership > 0 && !_faults.Healed && _prng.Chance(0.5)) Schedule.After(1 + _prng.Below(300), ChangeMembership);
    }

    // Whoever thinks that it leads is asked, a deposed leader too.
    private void Change(ClusterConfiguration next)
    {
        foreach (var node in _nodes)
            if (node.Alive && node.Standing.Role == Role.Leader)
            {
                if (Trace.Verbose) Say(node, $"is asked for [{next}]");
                node.Ask(new CoreRequest { Kind = RequestKind.Configuration, Configuration = next });
            }
    }

    public void Operate()
    {
        Schedule.After(30_000 + _prng.Below(100_000), () =>
        {
            if (Loaded) Mend();
            Operate();
        });
    }

    private void Mend()
    {
        if (Leader() is not { } leader) return;
        var configuration = leader.Core.Configuration;
        foreach (var node in _nodes)
        {
            if (!node.Alive) continue;
            var me = configuration.Find(node.Self);
            if (me is null && node.Number <= Plan.Members && _prng.Chance(_faults.Healed ? 1 : 0.2))
            {
                Change(configuration.With(new ConfiguredMember(node.Self, node.Directory, false, "n" + node.Number)));
                return;
            }
            if (me is not null && me.Directory != node.Directory)
            {
                Change(configuration.With(me with { Directory = node.Directory, Voter = false }));
                return;
            }
            if (me is { Voter: false } && node.Number <= Plan.Members && _prng.Chance(_faults.Healed ? 1 : 0.3))
            {
                Change(configuration.With(me with { Voter = true }));
                return;
            }
        }
    }
}
