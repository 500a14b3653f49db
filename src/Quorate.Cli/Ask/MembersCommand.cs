using System.CommandLine;
using System.Globalization;

namespace Quorate.Cli.Ask;

/// <summary>`quorate members add|remove|promote`: one voter at a time (Raft §4.1). `accept-loss`: an operator's word on damaged entries (storage.md §2.4).</summary>
internal static class MembersCommand
{
    public static Command Make()
    {
        var command = new Command("members", "Changes who belongs to the cluster: one at a time, asked of the leader.");
        var http = Member.Http();
        http.Recursive = true; // before the word as well as behind it
        command.Options.Add(http);
        var address = new Argument<string>("HOST:PORT") { Description = "where its mesh listens" };
        command.Subcommands.Add(Change("add", "Adds a learner: it gets the log and does not vote. Then start it with the same list of members.", address, http, (id, where) => $"/api/members/add?id={id}&address={Uri.EscapeDataString(where)}"));
        command.Subcommands.Add(Change("promote", "Gives a learner that has caught up its vote.", null, http, (id, _) => $"/api/members/promote?id={id}"));
        command.Subcommands.Add(Change("remove", "Removes a member.", null, http, (id, _) => $"/api/members/remove?id={id}"));
        command.Subcommands.Add(AcceptLoss(http));
        return command;
    }

    /// <summary>Asked of the damaged member itself, never passed on: what another one holds is not what is lost.</summary>
    private static Command AcceptLoss(Option<string> http)
    {
        var indexes = new Option<string>("--indexes") { Description = "the damaged positions that are lost, all from the lowest on, as its status and log name them", HelpName = "N,N-N", Required = true };
        var command = new Command("accept-loss", "Accepts that damaged entries of a member's log are lost for good, with everything above the lowest of them. Only when no leader can bring it past them: what they held may have been acknowledged.") { indexes };
        command.SetAction(parsed => Interrupt.Run(async _ =>
        {
            string named = parsed.GetValue(indexes)!;
            if (LogIndexes.Parse(named, out string reason) is null) throw new CommandException("--indexes: " + reason);
            var members = Member.Parse(parsed.GetValue(http)!);
            if (members.Count != 1) throw new CommandException("--http: the damaged member alone is asked; name its HTTP side and no other");
            await Member.DoAsync(members, "/api/members/accept-loss?indexes=" + Uri.EscapeDataString(named)).ConfigureAwait(false);
            Console.WriteLine("done");
            return 0;
        }));
        return command;
    }

    private static Command Change(string name, string about, Argument<string>? address, Option<string> http, Func<string, string, string> path)
    {
        var id = new Argument<int>("ID") { Description = "its number" };
        var command = new Command(name, about) { id };
        if (address is not null) command.Arguments.Add(address);
        command.SetAction(parsed => Interrupt.Run(async _ =>
        {
            int number = parsed.GetValue(id);
            if (number is < 1 or > 254) throw new CommandException($"'{number.ToString(CultureInfo.InvariantCulture)}' is not allowed; an id is a number from 1 to 254");
            string where = address is null ? "" : parsed.GetValue(address)!;
            if (address is not null && Address.Parse(where, out string reason) is null) throw new CommandException($"'{where}' is not HOST:PORT: {reason}");
            await Member.DoAsync(Member.Parse(parsed.GetValue(http)!), path(number.ToString(CultureInfo.InvariantCulture), where)).ConfigureAwait(false);
            Console.WriteLine("done");
            return 0;
        }));
        return command;
    }
}

/// <summary>`quorate transfer-leadership`.</summary>
internal static class TransferCommand
{
    public static Command Make()
    {
        var to = new Option<int?>("--to") { Description = "the member that shall lead; default: the one that is furthest", HelpName = "ID" };
        var http = Member.Http();
        var command = new Command("transfer-leadership", "Hands leadership over; asked of the leader.") { to, http };
        command.SetAction(parsed => Interrupt.Run(async _ =>
        {
            await Member.DoAsync(Member.Parse(parsed.GetValue(http)!), "/api/transfer" + (parsed.GetValue(to) is { } id ? "?to=" + id.ToString(CultureInfo.InvariantCulture) : "")).ConfigureAwait(false);
            Console.WriteLine("done");
            return 0;
        }));
        return command;
    }
}
