namespace Quorate.Primitives.Tree;

/// <summary>Goes through an access list in our records: Int32 count, then for each Int32 perms and scheme and id, each with an Int32 length before it.</summary>
public ref struct AclReader
{
    private ByteReader _reader;
    private int _left;

    public AclReader(ReadOnlySpan<byte> list)
    {
        _reader = new ByteReader(list);
        _left = Count = Math.Max(0, _reader.Int32());
    }

    public int Count { get; }

    public int Perms { get; private set; }

    public ReadOnlySpan<byte> Scheme { get; private set; }

    public ReadOnlySpan<byte> Id { get; private set; }

    public bool Next()
    {
        if (_left == 0) return false;
        _left--;
        Perms = _reader.Int32();
        Scheme = _reader.Sized();
        Id = _reader.Sized();
        return _reader.Ok;
    }
}
