namespace Quorate.Primitives.Tree;

/// <summary>
/// Reads a result record: <see cref="Op"/> and <see cref="Error"/> of the whole; for a create its <see cref="Path"/> (create2, container, TTL: and <see cref="Stat"/>), for setData and setACL the Stat.
/// For a multi (<see cref="IsMulti"/>) call <see cref="Next"/> once for each sub-operation: Op, Error, Path and Stat are then that one's. A failed multi has <see cref="Failed"/> set and only errors:
/// 0 before the failed one, its code, -2 behind it (zookeeper.md §1.5).
/// </summary>
public ref struct TreeResult
{
    private ByteReader _reader;
    private int _left;
    private ReadOnlySpan<byte> _stat;

    public TreeResult(ReadOnlySpan<byte> record)
    {
        _reader = new ByteReader(record);
        var op = (TreeOp)_reader.Byte();
        if (op is TreeOp.Multi or TreeOp.FailedMulti)
        {
            IsMulti = true;
            Failed = op == TreeOp.FailedMulti;
            Op = TreeOp.Multi;
            _left = Count = _reader.Int32();
        }
        else if (op == TreeOp.Error)
        {
            Op = (TreeOp)_reader.Byte();
            Error = _reader.Int32();
        }
        else
        {
            Op = op;
            Body();
        }
    }

    public TreeOp Op { get; private set; }

    public int Error { get; private set; }

    /// <summary>It was a multi that could be judged. One that could not (-5) is no multi here: Op Multi, Error -5.</summary>
    public bool IsMulti { get; }

    /// <summary>A sub-operation failed: every entry is an error.</summary>
    public bool Failed { get; }

    /// <summary>Sub-operations of the multi.</summary>
    public int Count { get; }

    /// <summary>A create's final path, UTF-8.</summary>
    public ReadOnlySpan<byte> Path { get; private set; }

    public readonly bool HasStat => !_stat.IsEmpty;

    public readonly TreeStat Stat => TreeStat.Read(_stat);

    /// <summary>Moves to the next sub-operation of a multi.</summary>
    public bool Next()
    {
        if (_left <= 0 || _reader.Failed) return false;
        _left--;
        Op = (TreeOp)_reader.Byte();
        if (Failed)
        {
            Error = _reader.Int32();
            return _reader.Ok;
        }
        Body();
        return _reader.Ok;
    }

    private void Body()
    {
        Path = default;
        _stat = default;
        Error = _reader.Int32();
        if (Error != 0) return;
        if (Op is TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl) Path = _reader.Sized();
        if (Op is TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl or TreeOp.SetData or TreeOp.SetAcl) _stat = _reader.Bytes(TreeStat.Size);
    }
}
