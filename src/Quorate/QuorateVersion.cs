using System.Reflection;

namespace Quorate;

public static class QuorateVersion
{
    /// <summary>As 0.1.0, without what the build appends.</summary>
    public static string Text { get; } = (typeof(QuorateVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+')[0];
}
