namespace Quorate.Transport.Tests.Doors;

/// <summary>Real sockets and clocks: one after the other, and not beside the worlds in memory.</summary>
[CollectionDefinition("doors", DisableParallelization = true)]
public sealed class DoorsGroup;
