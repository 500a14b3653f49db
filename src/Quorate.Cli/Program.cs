namespace Quorate.Cli;

/// <summary>The `quorate` command.</summary>
public static class Program
{
    public static int Main(string[] args)
    {
        Console.WriteLine("quorate 0.1.0");
        return 0;
    }
}
