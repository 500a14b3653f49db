using BenchmarkDotNet.Running;

namespace Quorate.Benchmarks;

/// <summary>The micro level only: `dotnet run -c Release --project bench/Quorate.Benchmarks -- --filter '*'`. The system is measured by `./quorate bench`.</summary>
public static class Program
{
    public static void Main(string[] args) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
}
