namespace Quorate.Interop.Tests.Conformance;

/// <summary>The one table of differences between ZooKeeper 3.8.0 and us, who answer as 3.9.5. Any other difference fails its row.</summary>
internal static class ExpectedDifferences
{
    public static readonly ExpectedDifference[] All =
    [
        new("7", "c.ping#1.*", "closed", "answered", "zookeeper.md §1.2", "3.8.0 throws the rightful connection off before it looks at the password; we look first"),
        new("22", "a.check#1.*", "silent", "-6", "ZOOKEEPER-2623", "check outside a multi: 3.8.0 applies it and forgets to answer; unimplemented since 3.9.3"),
        new("22", "a.end#1.*", "open", "closed", "ZOOKEEPER-2623", "as every unknown opcode"),
        new("48", "a.createTTL#1.*", "not sent", "-8", "zookeeper.md §1.4", "createTTL with flags 0 and ttl -1 passes 3.8.0's check, is logged, and kills it at every start"),
        new("75", "a.multi#1.*", "0", "-5", "zookeeper.md §1.5", "create flags that are none inside a multi: 3.9 refuses to decode the request"),
        new("82", "zxid#1.value", "-1", "the change's", "ZOOKEEPER-4655", "an event carries the zxid of its change since 3.9.0"),
        new("93", "a.setData#2.events", "", "3 /r93/n", "ZOOKEEPER-4466", "3.8.0 loses the persistent watch when a one-shot on the same path fires"),
        new("101", "a.removeWatches#1.err", "-5", "0", "ZOOKEEPER-4472", "types 4 and 5 are known since 3.9.0"),
        new("101", "a.removeWatches#2.err", "-5", "0", "ZOOKEEPER-4472", "types 4 and 5 are known since 3.9.0"),
        new("101", "a.setData#1.events", "3 /r101/n", "", "ZOOKEEPER-4472", "so that the watch is still there"),
        new("101", "a.setData#2.events", "3 /r101/r", "", "ZOOKEEPER-4472", "so that the watch is still there"),
        new("106", "a.exists#1.err", "0", "-102", "ZOOKEEPER-2590", "exists needs READ since 3.9.2"),
        new("106", "a.exists#1.stat.*", "told", "not told", "ZOOKEEPER-2590", "exists needs READ since 3.9.2"),
        new("106", "a.exists#1.rest", "absent", "", "ZOOKEEPER-2590", "exists needs READ since 3.9.2"),
        new("48", "a.ping#1.zxid", "z+1", "z+2", "zookeeper.md §1.4", "our refusal took a zxid, there nothing was sent"),
        .. Unnumbered("16", "z+3", "z+2", "a.create#2", "a.exists#2"),
        .. Unnumbered("23", "z+2", "z+1", "a.create#1", "a.getData#1", "a.exists#1", "a.ping#1"),
        .. Unnumbered("55", "z+4", "z+3", "a.deleteContainer#1"), .. Unnumbered("55", "z+5", "z+3", "a.deleteContainer#2"), .. Unnumbered("55", "z+6", "z+3", "a.deleteContainer#3", "a.exists#1"),
        .. Unnumbered("74", "z+2", "z+1", "a.multi#1"), .. Unnumbered("74", "z+3", "z+1", "a.multi#2"), .. Unnumbered("74", "z+4", "z+1", "a.multi#3"), .. Unnumbered("74", "z+5", "z+1", "a.multi#4", "a.exists#1"),
        .. Unnumbered("75", "z+2", "z+1", "a.exists#1"),
        new("129", "b.setData#1.zxid", "z+4", "z+3", "sessions.md §5.2", "the write on the old connection takes a zxid there; here the connection is closed already"),
        new("129", "b.setData#1.stat.mzxid", "z+4", "z+3", "sessions.md §5.2", "as the zxid"),
        new("129", "b.closeSession#1.zxid", "z+5", "z+4", "sessions.md §5.2", "as the zxid"),
        new("140", "c.getData#1.z*", "the last write's", "of the new epoch", "sessions.md §3.3", "our epoch begins with its record, theirs with its first write"),
        new("129", "a.exists#1.*", "answered", "closed", "sessions.md §5.2", "the apply of our Attach closes every older connection of the session: nobody reads the past on it"),
    ];

    /// <summary>A write that cannot be decoded, or that no client may ask for, never enters our log (the face answers it): it takes no zxid, there it does.</summary>
    private static IEnumerable<ExpectedDifference> Unnumbered(string row, string zookeeper, string quorate, params string[] steps) =>
        steps.Select(step => new ExpectedDifference(row, step + ".zxid", zookeeper, quorate, "sessions.md §4.1", "what cannot be decoded gets no number and so no zxid"));

    private static readonly ILookup<string, ExpectedDifference> ByRow = All.ToLookup(d => d.Row);

    public static IEnumerable<ExpectedDifference> Of(string row) => ByRow[row];
}
