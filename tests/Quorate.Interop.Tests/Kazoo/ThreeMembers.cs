using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.Kazoo;

/// <summary>Three members for the foreign clients: started when the first test asks, ended by process id with the last.</summary>
public sealed class ThreeMembers : IDisposable
{
    private readonly Lazy<Ensemble> _ensemble = new(() => Ensemble.OfThisRun(3));

    internal Ensemble Ensemble => _ensemble.Value;

    public void Dispose()
    {
        if (_ensemble.IsValueCreated) _ensemble.Value.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class ForeignClients : ICollectionFixture<ThreeMembers>
{
    public const string Name = "foreign clients at three members";
}
