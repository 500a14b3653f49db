using Microsoft.Extensions.Hosting;

namespace Quorate.Shell;

/// <summary>Starts the member before the application's own services and stops it after them. That the member ends by itself ends the host: what depends on it could not go on.</summary>
internal sealed class HostedMember(QuorateMember member, QuorateMetrics metrics, IHostApplicationLifetime lifetime) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        member.Start();
        member.Ended.ContinueWith(_ => lifetime.StopApplication(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return Task.CompletedTask;
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await member.StopAsync().ConfigureAwait(false);
        metrics.Dispose();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
