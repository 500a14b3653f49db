using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Quorate.Cli.Ask;
using Quorate.Cli.Bench;
using Quorate.Cli.Dev;
using Quorate.Cli.Serve;

namespace Quorate.Cli;

/// <summary>The `quorate` command: parses, runs one command, turns what is wrong into one line and an exit code (DESIGN §8). No host is built for --help, status or an error.</summary>
public static class Program
{
    public const int Wrong = 2;

    public static int Main(string[] args)
    {
        if (Console.IsOutputRedirected) Spectre.Console.AnsiConsole.Profile.Width = 140;
        try
        {
            return Run(args);
        }
        catch (CommandException error)
        {
            return Fail(error.Message, error.Code);
        }
    }

    /// <summary>A plain command at the root, so that it is called quorate whatever the executable is.</summary>
    internal static Command Root()
    {
        var version = new Option<bool>("--version") { Description = "Show the version", Action = new ShowVersion() };
        var root = new Command("quorate", "Distributed coordination for .NET: embed it, run it, or point your ZooKeeper clients at it.")
        {
            new HelpOption(), version, ServeCommand.Make(), DevCommand.Make(), StatusCommand.Make(), MembersCommand.Make(), TransferCommand.Make(), BenchCommand.Make(), SimCommand.Make(), ExploreCommand.Make(),
        };
        GiveExamples(root);
        return root;
    }

    internal static int Fail(string message, int code = Wrong)
    {
        Console.Error.WriteLine("quorate: " + message);
        return code;
    }

    private static int Run(string[] args)
    {
        var root = Root();
        var parsed = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not (HelpWithExample or ShowVersion))
        {
            var error = parsed.Errors.FirstOrDefault(e => e.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? parsed.Errors[0];
            return Fail($"{error.Message.TrimEnd('.')} (see: {NameOf(parsed.CommandResult)} --help)");
        }
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static string NameOf(CommandResult command)
    {
        string name = command.Command.Name;
        for (var parent = command.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult) name = parent.Command.Name + " " + name;
        return name;
    }

    /// <summary>--help ends with an example of the command that was asked about.</summary>
    private static void GiveExamples(Command root)
    {
        foreach (var option in root.Options)
            if (option is HelpOption { Action: HelpAction help }) option.Action = new HelpWithExample(help);
    }

    private sealed class ShowVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            Console.WriteLine("quorate " + QuorateVersion.Text);
            return 0;
        }
    }

    private sealed class HelpWithExample(HelpAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int code = help.Invoke(parseResult);
            Console.WriteLine("Example:");
            foreach (string line in Examples.Of(parseResult.CommandResult.Command.Name)) Console.WriteLine("  " + line);
            Console.WriteLine();
            return code;
        }
    }
}
