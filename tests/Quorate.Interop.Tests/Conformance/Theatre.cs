using System.Collections.Concurrent;
using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>The servers of one kind and what each row gave on them; made when the first row asks.</summary>
/// <remarks>Rows that wait run in the background from the first moment, all at once, on a server of their own.</remarks>
internal sealed class House : IDisposable
{
    private readonly ConcurrentDictionary<string, Task<Transcript>> _done = new();
    private readonly Lazy<Ensemble> _shared, _slow, _quorum;
    private readonly bool _zookeeper;
    private readonly Lock _one = new();

    public House(bool zookeeper)
    {
        _zookeeper = zookeeper;
        _shared = new(() => Ensemble.Start(zookeeper, 1));
        _slow = new(() => Ensemble.Start(zookeeper, 1, new Setting { TickTime = 1000, SweepMs = 1000 }));
        _quorum = new(() => Ensemble.Start(zookeeper, 3));
        foreach (var row in Rows.All.Where(r => r.Venue == Venue.Slow)) _done[row.Id] = Background(() => Run(row, _slow.Value));
        var alone = Rows.All.Where(r => r.Venue == Venue.Own).ToDictionary(r => r.Id, r => new TaskCompletionSource<Transcript>(TaskCreationOptions.RunContinuationsAsynchronously));
        foreach (var (id, t) in alone) _done[id] = t.Task;
        _ = Background(() =>
        {
            foreach (var (id, t) in alone) t.SetResult(RunAlone(Rows.Of(id)));
            return true;
        });
    }

    public Transcript Of(Row row)
    {
        if (row.Venue is Venue.Slow or Venue.Own) return _done[row.Id].GetAwaiter().GetResult();
        lock (_one)
        {
            if (row.Venue is Venue.Shared or Venue.Fresh && !_shared.IsValueCreated)
                foreach (var fresh in Rows.All.Where(r => r.Venue == Venue.Fresh)) _done[fresh.Id] = Task.FromResult(Run(fresh, _shared.Value));
            return _done.GetOrAdd(row.Id, _ => Task.FromResult(Run(row, row.Venue == Venue.Quorum ? _quorum.Value : _shared.Value))).Result;
        }
    }

    public void Dispose()
    {
        foreach (var e in new[] { _shared, _slow, _quorum })
            if (e.IsValueCreated) e.Value.Dispose();
    }

    private static Task<T> Background<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private Transcript RunAlone(Row row)
    {
        using var e = Ensemble.Start(_zookeeper, 1, row.Setting);
        return Run(row, e);
    }

    private static Transcript Run(Row row, Ensemble e)
    {
        Transcript? t = null;
        try
        {
            using var stage = new Stage(row, e);
            t = stage.Transcript;
            row.Script(stage);
        }
        catch (Exception x)
        {
            // A row that could not be played to its end is broken, with the reason; the next row still runs.
            t ??= new Transcript();
            t.Broken.Add("the row ended early: " + x.GetType().Name + ": " + x.Message + (e.Members.All(m => m.Runs) ? "" : "\n" + e.Words()));
        }
        return t;
    }
}

public sealed class Theatre : IDisposable
{
    private readonly Lazy<House> _zookeeper = new(() => new House(true));
    private readonly Lazy<House> _quorate = new(() => new House(false));

    public Theatre()
    {
        // Both at once, so that the rows that wait wait together.
        if (!Mode.ZooKeeperOnly) _ = _quorate.Value;
        if (!Mode.QuorateOnly && Missing.Thing(Needs.ZooKeeper) is null) _ = _zookeeper.Value;
    }

    internal House ZooKeeper => _zookeeper.Value;
    internal House Quorate => _quorate.Value;

    public void Dispose()
    {
        if (_zookeeper.IsValueCreated) _zookeeper.Value.Dispose();
        if (_quorate.IsValueCreated) _quorate.Value.Dispose();
    }
}
