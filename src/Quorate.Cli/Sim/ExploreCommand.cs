using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Quorate.Simulation.Explore;

namespace Quorate.Cli;

/// <summary>`quorate explore`: every interleaving of a small world of the very cores that serve.</summary>
internal static class ExploreCommand
{
    public static Command Make()
    {
        var protocol = new Option<string>("--protocol") { Description = "whose core", DefaultValueFactory = _ => "raft", HelpName = "raft" };
        var members = Number("--members", "voters, 1 to 5", 3);
        var proposals = Number("--proposals", "commands proposed in all", 1);
        var crashes = Number("--crashes", "crashes in all, each followed by a start", 0);
        var timeouts = Number("--timeouts", "election time-outs in all", 1);
        var beats = Number("--beats", "beats of leaders in all", 0);
        var depth = Number("--depth", "steps from the begin", 1000);
        var states = new Option<long>("--states") { Description = "stops when so many states are known", DefaultValueFactory = _ => 20_000_000, HelpName = "N" };
        var command = new Command("explore", "Searches every order of deliveries, losses, disk completions, crashes and timers of a small world, breadth first, and checks every promise in each state.") { protocol, members, proposals, crashes, timeouts, beats, depth, states };
        command.SetAction(parsed => Interrupt.Run(cancelled =>
        {
            if (parsed.GetValue(protocol) != "raft") throw new CommandException($"--protocol: '{parsed.GetValue(protocol)}' is not allowed; it must be raft");
            int Within(Option<int> option, int from, int to) => parsed.GetValue(option) is var n && n >= from && n <= to ? n : throw new CommandException($"{option.Name}: '{n.ToString(CultureInfo.InvariantCulture)}' is not allowed; it must be a number from {from.ToString(CultureInfo.InvariantCulture)} to {to.ToString(CultureInfo.InvariantCulture)}");
            var bounds = new ExploreBounds
            {
                Members = Within(members, 1, 5), Proposals = Within(proposals, 0, 100), Crashes = Within(crashes, 0, 100), Timeouts = Within(timeouts, 0, 100), Beats = Within(beats, 0, 100), Depth = Within(depth, 1, 1_000_000),
                States = parsed.GetValue(states) is var most and > 0 ? most : throw new CommandException("--states: must be more than 0"),
            };
            return Task.FromResult(Run(bounds, cancelled));
        }));
        return command;
    }

    private static Option<int> Number(string name, string description, int value) => new(name) { Description = description, DefaultValueFactory = _ => value, HelpName = "N" };

    private static int Run(ExploreBounds bounds, CancellationToken cancelled)
    {
        long start = Stopwatch.GetTimestamp();
        Console.WriteLine($"{"depth",6} {"states",14} {"steps",14} {"of this depth",14} {"states/s",10}");
        var found = new Explorer(bounds).Run(e => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{e.Depth,6} {e.States,14:#,0} {e.Steps,14:#,0} {e.Frontier,14:#,0} {e.States / Seconds(),10:#,0}")), () => cancelled.IsCancellationRequested);
        double Seconds() => Math.Max(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.001);
        var r = found.Reached;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.States:#,0} states, {r.Steps:#,0} steps, depth {r.Depth}, {r.States / Seconds():#,0} states a second in {Seconds():0.0} s: {(found.Broken is not null ? $"{found.Detail}" : found.Whole ? "nothing is left within these bounds, and no promise breaks" : "stopped at a bound; no promise breaks so far")}"));
        for (int i = 0; i < found.Trace.Count; i++) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{i + 1,4}  {found.Trace[i]}"));
        return found.Broken is null ? 0 : 1;
    }
}
