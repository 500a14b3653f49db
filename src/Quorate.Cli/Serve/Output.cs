namespace Quorate.Cli.Serve;

/// <summary>Lines on standard output that a member can do without: its output may be a file on the very disk that is full, or a pipe whose reader left, and neither is a reason to stop serving.</summary>
internal static class Output
{
    private static long s_lost;

    /// <summary>Writes the line; when it cannot be written it is counted, and the next one that can says how many are missing.</summary>
    public static void Line(string text)
    {
        try
        {
            long lost = Interlocked.Read(ref s_lost);
            if (lost > 0) Console.Out.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"({lost} lines before this one could not be written)"));
            Console.Out.WriteLine(text);
            Interlocked.Add(ref s_lost, -lost);
        }
        catch (IOException)
        {
            Interlocked.Increment(ref s_lost);
        }
    }
}
