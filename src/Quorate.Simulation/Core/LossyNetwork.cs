using Quorate.Simulation.Time;

namespace Quorate.Simulation.Core;

/// <summary>One message on its way between two cores.</summary>
/// <param name="From">The sender.</param>
/// <param name="Directory">The sender's directory when it sent.</param>
/// <param name="Link">The sender's link number.</param>
/// <param name="SentMicros">World time of sending.</param>
/// <param name="Bytes">The codec's bytes.</param>
/// <param name="Body">The snapshot that comes along, or none.</param>
/// <param name="Snapshot">Which snapshot that is.</param>
public sealed record Parcel(int From, ulong Directory, long Link, long SentMicros, byte[] Bytes, byte[]? Body, SnapshotIdentity Snapshot);

/// <summary>A network below TCP's promises: single messages are lost, doubled, late and out of order, across incarnations of sender and receiver too.</summary>
public sealed class LossyNetwork(Schedule schedule, ulong seed, int machines)
{
    private readonly bool[] _blocked = new bool[machines * machines];
    private Prng _prng = new(seed);

    public double Loss { get; set; }
    public double Double { get; set; }
    public double Late { get; set; }
    public long LateMicros { get; set; }

    public bool IsBlocked(int from, int to) => _blocked[from * machines + to];

    public void Block(int from, int to, bool blocked) => _blocked[from * machines + to] = blocked;

    public void Heal() => Array.Clear(_blocked);

    public void Send(int from, int to, Parcel parcel, Action<Parcel> arrive)
    {
        int copies = _prng.Chance(Loss) ? 0 : _prng.Chance(Double) ? 2 : 1;
        for (int i = 0; i < copies; i++)
        {
            long delay = 40 + _prng.Below(80);
            if (_prng.Chance(Late)) delay += _prng.Below(LateMicros);
            if (parcel.Body is { } body) delay += body.Length / 100;
            schedule.After(delay, () =>
            {
                if (!IsBlocked(from, to)) arrive(parcel);
            });
        }
    }
}
