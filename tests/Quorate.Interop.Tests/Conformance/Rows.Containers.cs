using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Rows 47 to 55: nodes that go by themselves.</summary>
internal static partial class Rows
{
    private static Row[] Containers =>
    [
        Shared("47", "limits of a TTL", s =>
        {
            var a = s.Session();
            a.CreateTtl(s.P("t0"), 5, 0).Err(-8);
            a.CreateTtl(s.P("t1"), 5, -1).Err(-8);
            a.CreateTtl(s.P("t2"), 5, 1L << 40).Err(-8);
            a.CreateTtl(s.P("t3"), 0, 1000).Err(-8);
            a.CreateTtl(s.P("t4"), 5, (1L << 40) - 1).Err(0).Path(s.P("t4")).Has("stat.ephemeralOwner", "0");
        }),
        Shared("48", "createTTL with flags 0 and ttl -1, which kills 3.8.0", s =>
        {
            var a = s.Session();
            // ZooKeeper logs the transaction and dies of it at every start: never sent there.
            if (s.Target.IsZooKeeper) s.Step("a.createTTL").Add("outcome", "not sent");
            else a.CreateTtl(s.P("t"), 0, -1).Err(-8);
            a.Ping().Err(0);
        }),
        Shared("49", "createTTL with a sequence", s => s.Session().CreateTtl(s.P("t-"), 6, 100000).Err(0).Path(s.P("t-0000000000")).Has("stat.ephemeralOwner", "0")),
        Own("50", "TTLs where extended types are off", s =>
        {
            var a = s.Session();
            a.CreateTtl(s.P("t"), 5, 100000).Err(-6);
            a.Create(s.P("n")).Err(0);
        }) with { Setting = new Ground.Setting { ExtendedTypes = false } },
        Shared("51", "children of TTL nodes and containers", s =>
        {
            var a = s.Session();
            a.CreateTtl(s.P("t"), 5, 1000000).Err(0);
            a.Create(s.P("t/c")).Err(0);
            a.CreateContainer(s.P("k")).Err(0);
            a.Create(s.P("k/e"), 1).Err(0);
            // An emptied container would go in the middle of a later row.
            a.Delete(s.P("k/e")).Err(0);
            a.Delete(s.P("k")).Err(0);
        }),
        Slow("52", "a childless TTL node goes", s =>
        {
            var a = s.Session();
            a.CreateTtl(s.P("t"), 5, 500).Err(0);
            a.Exists(s.P("t"), true).Err(0);
            a.Await(5).Events("2 " + s.P("t"));
            a.Exists(s.P("t")).Err(-101);
        }),
        Slow("53", "a TTL node with a child and a container never used stay", s =>
        {
            var a = s.Session();
            a.CreateTtl(s.P("t"), 5, 500).Err(0);
            a.Create(s.P("t/c")).Err(0);
            a.CreateContainer(s.P("k")).Err(0);
            Thread.Sleep(3500);
            a.Exists(s.P("t")).Err(0);
            a.Exists(s.P("k")).Err(0);
        }),
        Slow("54", "a container whose last child went goes; a node made with flags 4 by op 1 does not", s =>
        {
            var a = s.Session();
            a.CreateContainer(s.P("k")).Err(0);
            a.Create(s.P("k/c")).Err(0);
            a.Create(s.P("n"), 4).Err(0);
            a.Create(s.P("n/c")).Err(0);
            a.Delete(s.P("n/c")).Err(0);
            a.Exists(s.P("k"), true).Err(0);
            a.Delete(s.P("k/c")).Err(0);
            a.Await(5).Events("2 " + s.P("k"));
            Thread.Sleep(1200);
            a.Exists(s.P("n")).Err(0);
        }),
        Slow("54b", "setData gives a TTL node new time", s =>
        {
            var a = s.Session();
            a.CreateTtl(s.P("t"), 5, 2500).Err(0);
            for (var i = 0; i < 4; i++)
            {
                Thread.Sleep(1000);
                a.SetData(s.P("t")).Err(0);
            }
            a.Exists(s.P("t"), true).Err(0);
            a.Await(6).Events("2 " + s.P("t"));
        }),
        Shared("55", "deleteContainer from a client", s =>
        {
            var a = s.Session();
            a.Create(s.P("e"), 1).Err(0);
            a.Create(s.P("n")).Err(0);
            foreach (var n in new[] { "e", "n", "missing" }) a.Call(Op.DeleteContainer, Op.JustPath(s.P(n))).Err(-8);
            a.Exists(s.P("n")).Err(0);
        }),
    ];
}
