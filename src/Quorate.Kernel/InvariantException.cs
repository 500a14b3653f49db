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
}
