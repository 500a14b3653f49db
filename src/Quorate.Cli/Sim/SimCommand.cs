using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Quorate.Simulation;
using Quorate.Simulation.Scenarios;

namespace Quorate.Cli;

/// <summary>`quorate sim`: worlds from seeds, one a core; a seed and its options make the same world every time.</summary>
internal static class SimCommand
{
    public static Command Make()
    {
        var seeds = new Option<string>("--seeds") { Description = "one seed, or from..to (to is left out)", DefaultValueFactory = _ => "0..100", HelpName = "N|FROM..TO" };
        var world = new Option<string>("--world") { Description = "core: protocol and storage; served: whole members and ZooKeeper clients", DefaultValueFactory = _ => "core", HelpName = "core|served" };
        var trace = new Option<bool>("--trace") { Description = "every event of a single seed" };
        var seconds = new Option<double>("--fault-seconds") { Description = "simulated seconds of faults in each world", DefaultValueFactory = _ => 3, HelpName = "S" };
        var workers = new Option<int>("--workers") { Description = "worlds at once; default: one a core", DefaultValueFactory = _ => Environment.ProcessorCount, HelpName = "N" };
        var scenario = new Option<FileInfo>("--scenario") { Description = "plays a scenario file for whole members and prints what comes of it; with --trace every event as well", HelpName = "FILE" };
        var command = new Command("sim", "Runs simulated worlds (crashes, partitions, lost and torn disks) and checks every promise in them.") { seeds, world, trace, seconds, workers, scenario };
        command.SetAction(parsed => Interrupt.Run(cancelled =>
        {
            if (parsed.GetValue(scenario) is { } file) return Task.FromResult(Play(file, parsed.GetValue(trace)));
            var (from, to) = ParseSeeds(parsed.GetValue(seeds)!);
            if (!Enum.TryParse<WorldKind>(parsed.GetValue(world), ignoreCase: true, out var kind) || !Enum.IsDefined(kind)) throw new CommandException($"--world: '{parsed.GetValue(world)}' is not allowed; it must be core or served");
            if (parsed.GetValue(seconds) is not (> 0 and < 100_000)) throw new CommandException("--fault-seconds: must be more than 0");
            if (parsed.GetValue(trace) && to - from != 1) throw new CommandException("--trace: needs one seed");
            if (parsed.GetValue(workers) < 1) throw new CommandException("--workers: must be more than 0");
            var options = new SimOptions { World = kind, FaultMicros = (long)(parsed.GetValue(seconds) * 1e6), Line = parsed.GetValue(trace) ? Console.WriteLine : null };
            return Task.FromResult(Run(from, to, options, parsed.GetValue(workers), cancelled));
        }));
        return command;
    }

    private static int Play(FileInfo file, bool trace)
    {
        if (!file.Exists) throw new CommandException($"--scenario: there is no file {file.FullName}");
        var (text, broken) = Scenario.Play(File.ReadAllText(file.FullName), trace ? Console.WriteLine : null);
        Console.Write(text);
        if (broken is not null) Console.Error.WriteLine($"{file.Name} does not play to its end: {broken.Split('\n')[0]}");
        return broken is null ? 0 : 1;
    }

    internal static (ulong From, ulong To) ParseSeeds(string text)
    {
        string[] ends = text.Split("..");
        if (ends.Length is 1 or 2 && ulong.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong from))
        {
            if (ends.Length == 1) return (from, from + 1);
            if (ulong.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong to) && to > from) return (from, to);
        }
        throw new CommandException($"--seeds: '{text}' is not allowed; it must be a number or FROM..TO");
    }

    private static int Run(ulong from, ulong to, SimOptions options, int workers, CancellationToken cancelled)
    {
        var tally = new Tally(to - from);
        ulong next = from;
        var threads = new List<Thread>();
        for (int i = 0; i < workers; i++)
        {
            var thread = new Thread(() =>
            {
                ulong seed;
                while (!cancelled.IsCancellationRequested && (seed = Interlocked.Increment(ref next) - 1) < to) tally.Add(SimRun.Run(seed, options));
            }, 16 * 1024 * 1024) { Name = "world " + i.ToString(CultureInfo.InvariantCulture) };
            thread.Start();
            threads.Add(thread);
        }
        foreach (var thread in threads) thread.Join();
        return tally.Close();
    }

    /// <summary>What came of all worlds; each broken one is told when it breaks, with the command that shows it again.</summary>
    private sealed class Tally(ulong wanted)
    {
        private readonly Lock _lock = new();
        private readonly long _start = Stopwatch.GetTimestamp();
        private ulong _worlds, _broken;
        private long _operations, _faults, _undecided, _micros, _shown;
        private ulong _hash;

        public void Add(SimOutcome outcome)
        {
            lock (_lock)
            {
                _worlds++;
                _operations += outcome.Operations;
                _faults += outcome.Faults;
                _undecided += outcome.Undecided;
                _micros += outcome.SimulatedMicros;
                _hash = unchecked(_hash + outcome.Hash);
                if (outcome.Broken is not null)
                {
                    _broken++;
                    Console.WriteLine($"seed {outcome.Seed.ToString(CultureInfo.InvariantCulture)}: {outcome.Broken}: {outcome.Detail}");
                }
                if (!Console.IsErrorRedirected && Stopwatch.GetElapsedTime(_shown).TotalSeconds > 1)
                {
                    _shown = Stopwatch.GetTimestamp();
                    Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{_worlds} of {wanted} worlds, {_broken} broken"));
                }
            }
        }

        public int Close()
        {
            if (!Console.IsErrorRedirected) Console.Error.Write("\r");
            double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_worlds} worlds, {_broken} broken; {_faults:#,0} faults, {_operations:#,0} operations checked, {_undecided} histories undecided; {_micros / 1e6:#,0} simulated seconds in {seconds:0.0} s; trace hash {_hash:x16}"));
            return _broken == 0 ? 0 : 1;
        }
    }
}
