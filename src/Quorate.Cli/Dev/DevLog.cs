using System.Globalization;

namespace Quorate.Cli.Dev;

/// <summary>One log of many processes: each line with its member before it, each member in its colour (no colour where nobody looks, or NO_COLOR is set).</summary>
internal sealed class DevLog(int count) : IDisposable
{
    private static readonly string[] s_colours = ["36", "33", "35", "32", "34", "31", "96", "93", "95"];
    private readonly bool _coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    private readonly TextWriter _out = TextWriter.Synchronized(Console.Out);

    /// <summary>A line of member <paramref name="index"/>, or of the command itself (-1).</summary>
    public void Line(int index, string text)
    {
        string who = (index < 0 ? "dev" : "n" + (index + 1).ToString(CultureInfo.InvariantCulture)).PadRight(count > 9 ? 4 : 3);
        _out.WriteLine(_coloured ? $"\x1b[{(index < 0 ? "1" : s_colours[index % s_colours.Length])}m{who}\x1b[0m | {text}" : $"{who} | {text}");
        _out.Flush();
    }

    public void Dispose() => _out.Flush();
}
