using System.Net;
using System.Net.Sockets;
using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>What a person may type wrong.</summary>
public sealed class CommandLineTests
{
    [InteropFact(Needs.Quorate)]
    public void A_wrong_flag_command_or_setting()
    {
        var data = Path.Combine(Refusals.Scratch(), "data");
        Refusals.Refused(["--nope"], Refusals.Serve(data, "--nope"));
        Refusals.Refused(["serv"], "serv");
        Refusals.Refused(["tickTim"], Refusals.Serve(data, "--set", "tickTim=2000"));
        Refusals.Refused(["tickTime", "soon"], Refusals.Serve(data, "--set", "tickTime=soon"));
        Refusals.Refused(["segmentBytes"], Refusals.Serve(data, "--set", "segmentBytes=4096"));
        Refusals.Refused(["storage"], Refusals.Serve(data, "--storage", "paper"));
        Assert.False(Directory.Exists(data), "a refused start touched the data directory");
    }

    [InteropTheory(Needs.Quorate)]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:99999")]
    [InlineData("127.0.0.1:x")]
    [InlineData("no such host:2181")]
    [InlineData("")]
    public void A_wrong_address(string address)
    {
        var data = Path.Combine(Refusals.Scratch(), "data");
        Refusals.Refused(["zookeeper"], "serve", "--data", data, "--zookeeper", address, "--http", "none");
        Assert.False(Directory.Exists(data));
    }

    [InteropFact(Needs.Quorate)]
    public void An_address_of_another_machine() =>
        // 192.0.2.0/24 is nobody's (RFC 5737): it cannot be bound here.
        Refusals.Refused(["192.0.2.1"], "serve", "--data", Path.Combine(Refusals.Scratch(), "data"), "--zookeeper", "192.0.2.1:2181", "--http", "none");

    [InteropTheory(Needs.Quorate)]
    [InlineData("1=127.0.0.1:{a},1=127.0.0.1:{b}", "1")]
    [InlineData("1=127.0.0.1:{a},2=127.0.0.1:{a}", "{a}")]
    [InlineData("2=127.0.0.1:{a},3=127.0.0.1:{b}", "id")]
    [InlineData("1:127.0.0.1:{a}", "members")]
    [InlineData("0=127.0.0.1:{a},1=127.0.0.1:{b}", "0")]
    public void A_wrong_list_of_members(string members, string mention)
    {
        var (a, b) = (Ports.Free().ToString(), Ports.Free().ToString());
        string Fill(string s) => s.Replace("{a}", a).Replace("{b}", b);
        Refusals.Refused([Fill(mention)], Refusals.Serve(Path.Combine(Refusals.Scratch(), "data"), "--id", "1", "--members", Fill(members)));
    }

    [InteropTheory(Needs.Quorate)]
    [InlineData("--zookeeper")]
    [InlineData("--http")]
    [InlineData("--peer")]
    public void A_port_in_use(string flag)
    {
        using var held = new TcpListener(IPAddress.Loopback, 0);
        held.Start();
        var port = ((IPEndPoint)held.LocalEndpoint).Port;
        var arguments = new List<string> { "serve", "--data", Path.Combine(Refusals.Scratch(), "data") };
        foreach (var f in new[] { "--zookeeper", "--http" }) arguments.AddRange([f, "127.0.0.1:" + (f == flag ? port : Ports.Free())]);
        if (flag == "--peer") arguments.AddRange(["--id", "1", "--members", $"1=127.0.0.1:{port},2=127.0.0.1:{Ports.Free()},3=127.0.0.1:{Ports.Free()}"]);
        Refusals.Refused([port.ToString()], [.. arguments]);
    }
}
