using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace Quorate.Cli.Ask;

/// <summary>`quorate status`: a member's own view as a table, or as JSON.</summary>
internal static class StatusCommand
{
    public static Command Make()
    {
        var http = Member.Http();
        var json = new Option<bool>("--json") { Description = "JSON instead of the table" };
        var command = new Command("status", "Shows what a member says of itself and of its cluster.") { http, json };
        command.SetAction(parsed => Interrupt.Run(async _ =>
        {
            bool whole = true;
            var members = Member.Parse(parsed.GetValue(http)!);
            foreach (var address in members)
            {
                try
                {
                    var (status, text) = await Member.StatusAsync(address).ConfigureAwait(false);
                    if (parsed.GetValue(json)) Console.Write(text);
                    else Show(status);
                    whole &= status.Serving;
                }
                catch (CommandException silent) when (members.Count > 1)
                {
                    whole = false;
                    Program.Fail(silent.Message); // the others are asked all the same
                }
            }
            return whole ? 0 : 1;
        }));
        return command;
    }

    internal static void Show(MemberStatus status)
    {
        var about = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "");
        string leader = status.Leader == 0 ? "no leader known" : status.Leader == status.Id ? "this member" : "member " + Text(status.Leader);
        foreach (var (name, value) in new[]
        {
            ("member", string.Create(CultureInfo.InvariantCulture, $"{status.Id}, {status.Role}{(status.Serving ? ", serves" : ", does not serve")}, up {TimeSpan.FromSeconds(Math.Round(status.UptimeSeconds)):c}")),
            ("leader", string.Create(CultureInfo.InvariantCulture, $"{leader}, term {status.Term}")),
            ("log", string.Create(CultureInfo.InvariantCulture, $"committed {status.Commit:#,0}, applied {status.Applied:#,0}, zxid {status.Zxid}, level {status.Storage}{(status.LowSpace ? ", NO ROOM for new writes" : "")}{(status.Damaged > 0 ? string.Create(CultureInfo.InvariantCulture, $", DAMAGED: {status.Damaged:#,0} entries, the highest {status.DamagedHighest}") : "")}")),
            ("clients", string.Create(CultureInfo.InvariantCulture, $"{status.Connections:#,0} connections here at {status.ZooKeeper}, {status.Watches:#,0} watches; {status.Sessions:#,0} sessions in the cluster")),
            ("tree", string.Create(CultureInfo.InvariantCulture, $"{status.Nodes:#,0} znodes, {status.DataBytes:#,0} bytes")),
            ("cluster", string.Create(CultureInfo.InvariantCulture, $"{status.Cluster}, directory {status.Directory}, run {status.Run}, version {status.Version}")),
        }) about.AddRow(new Text(name), new Text(value));
        AnsiConsole.Write(about);
        var members = new Table().Border(TableBorder.Rounded).AddColumns("member", "mesh", "votes", "linked", "applied", "http");
        foreach (var m in status.Members)
            members.AddRow(new Text(Text(m.Id) + (m.Id == status.Leader ? " leads" : "")), new Text(m.Address.Length == 0 ? "none" : m.Address), new Text(m.Voter ? "yes" : "learner"), new Text(m.Linked ? "yes" : "no"), new Text(m.Applied?.ToString("#,0", CultureInfo.InvariantCulture) ?? ""), new Text(m.Http));
        AnsiConsole.Write(members);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
