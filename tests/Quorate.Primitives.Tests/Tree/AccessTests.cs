using System.Text;
using Quorate.Primitives.Tree;

namespace Quorate.Primitives.Tests.Tree;

/// <summary>Access lists: form, replacement of auth, whom they let pass (zookeeper.md §2.5).</summary>
public sealed class AccessTests
{
    [Theory]   // row 102
    [InlineData("auth", "")]
    [InlineData("foo", "x")]
    [InlineData("digest", "x")]
    [InlineData("digest", "x:")]
    [InlineData("digest", "a:b:c")]
    [InlineData("ip", "1.2.3")]
    [InlineData("ip", "1.2.3.4/33")]
    [InlineData("ip", "1.2.3.400")]
    [InlineData("ip", "1.2.3.4/")]
    [InlineData("ip", "1:2")]
    [InlineData("ip", "1::2::3")]
    [InlineData("ip", "::1/129")]
    [InlineData("ip", "12345::")]
    [InlineData("world", "x")]
    [InlineData("sasl", "a@b@c")]
    [InlineData("x509", "nonsense")]
    [InlineData("super", "")]
    public void Refused(string scheme, string id) => Assert.Equal("Create -114", new Driven().Do(new NaiveOp(TreeOp.Create, "/a") { Acl = [new(31, scheme, id)] }));

    [Theory]
    [InlineData("digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=")]
    [InlineData("ip", "10.0.0.0/8")]
    [InlineData("ip", "10.0.0.0/0")]
    [InlineData("ip", "2001:db8::1/64")]
    [InlineData("ip", "::")]
    [InlineData("ip", "::ffff:1.2.3.4")]
    [InlineData("ip", "1:2:3:4:5:6:7:8")]
    [InlineData("sasl", "bob")]
    [InlineData("sasl", "a/b@c")]
    [InlineData("x509", "CN=me, O=\"a, b\"")]
    public void Accepted(string scheme, string id) => Assert.Equal("Create 0 /a", new Driven().Do(new NaiveOp(TreeOp.Create, "/a") { Acl = [new(31, scheme, id)] }));

    [Fact]
    public void NullAndEmptyAreRefused()
    {
        Assert.Equal("Create -114", new Driven().Do(new NaiveOp(TreeOp.Create, "/a") { Acl = null }));
        Assert.Equal("Create -114", new Driven().Do(new NaiveOp(TreeOp.Create, "/a") { Acl = [] }));
    }

    [Fact]
    public void AuthIsReplacedByEachId()
    {
        var t = new Driven { Ids = [("ip", "127.0.0.1"), ("digest", "u:h"), ("sasl", "bob"), ("super", "")] };   // 103
        t.Do(new NaiveOp(TreeOp.Create, "/a") { Acl = [new(5, "auth", "ignored"), new(1, "world", "anyone"), new(5, "auth", "ignored")] });
        Assert.Equal("5:digest:u:h|5:sasl:bob|1:world:anyone", Bench.AclText(t.Tree, t.Tree.Access(t.Node("/a"))));   // 105
    }

    [Theory]
    [InlineData("ip", "10.0.0.0/8", "ip", "10.9.9.9", true)]
    [InlineData("ip", "10.0.0.0/8", "ip", "11.9.9.9", false)]
    [InlineData("ip", "10.0.0.0/0", "ip", "11.9.9.9", true)]
    [InlineData("ip", "10.0.0.1", "ip", "10.0.0.1", true)]
    [InlineData("ip", "10.0.0.1", "ip", "::1", false)]
    [InlineData("ip", "2001:db8::/32", "ip", "2001:db8:1:2:3:4:5:6", true)]
    [InlineData("ip", "2001:db8::/32", "ip", "2001:db9::", false)]
    [InlineData("ip", "::1", "ip", "0:0:0:0:0:0:0:1", true)]
    [InlineData("digest", "u:h", "digest", "u:h", true)]
    [InlineData("digest", "u:h", "sasl", "u:h", false)]
    [InlineData("digest", "u:h", "digest", "u:i", false)]
    [InlineData("sasl", "bob", "sasl", "super", true)]
    [InlineData("digest", "u:h", "super", "", true)]
    [InlineData("world", "anyone", "ip", "1.1.1.1", true)]
    public void Matches(string scheme, string id, string mine, string myId, bool passes)
    {
        var t = new Driven();
        t.Do(new NaiveOp(TreeOp.Create, "/a") { Acl = [new(TreePerms.Read | TreePerms.Admin, scheme, id)] });
        int access = t.Tree.Access(t.Node("/a"));
        var ids = Identities.Encode([(mine, myId)]);
        Assert.Equal(passes, t.Tree.Allows(access, TreePerms.Read, ids));
        Assert.Equal(passes, t.Tree.Allows(access, TreePerms.Read | TreePerms.Write, ids));   // any one of them
        Assert.Equal(passes && mine == "super", t.Tree.Allows(access, TreePerms.Write, ids));
        t.Tree.Allows(access, TreePerms.Read, [1, 2, 3, 4]);   // what is no identity blob lets nobody pass
    }

    [Fact]
    public void PermissionsAreAskedOfTheRightNode()
    {
        var t = new Driven();
        t.Create("/p");
        t.Do(new NaiveOp(TreeOp.Create, "/p/x") { Acl = [new(0, "world", "anyone")] });   // 106, 107
        Assert.Equal("SetData -102", t.Set("/p/x"));
        Assert.Equal("Create -102", t.Create("/p/x/y"));
        Assert.Equal("SetAcl -102", t.SetAcl("/p/x", [new(31, "world", "anyone")]));
        Assert.Equal("Failed[Check -102]", t.Multi(new NaiveOp(TreeOp.Check, "/p/x")));
        Assert.Equal("Delete 0", t.Delete("/p/x"));
        t.Create("/p/z");
        t.SetAcl("/p", [new(31 & ~TreePerms.Delete, "world", "anyone")]);
        Assert.Equal("Delete -102", t.Delete("/p/z"));
        Assert.Equal("Delete -102", t.Delete("/p/none"));
        var open = new Driven(new TreeOptions { SkipAcl = true });
        open.Do(new NaiveOp(TreeOp.Create, "/p") { Acl = [new(0, "world", "anyone")] });
        Assert.StartsWith("SetData 0", open.Set("/p"));
    }

    [Fact]
    public void ListsThatNobodyHoldsAreFreed()
    {
        var t = new Driven();
        long bytes = t.Tree.EncodedBytes;
        for (int i = 0; i < 100; i++)
        {
            t.Do(new NaiveOp(TreeOp.Create, "/a") { Acl = [new(31, "world", "anyone"), new(31, "digest", "u:" + i)] });
            t.SetAcl("/a", [new(31, "world", "anyone"), new(31, "digest", "v:" + i)]);
            t.Do(new NaiveOp(TreeOp.Create, "/zookeeper") { Acl = [new(31, "digest", "w:" + i)] });
            t.Multi(new NaiveOp(TreeOp.Create, "/b") { Acl = [new(31, "digest", "x:" + i)] }, new NaiveOp(TreeOp.Delete, "/none"));
            t.Delete("/a");
        }
        Assert.Equal(bytes, t.Tree.EncodedBytes);
    }

    [Fact]
    public void SuperNeedsNoList()
    {
        var t = new Driven();
        t.Do(new NaiveOp(TreeOp.Create, "/p") { Acl = [new(0, "world", "anyone")] });
        t.Ids = [("super", ""), ("ip", "127.0.0.1")];
        Assert.StartsWith("SetData 0", t.Set("/p"));   // 110
        Assert.Equal("Create 0 /p/x", t.Create("/p/x"));
        Assert.Equal(Encoding.UTF8.GetBytes("x"), t.Tree.Name(t.Node("/p/x")).ToArray());
    }
}
