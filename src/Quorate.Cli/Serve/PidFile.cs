using System.Globalization;

namespace Quorate.Cli.Serve;

/// <summary>A file with this process's id, whole from the moment that it can be seen; removed at an orderly end.</summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;

    private PidFile(string path) => _path = path;

    /// <summary>Null for an empty path.</summary>
    public static PidFile? Write(string path)
    {
        if (path.Length == 0) return null;
        string id = Environment.ProcessId.ToString(CultureInfo.InvariantCulture), part = path + "." + id;
        try
        {
            File.WriteAllText(part, id + "\n");
            File.Move(part, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"--pid-file {path}: {error.Message}");
        }
        return new PidFile(path);
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"quorate: --pid-file {_path} stays: {error.Message}");
        }
    }
}
