using System.Runtime.InteropServices;

namespace Quorate.Cli;

/// <summary>Ctrl-C, SIGTERM and SIGHUP as one token: the first asks a command to end, and the runtime's own handling is kept from ending the process under it.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Interrupt()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                _source.Cancel();
            }));
    }

    public CancellationToken Token => _source.Token;

    public void Raise() => _source.Cancel();

    /// <summary>Runs a command that ends early when asked.</summary>
    public static int Run(Func<CancellationToken, Task<int>> command)
    {
        using var interrupt = new Interrupt();
        try
        {
            return command(interrupt.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            return 130;
        }
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }
}
