using System.Diagnostics;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 125 to 132: ephemerals, expiry, moving.</summary>
internal static partial class Rows
{
    private static Row[] Sessions =>
    [
        Shared("125", "closeSession", s =>
        {
            var a = s.Session();
            var b = s.Session();
            a.Create(s.P("p")).Err(0);
            a.Create(s.P("p/e"), 1).Err(0);
            b.Exists(s.P("p/e"), true).Err(0);
            b.GetChildren(s.P("p"), true).Err(0);
            a.Close().Err(0);
            a.Hangup().Closed().Has("bytes", "");
            b.Exists(s.P("p/e")).Err(-101).Events("2 " + s.P("p/e"), "4 " + s.P("p"));
        }),
        Slow("126", "a session that says nothing", s =>
        {
            var a = s.Session(2000);
            var b = s.Session();
            a.Create(s.P("e"), 1).Err(0);
            b.Exists(s.P("e"), true).Err(0);
            var since = Stopwatch.StartNew();
            a.Hangup(10).Closed().Has("bytes", "");
            // §7 says timeout to timeout + tick, 2 to 3 s; ours adds 2 x ServeWithoutLeader (sessions.md §6.1), and the machine is shared.
            s.Is("in its time", since.Elapsed.TotalSeconds is > 1.9 and < 5, true);
            b.Await().Events("2 " + s.P("e"));
            a.Again().Connected!.Has("timeOut", 0).Has("session", "0");
        }),
        Shared("127", "getEphemerals goes by the string", s =>
        {
            var a = s.Session();
            var b = s.Session();
            a.Create(s.P("a")).Err(0);
            a.Create(s.P("a/e"), 1).Err(0);
            a.Create(s.P("a/e2"), 1).Err(0);
            b.Create(s.P("a/other"), 1).Err(0);
            foreach (var prefix in new[] { "/", "", null }) a.GetEphemerals(prefix).Err(0).Has("names", s.P("a/e") + " " + s.P("a/e2"));
            a.GetEphemerals(s.P("a/e")).Err(0).Has("names", s.P("a/e") + " " + s.P("a/e2"));
            a.GetEphemerals(s.P("a/e2")).Err(0).Has("names", s.P("a/e2"));
            a.GetEphemerals(s.P("nope")).Err(0).Has("names", "");
        }),
        Slow("128", "a ping or any request in time keeps a session", s =>
        {
            var a = s.Session(2000);
            var b = s.Session(2000);
            for (var i = 0; i < 6; i++)
            {
                Thread.Sleep(900);
                a.Ping().Err(0);
                b.Exists(s.Root).Err(0);
            }
        }),
        Quorum("129", "a session that moved: read and write on the old connection", s =>
        {
            var a = s.Session(20000, s.Ensemble[0]);
            a.Create(s.P("e"), 1).Err(0);
            var b = a.Again(s.Ensemble[1]);
            s.Is("same session", a.SessionId == b.SessionId, true);
            b.Sync("/").Err(0);
            b.Exists(s.P("e")).Err(0).Has("stat.ephemeralOwner", "session a");
            // The apply of our Attach closes the older connection everywhere; it has had time for it.
            Thread.Sleep(300);
            a.Exists(s.P("e")).Closed();
            a.SetData(s.P("e")).Closed();
            b.SetData(s.P("e")).Err(0).Version(1);
            b.Close().Err(0);
        }),
        Quorum("131b", "a session moves along all members, its ephemerals with it", s =>
        {
            var a = s.Session(20000, s.Ensemble[0]);
            a.Create(s.P("e"), 1, "x").Err(0);
            foreach (var i in new[] { 1, 2, 0 })
            {
                var b = a.Again(s.Ensemble[i], lastZxid: a.Seen);
                b.Connected!.Has("timeOut", 20000);
                b.GetData(s.P("e")).Err(0).Has("data", "'x'").Has("stat.ephemeralOwner", "session a");
                b.SetWatches(a.Seen, [s.P("e")], [], []).Err(0).Events();
            }
            var c = s.Session(20000, s.Ensemble[2]);
            c.Sync("/").Err(0);
            c.Exists(s.P("e")).Err(0);
        }),
        Quorum("132", "a failing create through a follower", s =>
        {
            var f = s.Session(20000, s.Ensemble.Follower());
            f.Create(s.P("n")).Err(0);
            var before = f.Seen;
            f.Create(s.P("no/n")).Err(-101);
            s.Is("zxids taken", f.Seen - before, 1);
        }),
        Quorum("132b", "read after own write at every member; sync and read of another's write", s =>
        {
            for (var i = 0; i < 3; i++)
            {
                var a = s.Session(20000, s.Ensemble[i]);
                a.Create(s.P("n" + i), 0, "x").Err(0);
                a.GetData(s.P("n" + i)).Err(0).Has("data", "'x'");
                for (var k = 0; k < 3; k++)
                {
                    var b = s.Session(20000, s.Ensemble[k]);
                    b.Sync("/").Err(0);
                    b.GetData(s.P("n" + i)).Err(0).Has("data", "'x'");
                }
            }
        }),
    ];
}
