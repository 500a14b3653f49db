using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Quorate.Cli.Http;

/// <summary>Kestrel alone, without a host around it: it starts beside the member, and SIGTERM is ours (dotnet.md §1.3).</summary>
internal sealed class HttpSide : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly ServiceProvider _services;

    private HttpSide(KestrelServer server, ServiceProvider services)
    {
        _server = server;
        _services = services;
    }

    /// <summary>HOST:PORT as bound.</summary>
    public string Bound { get; private set; } = "";

    /// <summary>Throws <see cref="IOException"/> when the address is taken.</summary>
    public static async Task<HttpSide> StartAsync(Address address, RequestDelegate answer)
    {
        var services = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>)).BuildServiceProvider();
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        options.Limits.MaxRequestBodySize = 64 * 1024;
        options.Limits.MaxConcurrentConnections = 256;
        if (IPAddress.TryParse(address.Host, out var host)) options.Listen(host, address.Port, Plain);
        else options.ListenLocalhost(address.Port, Plain);
        var server = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
        var side = new HttpSide(server, services);
        try
        {
            await server.StartAsync(new Application(answer), CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            await side.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        side.Bound = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } url ? new Address(address.Host, new Uri(url).Port).ToString() : address.ToString();
        return side;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(soon.Token).ConfigureAwait(false);
        _server.Dispose();
        await _services.DisposeAsync().ConfigureAwait(false);
    }

    private static void Plain(ListenOptions listen) => listen.Protocols = HttpProtocols.Http1;

    private sealed class Application(RequestDelegate answer) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => answer(context);

        public void DisposeContext(HttpContext context, Exception? exception) { }
    }
}
