namespace Quorate.Storage;

/// <summary>What a record in a header says. 1 to 9 are <see cref="PersistKind"/>'s numbers (storage.md §1.4).</summary>
internal enum OpKind : byte
{
    Promise = 1,
    Append = 2,
    Put = 3,
    Stamp = 4,
    Cut = 5,
    Stage = 6,
    Switch = 7,
    LogBegin = 8,
    Moved = 9,

    /// <summary>A configuration in the log, said in the header so that a damaged entry does not hide it (§2.4).</summary>
    Configuration = 10,

    /// <summary>An opening's: everything that is no run of one partition (§1.5). Configurations and the mark follow as records of their own.</summary>
    Facts = 11,

    /// <summary>The list of damaged entries that are left.</summary>
    Mark = 12,
}

/// <summary>One record of a batch's header. Which fields count depends on the kind.</summary>
internal struct BatchOp
{
    public int Partition;
    public OpKind Kind;
    public bool Flag;                 // Switch: keeps the tail. Moved: a staged run. Cut: of what is staged
    public long First, Last;          // Cut: everything from First on. Configuration: First is its index. LogBegin: First is the index
    public ulong Term;
    public int Offset, Length;        // the run's bytes in the batch's region
    public uint Checksum;             // CRC-32C of them
    public Promise Promise;
    public SnapshotIdentity Snapshot; // Switch; LogBegin and Facts: what the begin rests on
    public SnapshotIdentity Installed; // Facts: the last snapshot that a switch adopted
    public ClusterConfiguration? Configuration;
    public DamagedEntry[]? Mark;

    public readonly bool HasBytes => Kind is OpKind.Append or OpKind.Put or OpKind.Stage or OpKind.Moved;

    public readonly void Write(ByteWriter w)
    {
        w.Int32(Partition);
        w.Byte((byte)Kind);
        w.Bool(Flag);
        switch (Kind)
        {
            case OpKind.Promise:
                WritePromise(w, Promise);
                break;
            case OpKind.Append or OpKind.Put or OpKind.Stage or OpKind.Moved:
                w.Int64(First);
                w.Int64(Last);
                w.UInt64(Term);
                w.Int32(Offset);
                w.Int32(Length);
                w.UInt32(Checksum);
                break;
            case OpKind.Stamp:
                w.Int64(First);
                w.Int64(Last);
                w.UInt64(Term);
                break;
            case OpKind.Cut:
                w.Int64(First);
                break;
            case OpKind.Switch:
                WriteSnapshot(w, Snapshot);
                break;
            case OpKind.LogBegin:
                w.Int64(First);
                w.UInt64(Term);
                WriteSnapshot(w, Snapshot);
                break;
            case OpKind.Configuration:
                w.Int64(First);
                w.Sized(Configuration!.Encode());
                break;
            case OpKind.Facts:
                WritePromise(w, Promise);
                w.Int64(First);
                w.UInt64(Term);
                WriteSnapshot(w, Snapshot);
                WriteSnapshot(w, Installed);
                break;
            case OpKind.Mark:
                w.Int32(Mark!.Length);
                foreach (var m in Mark)
                {
                    w.UInt64(m.Term);
                    w.Int64(m.Index);
                }
                break;
        }
    }

    /// <summary>False when the bytes are no record.</summary>
    public static bool TryRead(ref ByteReader r, out BatchOp op)
    {
        op = new BatchOp { Partition = r.Int32(), Kind = (OpKind)r.Byte(), Flag = r.Bool() };
        switch (op.Kind)
        {
            case OpKind.Promise:
                op.Promise = ReadPromise(ref r);
                break;
            case OpKind.Append or OpKind.Put or OpKind.Stage or OpKind.Moved:
                op.First = r.Int64();
                op.Last = r.Int64();
                op.Term = r.UInt64();
                op.Offset = r.Int32();
                op.Length = r.Int32();
                op.Checksum = r.UInt32();
                break;
            case OpKind.Stamp:
                op.First = r.Int64();
                op.Last = r.Int64();
                op.Term = r.UInt64();
                break;
            case OpKind.Cut:
                op.First = r.Int64();
                break;
            case OpKind.Switch:
                op.Snapshot = ReadSnapshot(ref r);
                break;
            case OpKind.LogBegin:
                op.First = r.Int64();
                op.Term = r.UInt64();
                op.Snapshot = ReadSnapshot(ref r);
                break;
            case OpKind.Configuration:
                op.First = r.Int64();
                op.Configuration = ClusterConfiguration.Decode(r.Sized());
                if (op.Configuration is null) r.Fail();
                break;
            case OpKind.Facts:
                op.Promise = ReadPromise(ref r);
                op.First = r.Int64();
                op.Term = r.UInt64();
                op.Snapshot = ReadSnapshot(ref r);
                op.Installed = ReadSnapshot(ref r);
                break;
            case OpKind.Mark:
                op.Mark = new DamagedEntry[r.Count(16)];
                for (int i = 0; i < op.Mark.Length; i++) op.Mark[i] = new DamagedEntry(r.UInt64(), r.Int64());
                break;
            default:
                r.Fail();
                break;
        }
        return r.Ok;
    }

    private static void WritePromise(ByteWriter w, in Promise promise)
    {
        w.UInt64(promise.Term);
        w.UInt64(promise.Vote);
        w.UInt64(promise.VoteDirectory);
        w.UInt64(promise.Extra);
    }

    private static Promise ReadPromise(ref ByteReader r) => new(r.UInt64(), r.UInt64(), r.UInt64(), r.UInt64());

    private static void WriteSnapshot(ByteWriter w, in SnapshotIdentity s)
    {
        w.Int64(s.Index);
        w.UInt64(s.Term);
        w.UInt64(s.Digest);
    }

    private static SnapshotIdentity ReadSnapshot(ref ByteReader r) => new(r.Int64(), r.UInt64(), r.UInt64());
}
