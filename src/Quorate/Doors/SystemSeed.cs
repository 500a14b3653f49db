using System.Security.Cryptography;

namespace Quorate.Doors;

/// <summary>The door of chance in production.</summary>
internal sealed class SystemSeed : ISeed
{
    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
