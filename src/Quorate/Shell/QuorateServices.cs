using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Quorate.Shell;

/// <summary>services.AddQuorate(o => ...): a member in the application's own process.</summary>
public static class QuorateServices
{
    /// <summary>Adds a member that starts and stops with the host. Calling it again only configures further.</summary>
    public static IServiceCollection AddQuorate(this IServiceCollection services, Action<QuorateOptions> configure)
    {
        services.AddOptions<QuorateOptions>().Configure(configure).ValidateOnStart();
        services.AddMetrics();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QuorateOptions>, QuorateOptionsCheck>());
        services.TryAddSingleton(provider => new QuorateMember(provider.GetRequiredService<IOptions<QuorateOptions>>().Value, provider.GetRequiredService<ILogger<QuorateMember>>()));
        services.TryAddSingleton(provider => new QuorateMetrics(provider.GetRequiredService<QuorateMember>(), provider.GetService<IMeterFactory>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HostedMember>());
        return services;
    }

    /// <summary>The same from a section whose keys are the settings' names (<see cref="Settings"/>); an unknown key is an error.</summary>
    public static IServiceCollection AddQuorate(this IServiceCollection services, IConfiguration section) => services.AddQuorate(options =>
    {
        foreach (var (key, value) in section.AsEnumerable(makePathsRelative: true))
        {
            if (value is null) continue;
            string name = key.Replace(':', '.');
            var setting = Settings.Find(name) ?? throw new QuorateConfigurationException($"there is no setting '{name}'");
            if (setting.Put(options, value) is { } reason) throw new QuorateConfigurationException($"{name}: '{value}' {reason}");
        }
    });

    /// <summary>Checks with the tags live and ready.</summary>
    public static IHealthChecksBuilder AddQuorate(this IHealthChecksBuilder builder) => builder
        .Add(new HealthCheckRegistration("quorate-live", p => new QuorateHealthCheck(p.GetRequiredService<QuorateMember>(), ready: false), null, ["live"]))
        .Add(new HealthCheckRegistration("quorate-ready", p => new QuorateHealthCheck(p.GetRequiredService<QuorateMember>(), ready: true), null, ["ready"]));
}
