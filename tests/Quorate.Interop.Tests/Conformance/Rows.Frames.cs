using System.Buffers.Binary;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 14 to 24: lengths, headers, xids, opcodes that nobody knows; and §1.8's first two promises.</summary>
internal static partial class Rows
{
    private static readonly int[] BadLengths = [0, 4, -5, int.MinValue, int.MaxValue, 1048576];
    private static readonly int[] UnknownOps = [0, 10, 23, 99, 108, 1000, -1];

    private static Row[] Frames =>
    [
        Shared("14", "frame lengths that close", s =>
        {
            foreach (var n in BadLengths)
            {
                var a = s.Session();
                var bytes = new byte[n == 4 ? 8 : 4];
                BinaryPrimitives.WriteInt32BigEndian(bytes, n);
                a.Send(bytes);
                a.Hangup().Closed().Has("bytes", "");
            }
        }),
        Shared("15", "a frame of exactly 1048575 bytes", s =>
        {
            var a = s.Session();
            var body = Op.CreateBody(s.P("big"), [], Acl.Open, 0);
            var data = new byte[1048575 - 8 - body.Length];
            a.Call(Op.Create, Op.CreateBody(s.P("big"), data, Acl.Open, 0)).Err(0);
            a.GetData(s.P("big")).Err(0).Has("stat.dataLength", data.Length);
        }),
        Shared("16", "junk behind a body; a body cut short", s =>
        {
            var a = s.Session();
            a.Call(Op.Create, Joined(Op.CreateBody(s.P("n"), [], Acl.Open, 0), [1, 2, 3, 4])).Err(0).Path(s.P("n"));
            a.Call(Op.Exists, [0, 0, 0, 16, (byte)'/']).Err(-5);
            a.Call(Op.Create, Op.CreateBody(s.P("m"), [], Acl.Open, 0)[..^6]).Err(-5);
            a.Exists(s.P("m")).Err(-101);
        }),
        Shared("17", "the bytes of a ping's answer", s =>
        {
            var a = s.Session();
            a.Send(RawConnection.Request(-2, Op.Ping, []));
            var f = a.Frame()!;
            s.Is("length", f.Length, 16);
            s.Is("xid", BinaryPrimitives.ReadInt32BigEndian(f), -2);
            s.Is("err", BinaryPrimitives.ReadInt32BigEndian(f.AsSpan(12)), 0);
        }),
        Shared("18", "ping with another xid and junk", s => s.Session().Call(Op.Ping, [1, 2, 3, 4, 5], 5).Has("xid", -2).Err(0)),
        Shared("19", "special xids on ordinary requests", s =>
        {
            var a = s.Session();
            a.Call(Op.Exists, Op.PathWatch(s.Root, false), 0).Has("xid", 0).Err(0);
            a.Call(Op.Sync, Op.JustPath("/"), -1).Has("xid", -1).Err(0).Path("/");
            a.Call(Op.Exists, Op.PathWatch(s.Root, false), -9).Has("xid", -9).Err(0);
            a.Sync("nonsense").Err(0).Path("nonsense");
            a.Call(Op.Sync, Op.JustPath(null)).Err(0).Path("null");
        }),
        Shared("20", "seven pipelined requests and a ping", s =>
        {
            var a = s.Session();
            var p = s.P("n");
            a.Send(Joined(a.Queued(Op.Create, Op.CreateBody(p, Bytes("1"), Acl.Open, 0)), a.Queued(Op.GetData, Op.PathWatch(p, false)), a.Queued(Op.SetData, Op.SetDataBody(p, Bytes("2"), 0)), a.Queued(Op.Exists, Op.PathWatch(p, false)),
                a.Queued(Op.Sync, Op.JustPath(p)), a.Queued(Op.GetChildren, Op.PathWatch(p, false)), a.Queued(Op.Delete, Op.PathVersion(p, 1)), a.Queued(Op.Ping, None)));
            for (var xid = 1; xid <= 7; xid++) a.Next().Has("xid", xid).Err(0);
            a.Next().Has("xid", -2).Err(0);
        }),
        Shared("20b", "set, get, set, get: each read sees the write before it, and not the one behind it (§1.8)", s =>
        {
            var a = s.Session();
            var p = s.P("n");
            a.Create(p).Err(0);
            var bytes = new List<byte[]>();
            for (var i = 0; i < 50; i++) bytes.AddRange([a.Queued(Op.SetData, Op.SetDataBody(p, Bytes("v" + i), i)), a.Queued(Op.GetData, Op.PathWatch(p, false))]);
            a.Send(Joined([.. bytes]));
            for (var i = 0; i < 50; i++)
            {
                a.Next().Err(0).Version(i + 1);
                a.Next().Err(0).Version(i + 1).Has("data", "'v" + i + "'");
            }
        }),
        Shared("21", "opcodes that nobody knows", s =>
        {
            foreach (var op in UnknownOps)
            {
                var a = s.Session();
                a.Call(op, [], 9).Has("xid", 9).Has("zxid", -1).Err(-6);
                a.Hangup().Closed().Has("bytes", "");
            }
        }),
        Shared("22", "check outside a multi", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            a.Call(Op.Check, Op.PathVersion(s.P("n"), 0), null, 0.7).Err(-6).Has("zxid", -1);
            a.Hangup(1).Closed();
        }),
        Shared("23", "null paths", s =>
        {
            var a = s.Session();
            a.Create(null).Err(-5);
            a.GetData(null).Err(-5);
            a.Exists(null).Err(-5);
            a.Ping().Err(0);
        }),
        Shared("24", "a failed write takes a zxid", s =>
        {
            var a = s.Session();
            a.Create(s.P("n")).Err(0);
            var before = a.Seen;
            a.Create(s.P("n")).Err(-110);
            s.Is("zxids taken", a.Seen - before, 1);
            before = a.Seen;
            a.Exists(s.P("n")).Err(0);
            a.Ping();
            a.Sync("/");
            s.Is("zxids taken by reads", a.Seen - before, 0);
            var b = s.Session();
            b.Close().Err(0);
            a.Ping();
            s.Is("zxids taken by a session's opening and close", a.Seen - before, 2);
        }),
    ];
}
