namespace Quorate.Simulation.Checkers;

/// <summary>What a client did to one key, and what it was told. The meaning of the numbers is the model's.</summary>
public sealed class Operation
{
    public required int Client { get; init; }
    public required long Key { get; init; }
    public required int Kind { get; init; }
    public long Input { get; init; }
    public long Input2 { get; init; }

    /// <summary>When the client asked: order numbers of the world, no two are equal.</summary>
    public required long Called { get; init; }

    /// <summary>When it was answered; <see cref="long.MaxValue"/>: never, its outcome is unknown and it may take effect at any later time, or never.</summary>
    public long Returned { get; set; } = long.MaxValue;

    public long Output { get; set; }
    public long Output2 { get; set; }

    public bool Unknown => Returned == long.MaxValue;

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"client {Client} key {Key} kind {Kind} in {Input},{Input2} out {(Unknown ? "?" : $"{Output},{Output2}")} [{Called}..{(Unknown ? "" : Returned.ToString(System.Globalization.CultureInfo.InvariantCulture))}]");
}

/// <summary>A sequential object: a pure function from a state and an operation to the next state, or "it could not have said that". States are two numbers, so that they compare and hash cheaply.</summary>
public interface ISequentialModel
{
    (long A, long B) Initial { get; }

    /// <summary>False when the operation's answer does not fit; an unknown one fits anywhere.</summary>
    bool Step((long A, long B) state, Operation operation, out (long A, long B) next);

    /// <summary>True when, with its outcome unknown and nobody having seen it, leaving the operation out can only make the history harder to explain by nothing: tried first, because it is cheap.</summary>
    bool MayLeaveOut(Operation unknown, List<Operation> history);
}

public enum Verdict
{
    Linearizable,
    Broken,

    /// <summary>The search's budget was used up; counted, never taken for either.</summary>
    Undecided,
}
