using System.Text;
using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>Prepare over pending changes: schedules that random runs meet too seldom.</summary>
public sealed class AheadTests
{
    private readonly DataTree _tree = new();
    private readonly Queue<(byte[] Transaction, long Session, bool Ends)> _flight = new();
    private readonly EventLog _log = new();
    private long _prepared, _applied, _time = 1000;

    public AheadTests() => _log.Tree = _tree;

    [Fact]
    public void AnEntryGoesWithItsLastChange()
    {
        Prepare(new NaiveOp(TreeOp.Create, "/a"));
        Prepare(new NaiveOp(TreeOp.Create, "/b"));
        Prepare(new NaiveOp(TreeOp.SetData, "/a"));
        Prepare(new NaiveOp(TreeOp.SetData, "/b"));
        Prepare(new NaiveOp(TreeOp.SetData, "/a"));
        Assert.Equal(3, _tree.PendingCount);   // with the root
        Apply(2);
        Assert.Equal(2, _tree.PendingCount);
        Apply(1);
        Assert.Equal(2, _tree.PendingCount);
        Apply(1);
        Assert.Equal(1, _tree.PendingCount);
        Apply(1);
        Assert.Equal(0, _tree.PendingCount);
    }

    [Fact]
    public void ASetThatIsPreparedKeepsATtlNode()
    {
        Prepare(new NaiveOp(TreeOp.CreateTtl, "/t") { Flags = 5, Ttl = 100 });
        Apply(1);
        _time += 101;
        Prepare(new NaiveOp(TreeOp.SetData, "/t"));
        Prepare(new NaiveOp(TreeOp.DeleteContainer, "/t"), session: 0);
        Apply(2);
        Assert.Equal("DeleteContainer -103", Last());
    }

    [Fact]
    public void AChildThatIsPreparedKeepsAContainer()
    {
        Prepare(new NaiveOp(TreeOp.CreateContainer, "/k") { Flags = 4 });
        Prepare(new NaiveOp(TreeOp.Create, "/k/x"));
        Prepare(new NaiveOp(TreeOp.Delete, "/k/x"));
        Apply(3);
        Prepare(new NaiveOp(TreeOp.Create, "/k/y"));
        Prepare(new NaiveOp(TreeOp.DeleteContainer, "/k"), session: 0);
        Apply(2);
        Assert.Equal("DeleteContainer -111", Last());
    }

    [Fact]
    public void ASessionsPreparedNodesGoThoughTheNewestWasDeleted()
    {
        foreach (var name in new[] { "/e1", "/e2", "/e3" }) Prepare(new NaiveOp(TreeOp.Create, name) { Flags = 1 });
        Prepare(new NaiveOp(TreeOp.Delete, "/e3"));
        PrepareEnd(Driven.Session);
        Prepare(new NaiveOp(TreeOp.Create, "/e1"));
        Prepare(new NaiveOp(TreeOp.Create, "/e2"), session: 5);
        Apply(7);
        Assert.Equal("Create 0 /e2", Last());
        Assert.Equal((6, 0L), (_tree.NodeCount, _tree.EphemeralCount));
    }

    [Fact]
    public void ANodeThatChangedHandsStays()
    {
        Prepare(new NaiveOp(TreeOp.Create, "/e") { Flags = 1 });
        Prepare(new NaiveOp(TreeOp.Delete, "/e"));
        Prepare(new NaiveOp(TreeOp.Create, "/e") { Flags = 1 }, session: 5);
        PrepareEnd(Driven.Session);
        Prepare(new NaiveOp(TreeOp.Create, "/e"));
        Apply(5);
        Assert.Equal("Create -110", Last());
        Assert.Equal(1, _tree.EphemeralCount);
    }

    [Fact]
    public void AListThatOnlyPendingChangesHoldJudgesAlready()
    {
        Prepare(new NaiveOp(TreeOp.Create, "/a") { Acl = [new(1, "world", "anyone")] });
        Prepare(new NaiveOp(TreeOp.SetData, "/a"));
        Apply(2);
        Assert.Equal("SetData -102", Last());
    }

    [Fact]
    public void NodesAreFoundWhileTheIndexGrows()
    {
        for (int i = 0; i < 3000; i++)
        {
            Prepare(new NaiveOp(TreeOp.Create, "/n" + i));
            Apply(1);
            if (i % 7 == 3)
            {
                Prepare(new NaiveOp(TreeOp.Delete, "/n" + (i / 2)));
                Apply(1);
                Assert.Equal(0, _tree.Find(Encoding.UTF8.GetBytes("/n" + (i / 2))));
            }
            int there = 0;
            for (int child = _tree.FirstChild(_tree.Find(""u8)); child != 0; child = _tree.NextSibling(child))
            {
                if (child == _tree.Find((byte[])[(byte)'/', .. _tree.Name(child)])) there++;
            }
            Assert.Equal(_tree.ChildCount(_tree.Find(""u8)), there);
        }
    }

    private readonly ByteWriter _result = new();

    private void Prepare(NaiveOp op, long session = Driven.Session)
    {
        var w = new ByteWriter();
        _tree.Prepare(new PrepareContext(++_prepared, session, _time, 1 << 20), Bench.Encode(op, [("ip", "127.0.0.1")]), w);
        _flight.Enqueue((w.Written.ToArray(), session, false));
    }

    private void PrepareEnd(long session)
    {
        _tree.PrepareSessionEnd(++_prepared, session);
        _flight.Enqueue(([], session, true));
    }

    private void Apply(int count)
    {
        for (; count > 0; count--)
        {
            var (transaction, session, ends) = _flight.Dequeue();
            _applied++;
            _result.Clear();
            var context = new ApplyContext(_applied, _applied, _time, session, true);
            if (ends) _tree.ApplySessionEnd(context, session, _log);
            else _tree.Apply(context, transaction, _log, _result);
            _tree.ReleasePending(_applied);
        }
    }

    private string Last() => Bench.ResultText(_result.Written);
}
