namespace Quorate.Kernel;

/// <summary>Hands out payloads as slices of 64 KiB chunks, so that a command costs its bytes and no object of its own. A full chunk belongs to its payloads; it is never reused.</summary>
public sealed class PayloadChunks
{
    private const int ChunkBytes = 64 * 1024;
    private byte[] _chunk = [];
    private int _used;

    /// <summary>Copies <paramref name="bytes"/> into the current chunk and checksums them.</summary>
    public Payload Copy(ReadOnlySpan<byte> bytes) => Copy(bytes, Crc32C.Of(bytes));

    /// <summary>Copies bytes whose checksum came with them.</summary>
    public Payload Copy(ReadOnlySpan<byte> bytes, uint checksum)
    {
        if (bytes.Length > ChunkBytes / 4) return new Payload(bytes.ToArray(), 0, bytes.Length, checksum);
        if (_chunk.Length - _used < bytes.Length)
        {
            _chunk = GC.AllocateUninitializedArray<byte>(ChunkBytes);
            _used = 0;
        }
        bytes.CopyTo(_chunk.AsSpan(_used));
        var payload = new Payload(_chunk, _used, bytes.Length, checksum);
        _used += bytes.Length;
        return payload;
    }
}
