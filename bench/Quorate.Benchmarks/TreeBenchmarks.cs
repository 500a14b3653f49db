using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using Quorate.Primitives.Tree;

namespace Quorate.Benchmarks;

/// <summary>One write through the tree: judged, applied, its pending change released; and one look-up by path. Neither allocates when warm.</summary>
[MemoryDiagnoser]
public class TreeBenchmarks : IApplySink
{
    private const int Nodes = 100_000;
    private readonly DataTree _tree = new();
    private readonly ByteWriter _request = new(512), _transaction = new(512), _result = new(512);
    private readonly byte[][] _paths = [.. Enumerable.Range(0, Nodes).Select(i => Encoding.UTF8.GetBytes("/k" + i.ToString(CultureInfo.InvariantCulture)))];
    private readonly byte[] _data = new byte[100];
    private long _sequence;
    private int _next;

    [GlobalSetup]
    public void Fill()
    {
        foreach (byte[] path in _paths)
        {
            _request.Clear();
            TreeRequests.Begin(_request, []);
            TreeRequests.Create(_request, TreeOp.Create, path, _data, false);
            TreeRequests.Acls(_request, 1);
            TreeRequests.Acl(_request, 31, "world"u8, "anyone"u8);
            TreeRequests.CreateEnd(_request, 0);
            Step();
        }
        if (_tree.NodeCount < Nodes) throw new InvalidOperationException("the nodes were not made");
    }

    [Benchmark]
    public void Set()
    {
        _request.Clear();
        TreeRequests.Begin(_request, []);
        TreeRequests.SetData(_request, _paths[Next()], _data, false, -1);
        Step();
    }

    [Benchmark]
    public int Find() => _tree.Find(_paths[Next()]);

    public void Event(int type, ReadOnlySpan<byte> path, long zxid, int access) { }

    /// <summary>Far from the last one, so that the caches are as cold as a real load leaves them.</summary>
    private int Next() => _next = (_next + 7919) % Nodes;

    private void Step()
    {
        _transaction.Clear();
        _result.Clear();
        _sequence++;
        _tree.Prepare(new PrepareContext(_sequence, 1, 1000, 1 << 20), _request.Written, _transaction);
        _tree.Apply(new ApplyContext(_sequence, _sequence, 1000, 1, true), _transaction.Written, this, _result);
        _tree.ReleasePending(_sequence);
    }
}
