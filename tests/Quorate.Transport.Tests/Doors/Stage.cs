using System.Net.Sockets;
using Quorate.Transport.Doors;

namespace Quorate.Transport.Tests.Doors;

internal sealed class Notes : INotes
{
    private readonly List<string> _texts = [];

    public string[] Texts
    {
        get { lock (_texts) return [.. _texts]; }
    }

    public void Note(int level, string text)
    {
        lock (_texts) _texts.Add(text);
    }
}

/// <summary>A pumped thing made of delegates.</summary>
internal sealed class Pumped : IPumped
{
    public Func<Instant, long> OnPump { get; set; } = _ => Instant.Never;
    public Action<Instant> OnTurn { get; set; } = _ => { };
    public void BeginTurn(Instant now) => OnTurn(now);
    public long Pump(Instant now) => OnPump(now);
}

/// <summary>An owner made of delegates.</summary>
internal sealed class Owner : IConnectionOwner
{
    public Action<Connection> Connected { get; set; } = _ => { };
    public Func<Connection, byte[], int> Bytes { get; set; } = (_, bytes) => bytes.Length;
    public Action<Connection, string> Closed { get; set; } = (_, _) => { };
    public void OnConnected(Connection connection) => Connected(connection);
    public int OnBytes(Connection connection, ReadOnlySpan<byte> bytes) => Bytes(connection, bytes.ToArray());
    public void OnClosed(Connection connection, string reason) => Closed(connection, reason);

    /// <summary>Sends back whatever comes.</summary>
    public static Owner Echo() => new()
    {
        Bytes = (connection, bytes) =>
        {
            connection.Output.Bytes(bytes);
            connection.Flush();
            return bytes.Length;
        },
    };
}

/// <summary>One strand on one network, ended with the test.</summary>
internal sealed class Stage : IDisposable
{
    public Stage(string kind)
    {
        Network = kind == "epoll" ? new EpollNetwork(Notes) : new ManagedNetwork(Notes);
        Strand = new Strand(Network, Pumped, Notes);
    }

    public Notes Notes { get; } = new();
    public Pumped Pumped { get; } = new();
    public SocketNetwork Network { get; }
    public Strand Strand { get; }

    /// <summary>Both sides where both exist.</summary>
    public static TheoryData<string> Kinds => OperatingSystem.IsLinux() ? ["epoll", "managed"] : ["managed"];

    /// <summary>Runs on the strand and waits for it.</summary>
    public T Ask<T>(Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Strand.Post(() =>
        {
            try
            {
                answer.SetResult(question());
            }
            catch (Exception failed)
            {
                answer.SetException(failed);
            }
        });
        return answer.Task.WaitAsync(TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
    }

    public string Listen(Func<Connection, IConnectionOwner?> accept) => Ask(() => Network.Listen("127.0.0.1:0", accept));

    public static Socket Client(string address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 10_000, SendTimeout = 10_000 };
        socket.Connect(System.Net.IPEndPoint.Parse(address));
        return socket;
    }

    public static byte[] ReadAll(Socket socket, int count)
    {
        var bytes = new byte[count];
        int at = 0;
        while (at < count)
        {
            int read = socket.Receive(bytes.AsSpan(at));
            if (read == 0) break;
            at += read;
        }
        return bytes[..at];
    }

    public static void Until(Func<bool> holds, string what)
    {
        var end = DateTime.UtcNow.AddSeconds(10);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < end, what);
            Thread.Sleep(5);
        }
    }

    public void Dispose()
    {
        Strand.Dispose();
        Assert.Null(Strand.Failure);
    }
}
