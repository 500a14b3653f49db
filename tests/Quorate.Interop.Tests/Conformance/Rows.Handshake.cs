using System.Diagnostics;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 1 to 13: ConnectRequest and what may be wrong with it.</summary>
internal static partial class Rows
{
    private static readonly string[] Asked = ["1", "-5", "100000"];

    private static Row[] Handshake =>
    [
        Shared("1", "connect with the readOnly byte", s => s.Connect(new Hello()).Connected!.Has("length", 37).Has("readOnly", 0).Has("password", "16 bytes").Has("session", "its own server's").Has("version", 0)),
        Shared("2", "connect without the readOnly byte", s => s.Connect(new Hello { ReadOnly = null }).Connected!.Has("length", 36).Has("readOnly", -1).Has("password", "16 bytes")),
        Shared("3", "time-outs are clamped", s =>
        {
            foreach (var (asked, given) in Asked.Zip([4000, 4000, 40000])) s.Connect(new Hello { TimeOut = int.Parse(asked) }).Connected!.Has("timeOut", given);
        }),
        Shared("4", "protocolVersion 99", s => s.Connect(new Hello { Version = 99 }).Connected!.Has("outcome", "reply").Has("version", 0).Has("timeOut", 10000)),
        Shared("5", "passwords of odd lengths for a new session", s =>
        {
            foreach (var p in new byte[]?[] { [], [1, 2, 3, 4, 5], null }) s.Connect(new Hello { Password = p }).Connected!.Has("outcome", "reply").Has("password", "16 bytes").Has("session", "its own server's");
        }),
        Shared("6", "lastZxidSeen ahead of the server", s =>
        {
            var a = s.Connect(new Hello { LastZxid = 0x7000000000000000 });
            a.Connected!.Closed();
        }),
        Shared("7", "unknown id and wrong password", s =>
        {
            var unknown = s.Connect(new Hello { SessionId = 0x0123456789abcdef, Password = [.. Enumerable.Repeat((byte)7, 16)] });
            unknown.Connected!.Has("timeOut", 0).Has("session", "0").Has("password", "16 zeros").Has("length", 37).Has("version", 0);
            unknown.Hangup().Closed().Has("bytes", "");
            var old = s.Connect(new Hello { SessionId = 0x0123456789abcdef, ReadOnly = null });
            old.Connected!.Has("timeOut", 0).Has("length", 36);
            old.Hangup().Closed();
            var live = s.Session();
            var thief = live.Again(password: [.. Enumerable.Repeat((byte)7, 16)]);
            thief.Connected!.Has("timeOut", 0).Has("session", "0").Has("password", "16 zeros").Has("length", 37);
            thief.Hangup().Closed();
            live.Ping().Err(0);
        }),
        Shared("8", "the session on a second socket", s =>
        {
            var a = s.Session(30000);
            var b = a.Again(timeOut: 12000);
            b.Connected!.Has("timeOut", 12000).Has("length", 37);
            s.Is("same id", b.SessionId == a.SessionId, true);
            s.Is("same password", b.Password.SequenceEqual(a.Password), true);
            a.Hangup().Closed().Has("bytes", "");
            b.Exists(s.Root).Err(0);
        }),
        Shared("9", "reconnect after closeSession", s =>
        {
            var a = s.Session();
            a.Close().Err(0);
            a.Hangup().Closed();
            var b = a.Again();
            b.Connected!.Has("timeOut", 0).Has("session", "0").Has("password", "16 zeros");
            b.Hangup().Closed();
        }),
        Shared("10", "first frames that are no ConnectRequest", s =>
        {
            foreach (var bytes in new[] { RawConnection.Frame([1, 2, 3]), RawConnection.Frame(new JuteWriter().Int(0).Long(0).Int(10000).Long(0).ToArray()), Bytes("xxxx") })
            {
                var a = s.Bare();
                a.Send(bytes);
                a.Hangup().Closed().Has("bytes", "");
            }
        }),
        Slow("11", "nothing, two bytes, half a frame", s =>
        {
            var watch = Stopwatch.StartNew();
            var silent = s.Bare();
            var two = s.Bare();
            two.Send([0, 0]);
            var half = s.Bare();
            half.Send(new Hello().ToFrame().AsSpan(0, 20));
            foreach (var a in new[] { silent, two, half }) a.Hangup(25).Closed().Has("bytes", "");
            s.Is("after 10 to 20 s", watch.Elapsed.TotalSeconds is > 9.5 and < 21, true);
        }),
        Shared("12", "requests behind the ConnectRequest in one packet", s =>
        {
            var a = s.Bare();
            a.Send(Joined(new Hello().ToFrame(), a.Queued(Op.Exists, Op.PathWatch(s.Root, false)), a.Queued(Op.Ping, None)));
            a.ReadWelcome().Has("length", 37);
            a.Next().Has("xid", 1).Err(0);
            a.Next().Has("xid", -2).Err(0);
        }),
        Own("13", "SIGTERM and a new start", s =>
        {
            var a = s.Session(40000);
            a.Create(s.P("e"), 1).Err(0);
            s.Restart();
            a.Hangup().Closed();
            var b = a.Again();
            s.Is("same session", b.SessionId == a.SessionId, true);
            b.GetData(s.P("e")).Err(0).Has("stat.ephemeralOwner", "session a");
            b.Close().Err(0);
        }),
    ];
}
