using System.Numerics;

namespace Quorate.Cli.Bench;

/// <summary>Latencies in buckets of at most 1.6 % width, so that ten minutes of load need no more memory than a second of it.</summary>
internal sealed class LatencyTable
{
    private const int Fine = 6;
    private readonly long[] _buckets = new long[(64 - Fine) << Fine];

    public long Count { get; private set; }
    public long Max { get; private set; }

    public void Add(long nanos)
    {
        _buckets[BucketOf(nanos)]++;
        Count++;
        if (nanos > Max) Max = nanos;
    }

    public void Add(LatencyTable other)
    {
        for (int i = 0; i < _buckets.Length; i++) _buckets[i] += other._buckets[i];
        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    public void Clear()
    {
        Array.Clear(_buckets);
        Count = Max = 0;
    }

    /// <summary>The latency in nanoseconds below which this part of all lies; 0 of nothing.</summary>
    public long Quantile(double part)
    {
        long rank = Math.Min(Count - 1, (long)(part * Count));
        for (int i = 0; i < _buckets.Length && Count > 0; i++)
            if ((rank -= _buckets[i]) < 0) return Math.Min(MiddleOf(i), Max);
        return 0;
    }

    private static int BucketOf(long value)
    {
        if (value < 1 << Fine) return (int)Math.Max(0, value);
        int shift = BitOperations.Log2((ulong)value) - Fine;
        return ((shift + 1) << Fine) + (int)(value >> shift) - (1 << Fine);
    }

    private static long MiddleOf(int bucket)
    {
        if (bucket < 1 << Fine) return bucket;
        int shift = (bucket >> Fine) - 1;
        long low = (long)((bucket & ((1 << Fine) - 1)) + (1 << Fine)) << shift;
        return low + ((1L << shift) >> 1);
    }
}
