using Quorate.Runtime.Faces;

namespace Quorate.Runtime.Tests.Harness;

/// <summary>A client's connection without a wire: what the sessions told it, in order.</summary>
public sealed class Client : SessionConnection
{
    private readonly ISessions _sessions;

    public Client(ISessions sessions) => _sessions = sessions;

    public List<string> Heard { get; } = [];
    public string? HungUp { get; private set; }
    public HandshakeVerdict? Verdict { get; private set; }
    public byte[] Password { get; private set; } = [];
    public bool Welcomed => Verdict == HandshakeVerdict.Attached && HungUp is null;
    public bool IsSilent => Heard.Count == 0;

    public static Client Open(ISessions sessions, int timeoutMillis = 4000)
    {
        var client = new Client(sessions);
        sessions.Open(client, timeoutMillis);
        return client;
    }

    /// <summary>The same session over a new connection, at this member.</summary>
    public Client MoveTo(ISessions sessions, int timeoutMillis = 4000)
    {
        var client = new Client(sessions);
        sessions.Attach(client, Session, Password, timeoutMillis);
        return client;
    }

    public void Write(string text) => _sessions.Write(this, System.Text.Encoding.UTF8.GetBytes(text));
    public void Close() => _sessions.CloseSession(this);
    public void Touch() => _sessions.Touch(this);
    public void Leave() => _sessions.Gone(this);

    public override void OnHandshake(in HandshakeResult result)
    {
        Verdict = result.Verdict;
        Password = result.Password.ToArray();
        Heard.Add($"handshake {result.Verdict}");
    }

    public override void BeforeApply() => Heard.Add("before");
    public override void OnApplied(long zxid, ReadOnlySpan<byte> result) => Heard.Add("applied " + System.Text.Encoding.UTF8.GetString(result));
    public override void OnSynced(long token) => Heard.Add("synced");
    public override void HangUp(string reason) => HungUp = reason;
}
