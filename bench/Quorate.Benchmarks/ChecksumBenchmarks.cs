using BenchmarkDotNet.Attributes;

namespace Quorate.Benchmarks;

/// <summary>What a record, a block and a snapshot's block cost to check (dotnet.md §1.5).</summary>
public class ChecksumBenchmarks
{
    private byte[] _bytes = [];

    [Params(200, 4096, 1024 * 1024)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _bytes = new byte[Size];
        var prng = new Prng(1);
        for (int i = 0; i < _bytes.Length; i++) _bytes[i] = (byte)prng.Next();
    }

    [Benchmark]
    public uint Crc() => Crc32C.Of(_bytes);
}
