using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quorate.Cli.Bench;
using Quorate.Shell;

namespace Quorate.Cli.Tests;

/// <summary>A member in somebody else's process.</summary>
public class HostingTests
{
    private static IHost Build(Action<QuorateOptions> configure)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddQuorate(configure);
        builder.Services.AddQuorate(_ => { });
        builder.Services.AddHealthChecks().AddQuorate();
        return builder.Build();
    }

    [Fact]
    public async Task A_host_starts_serves_and_stops_a_member()
    {
        using var host = Build(o => (o.Storage, o.ZooKeeper) = ("memory", "127.0.0.1:0"));
        var health = host.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync()).Status);
        await host.StartAsync();
        var member = host.Services.GetRequiredService<QuorateMember>();
        await member.Serving.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);
        using (var client = BenchConnection.Open(Address.Parse(member.ZooKeeper, out _)!.Value)) Assert.Equal(0, client.Create("/in-process", "x"u8).Error);
        Assert.True((await member.StatusAsync()).Serving);
        await host.StopAsync();
        Assert.False(member.IsServing);
        await Assert.ThrowsAsync<QuorateException>(() => member.StatusAsync());
    }

    /// <summary>A broken invariant: what was thrown inside a turn ends the member, which says so at once, whatever its last figures told.</summary>
    [Fact]
    public async Task A_member_whose_strand_breaks_neither_lives_nor_serves()
    {
        using var host = Build(o => (o.Storage, o.ZooKeeper) = ("memory", "127.0.0.1:0"));
        await host.StartAsync();
        var member = host.Services.GetRequiredService<QuorateMember>();
        await member.Serving.WaitAsync(TimeSpan.FromSeconds(30));
        using var client = BenchConnection.Open(Address.Parse(member.ZooKeeper, out _)!.Value);
        var asked = member.AskAsync<int>(_ => throw new InvalidOperationException("told to break"));
        Assert.Equal("told to break", Assert.IsType<InvalidOperationException>(await member.Ended.WaitAsync(TimeSpan.FromSeconds(30))).Message);
        Assert.False(member.IsLive);
        Assert.False(member.IsServing);
        await Assert.ThrowsAsync<QuorateException>(() => asked);
        await Assert.ThrowsAsync<QuorateException>(() => member.StatusAsync());
        await host.StopAsync();
    }

    [Fact]
    public async Task Two_members_in_one_process_do_not_know_of_each_other()
    {
        using var one = Build(o => (o.Storage, o.ZooKeeper) = ("memory", "127.0.0.1:0"));
        using var two = Build(o => (o.Storage, o.ZooKeeper) = ("memory", "127.0.0.1:0"));
        foreach (var host in new[] { one, two })
        {
            await host.StartAsync();
            var member = host.Services.GetRequiredService<QuorateMember>();
            await member.Serving.WaitAsync(TimeSpan.FromSeconds(10));
            using var client = BenchConnection.Open(Address.Parse(member.ZooKeeper, out _)!.Value);
            Assert.Equal(0, client.Create("/same", []).Error);
        }
        await one.StopAsync();
        await two.StopAsync();
    }

    [Fact]
    public async Task Wrong_options_keep_the_host_from_starting()
    {
        using var host = Build(o => o.Storage = "tape");
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Contains("storage: 'tape'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_section_binds_by_the_settings_names_and_an_unknown_key_is_an_error()
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection([new("q:tickTime", "500"), new("q:jute:maxbuffer", "2048")]).Build().GetSection("q");
        using var services = new ServiceCollection().AddLogging().AddQuorate(section).BuildServiceProvider();
        var options = services.GetRequiredService<IOptions<QuorateOptions>>().Value;
        Assert.Equal((500, 2048), (options.TickTime, options.JuteMaxBuffer));
        var wrong = new ConfigurationBuilder().AddInMemoryCollection([new("colour", "red")]).Build();
        using var others = new ServiceCollection().AddLogging().AddQuorate(wrong).BuildServiceProvider();
        Assert.Throws<QuorateConfigurationException>(() => others.GetRequiredService<IOptions<QuorateOptions>>().Value);
    }
}
