using Quorate.Interop.Tests.Ground;

namespace Quorate.Interop.Tests.BadInput;

/// <summary>Runs ./quorate with what it must refuse: one clear line on standard error, exit code 2, in good time (DESIGN §8).</summary>
internal static class Refusals
{
    private static int _n;

    public static string Scratch()
    {
        var d = Path.Combine(Mode.Scratch, "bad-" + Interlocked.Increment(ref _n));
        Directory.CreateDirectory(d);
        return d;
    }

    /// <param name="mentions">Words that the line must hold, whatever their case.</param>
    /// <param name="arguments">Behind ./quorate.</param>
    public static void Refused(string[] mentions, params string[] arguments)
    {
        // The first start of a clean clone builds.
        var (code, output, error) = Child.Run(Scratch(), [Mode.Quorate, .. arguments], 120);
        var said = string.Join(' ', arguments) + "\n--- out\n" + output + "--- err\n" + error;
        Assert.True(code == 2, "exit code " + code + " of: " + said);
        Assert.True(error.Trim().Length > 0 && error.Trim().Split('\n').Length == 1, "not one line on standard error: " + said);
        foreach (var m in mentions) Assert.True(error.Contains(m, StringComparison.OrdinalIgnoreCase), "does not say '" + m + "': " + said);
        Assert.DoesNotContain("   at ", error);
    }

    /// <summary>Arguments of a lone member on free ports.</summary>
    public static string[] Serve(string data, params string[] more) => ["serve", "--data", data, "--zookeeper", "127.0.0.1:" + Ports.Free(), "--http", "127.0.0.1:" + Ports.Free(), .. more];
}
