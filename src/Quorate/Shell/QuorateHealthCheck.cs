using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Quorate.Shell;

/// <summary>live: the strand turns. ready: in a quorum and caught up; a follower is healthy. Reads fields, never asks the cluster.</summary>
internal sealed class QuorateHealthCheck(QuorateMember member, bool ready) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        !member.IsLive ? HealthCheckResult.Unhealthy("the strand does not turn")
        : ready && !member.IsServing ? HealthCheckResult.Unhealthy("not in a quorum, or not caught up")
        : HealthCheckResult.Healthy());
}
