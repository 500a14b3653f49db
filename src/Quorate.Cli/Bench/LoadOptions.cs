namespace Quorate.Cli.Bench;

internal enum LoadMode { Set, Get, Create, Mix }

/// <summary>A closed loop: so many connections, so many requests in flight on each.</summary>
internal sealed record LoadOptions
{
    public required IReadOnlyList<Address> Servers { get; init; }
    public LoadMode Mode { get; init; } = LoadMode.Set;
    public int Connections { get; init; } = 30;
    public int Pipeline { get; init; } = 16;
    public int Size { get; init; } = 100;
    public int Keys { get; init; } = 1000;
    public int ReadPercent { get; init; } = 90;
    public double Seconds { get; init; } = 10;
    public double WarmSeconds { get; init; } = 2;
    public string Root { get; init; } = "/bench";

    /// <summary>"set100" is set with 100 bytes; a bare "mix" keeps the size. Null when it is no mode.</summary>
    public static (LoadMode Mode, int? Size)? Parse(string text)
    {
        string word = text.TrimEnd("0123456789k".ToCharArray()), size = text[word.Length..];
        if (!Enum.TryParse<LoadMode>(word, ignoreCase: true, out var mode) || !Enum.IsDefined(mode)) return null;
        if (size.Length == 0) return (mode, null);
        int unit = size.EndsWith('k') ? 1024 : 1;
        if (!int.TryParse(size.TrimEnd('k'), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int bytes) || bytes > 1_000_000 / unit) return null;
        return (mode, bytes * unit);
    }
}

/// <summary>What a load measured.</summary>
internal sealed record LoadResult
{
    public required string Mode { get; init; }
    public required int Conns { get; init; }
    public required int Pipeline { get; init; }
    public required int Size { get; init; }
    public required long Ops { get; init; }
    public required long Errors { get; init; }
    public required int FirstError { get; init; }
    public required long OrderBreaches { get; init; }
    public required long ZxidBreaches { get; init; }
    public required long SizeBreaches { get; init; }
    public required int LostConns { get; init; }
    public required double OpsPerS { get; init; }
    public required double P50Us { get; init; }
    public required double P99Us { get; init; }
    public required double P999Us { get; init; }
    public required double MaxUs { get; init; }

    /// <summary>The longest time without any reply: what a closed loop hides.</summary>
    public required double LongestGapMs { get; init; }

    public bool Clean => Errors == 0 && OrderBreaches == 0 && ZxidBreaches == 0 && SizeBreaches == 0 && LostConns == 0;
}
