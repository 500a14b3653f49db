using System.Runtime.CompilerServices;

namespace Quorate.Kernel;

/// <summary>A broken promise, by its name: this replica must stop (DESIGN §9.6). Never caught to go on.</summary>
public sealed class InvariantException(string name, string detail) : Exception($"{name}: {detail}")
{
    /// <summary>The invariant's name as its protocol's Invariants.cs gives it.</summary>
    public string Name { get; } = name;
}

/// <summary>States invariants where they must hold.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantException"/> unless <paramref name="holds"/>.</summary>
    public static void That(bool holds, string name, string detail = "")
    {
        if (!holds) throw new InvariantException(name, detail);
    }
    /// <summary>The same with an interpolated text, which is put together only when the promise is broken: stating one on a hot path allocates nothing.</summary>
    public static void That(bool holds, string name, [InterpolatedStringHandlerArgument(nameof(holds))] ref BrokenPromiseText detail)
    {
        if (!holds) throw new InvariantException(name, detail.ToStringAndClear());
    }
}

/// <summary>The compiler's way to put a text together only where it is needed.</summary>
[InterpolatedStringHandler]
public ref struct BrokenPromiseText
{
    private DefaultInterpolatedStringHandler _text;

    public BrokenPromiseText(int literalLength, int formattedCount, bool holds, out bool needed)
    {
        needed = !holds;
        if (needed) _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);
    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);
    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);
    public void AppendFormatted(ReadOnlySpan<char> value) => _text.AppendFormatted(value);
    internal string ToStringAndClear() => _text.ToStringAndClear();
}
