using Quorate.Interop.Tests.Ground;
using Quorate.Interop.Tests.Kazoo;

namespace Quorate.Interop.Tests.Clients;

/// <summary>ZooKeeper's own command lines in C and Java, fed by hand as a person would, and their words checked in order.</summary>
[Collection(ForeignClients.Name)]
public sealed class ClientsTests(ThreeMembers three)
{
    private static int _n;

    // Lines are fed slowly: both programs act on a line when they read it, connected or not.
    private const string Feed = "(sleep 0.7; while IFS= read -r line; do echo \"$line\"; sleep \"$1\"; done < \"$0\"; sleep 0.3; echo quit) | { shift; exec \"$@\" 2>&1; }";

    [InteropFact(Needs.CommandLineC | Needs.Ensemble)]
    public void Cli_mt_plays_a_session()
    {
        Missing.Demand(Needs.CommandLineC);
        var p = "/cli-mt-" + Interlocked.Increment(ref _n);
        var text = Session(0.08, [Missing.CliMt, three.Ensemble.Servers],
        [
            $"create {p}", $"create {p}", $"create2 {p}/two", $"create +s {p}/s-", $"create +e {p}/e", $"create +es {p}/es-", $"create +t=100000 {p}/t", $"set {p} hello", $"get {p}", $"wexists {p}", $"set {p} again", $"exists {p}",
            $"ls {p}", $"ls2 {p}", $"sync {p}", $"delete {p}", $"delete {p}/two", $"get {p}/two", $"aget {p}", $"aset {p} async", $"get {p}", $"acreate {p}/a", $"adelete {p}/a", "addauth digest u:p", "myid",
        ]);
        InOrder(text, "CONNECTED_STATE", "Got a new session id: 0x",
            $"[{p}]: rc = 0", $"name = {p}", $"[{p}]: rc = -110",
            $"[{p}/two]: rc = 0", "version=0\taversion=0", "ephemeralOwner = 0",
            $"name = {p}/s-0000000001", $"name = {p}/e", $"name = {p}/es-0000000003", $"name = {p}/t",
            $"{p}: rc = 0", "version=1\taversion=0",
            "value_len = 5", "hello",
            $"Watcher CHANGED_EVENT state = CONNECTED_STATE for path {p}", "version=2\taversion=0",
            $"{p}: rc = -111", $"{p}/two: rc = 0", $"{p}/two: rc = -101",
            "value_len = 5", "again", "version=3\taversion=0", "value_len = 5", "async",
            $"name = {p}/a", $"{p}/a: rc = 0", "Quitting...");
        foreach (var name in new[] { "\ttwo\n", "\ts-0000000001\n", "\te\n", "\tes-0000000003\n", "\tt\n" }) Assert.Contains(name, text);
    }

    [InteropFact(Needs.CommandLineJava | Needs.Ensemble)]
    public void ZkCli_plays_a_session()
    {
        Missing.Demand(Needs.CommandLineJava);
        var p = "/zkcli-" + Interlocked.Increment(ref _n);
        var text = Session(0.02, ["/bin/bash", Missing.ZkCli, "-server", three.Ensemble.Servers],
        [
            $"create {p} hello", $"create {p} again", $"create -e {p}/e x", $"create -s {p}/s- x", $"create -c {p}/k", $"create -t 100000 {p}/t x", $"get -s {p}", $"set -v 0 {p} bye", $"set -v 0 {p} bad", $"ls {p}", $"ls -R {p}", $"stat {p}",
            $"getAcl {p}", "addauth digest u:p", "whoami", $"create {p}/sec x auth:u:p:cdrwa", $"getAcl {p}/sec", $"addWatch -m PERSISTENT {p}", $"create {p}/new 1", $"removewatches {p}", $"getAllChildrenNumber {p}", $"getEphemerals {p}",
            $"sync {p}", $"delete {p}/new", $"delete {p}/new", $"delete {p}", $"deleteall {p}", $"ls {p}", "ls /zookeeper",
        ]);
        InOrder(text, "state:SyncConnected type:None", $"Created {p}\n", $"Node already exists: {p}", $"Created {p}/e", $"Created {p}/s-0000000001", $"Created {p}/k", $"Created {p}/t",
            "hello", "cversion = 4", "dataVersion = 0", "aclVersion = 0", "ephemeralOwner = 0x0", "dataLength = 5", "numChildren = 4",
            $"version No is not valid : {p}", "[e, k, s-0000000001, t]", $"{p}\n{p}/e\n{p}/k\n{p}/s-0000000001\n{p}/t\n", "dataVersion = 1", "dataLength = 3", "'world,'anyone\n: cdrwa", "Auth scheme: User", "digest: u",
            $"Created {p}/sec", "'digest,'u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=\n: cdrwa", $"type:NodeChildrenChanged path:{p}", "type:PersistentWatchRemoved", "6\n", $"[{p}/e]", "Sync is OK", $"Node does not exist: {p}/new", $"Node not empty: {p}", $"Node does not exist: {p}", "[config, quota]"); // its last event, "Closed", races with the end of its own process
    }

    [InteropFact(Needs.CommandLineJava | Needs.Ensemble)]
    public void ZkCli_ends_with_the_code_of_one_command()
    {
        var p = "/zkcli-one-" + Interlocked.Increment(ref _n);
        int Code(params string[] command) => Child.Run(Dir(), ["/bin/bash", Missing.ZkCli, "-server", three.Ensemble.Servers, .. command], 30).Code;
        Assert.Equal([0, 1, 0, 1], [Code("create", p, "x"), Code("create", p, "x"), Code("get", p), Code("get", p + "/none")]);
    }

    private static string Dir() => Path.Combine(Mode.Scratch, "client-" + Interlocked.Increment(ref _n));

    private static string Session(double pause, string[] program, string[] lines)
    {
        var dir = Dir();
        Directory.CreateDirectory(dir);
        var input = Path.Combine(dir, "input");
        File.WriteAllLines(input, lines);
        var (code, output, error) = Child.Run(dir, ["/bin/bash", "-c", Feed, input, pause.ToString(System.Globalization.CultureInfo.InvariantCulture), .. program], 60);
        Assert.True(code == 0, "exit code " + code + "\n" + output + error);
        return output;
    }

    private static void InOrder(string text, params string[] fragments)
    {
        var at = 0;
        foreach (var f in fragments)
        {
            var next = text.IndexOf(f, at, StringComparison.Ordinal);
            Assert.True(next >= 0, "not found, or not in its place: " + f + "\n--- what was said\n" + text);
            at = next + f.Length;
        }
    }
}
