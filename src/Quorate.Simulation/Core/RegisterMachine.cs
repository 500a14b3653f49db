namespace Quorate.Simulation.Core;

/// <summary>What a command says: key, kind (of <see cref="Checkers.RegisterModel"/>), values, and who waits for it.</summary>
public readonly record struct RegisterCommand(long Operation, int Kind, int Key, long Value, long NewValue)
{
    public Payload Encode(int padding)
    {
        var w = new ByteWriter(40 + padding);
        w.Int64(Operation);
        w.Int32(Kind);
        w.Int32(Key);
        w.Int64(Value);
        w.Int64(NewValue);
        w.Take(padding).Fill((byte)Operation);
        return Payload.Of(w.Written.ToArray());
    }

    public static RegisterCommand Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        return new(r.Int64(), r.Int32(), r.Int32(), r.Int64(), r.Int64());
    }
}

/// <summary>The smallest state machine that a linearizability checker can judge: registers with compare-and-set. It keeps the newest configuration that was applied, as every snapshot must.</summary>
public sealed class RegisterMachine(int keys)
{
    private readonly long[] _values = new long[keys];

    /// <summary>Commands applied, ever: two that were applied twice give another digest.</summary>
    public long Count { get; private set; }

    public ConfigurationAt? Configuration { get; set; }

    public long this[int key] => _values[key];

    /// <summary>The result: 1 done, 0 the comparison failed.</summary>
    public long Apply(in RegisterCommand command)
    {
        Count++;
        if (command.Kind == Checkers.RegisterModel.CompareAndSet && _values[command.Key] != command.Value) return 0;
        _values[command.Key] = command.Kind == Checkers.RegisterModel.CompareAndSet ? command.NewValue : command.Value;
        return 1;
    }

    public ulong Digest
    {
        get
        {
            var print = new Fingerprint();
            print.Add(Count);
            foreach (long v in _values) print.Add(v);
            return print.Value;
        }
    }

    public byte[] Encode()
    {
        var w = new ByteWriter(64);
        w.Int64(Count);
        foreach (long v in _values) w.Int64(v);
        w.Int64(Configuration?.Index ?? 0);
        w.Sized(Configuration?.Configuration.Encode() ?? []);
        return w.Written.ToArray();
    }

    public bool Restore(ReadOnlySpan<byte> bytes)
    {
        var r = new ByteReader(bytes);
        Count = r.Int64();
        for (int i = 0; i < _values.Length; i++) _values[i] = r.Int64();
        long index = r.Int64();
        var configuration = ClusterConfiguration.Decode(r.Sized());
        Configuration = configuration is null ? null : new ConfigurationAt(index, configuration);
        return r.Ok && r.AtEnd;
    }
}
