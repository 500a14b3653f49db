using System.Globalization;

namespace Quorate.Storage;

/// <summary>
/// Who this directory is (storage.md §6.1): two checksummed 4 KiB slots. Every change is written and synced to one and then to the other and acted on only after both,
/// so that a bad slot never hides a run that was used; a full disk cannot stop it, because nothing grows.
/// </summary>
public sealed class IdentityFile : IDisposable
{
    public const int MaxFormationBytes = 2048;
    private const int SlotBytes = Limits.BlockBytes;
    private const ushort FormatNumber = 1;
    private const ulong Magic = 0x3154_4E44_4952_5551; // "QURIDNT1"
    private readonly IDiskFile _file;
    private readonly byte[] _key = new byte[16];
    private readonly byte[] _slot = new byte[SlotBytes];
    private byte[] _formation = [];
    private ulong _sequence;

    private IdentityFile(IDiskFile file) => _file = file;

    /// <summary>The directory's random id, drawn once.</summary>
    public ulong Directory { get; private set; }
    public ulong ClusterId { get; private set; }
    public ReplicaId Self { get; private set; }

    /// <summary>How many times it was started.</summary>
    public ulong Run { get; private set; }
    public StorageLevel Level { get; private set; }
    public string BootId { get; private set; } = "";

    /// <summary>The journal of this directory id was begun: no header in it is then a loss, not a new journal.</summary>
    public bool Begun { get; private set; }

    /// <summary>The offer or the formed list; opaque here.</summary>
    public ReadOnlyMemory<byte> Formation => _formation;
    public bool Formed { get; private set; }

    /// <summary>128 random bits that begin every header of the journal; in no message, page or log line (storage.md §1.3).</summary>
    internal ReadOnlySpan<byte> Key => _key;

    /// <summary>Replaces what formation knows; durable in both slots when it returns.</summary>
    public void Save(ulong clusterId, ReadOnlySpan<byte> formation, bool formed)
    {
        if (formation.Length > MaxFormationBytes) throw new StorageRefusal($"the list of members is longer than {MaxFormationBytes} bytes");
        ClusterId = clusterId;
        _formation = formation.ToArray();
        Formed = formed;
        SaveBoth();
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Makes the file whole under another name, then gives it its own (§6.1).</summary>
    internal static IdentityFile Create(IDisk disk, string root, StorageOptions options, ISeed seed)
    {
        string path = StorePaths.Identity(root), part = path + StorePaths.Part;
        if (disk.Exists(part)) disk.Delete(part);
        var file = disk.Open(part, create: true);
        var identity = new IdentityFile(file) { Self = options.Self, Level = options.Level, BootId = disk.BootId };
        identity.Draw(seed);
        identity.SaveBoth();
        disk.Rename(part, path);
        disk.SyncDirectory(root);
        return identity;
    }

    /// <summary>Reads the newer whole slot and makes both equal to it.</summary>
    internal static IdentityFile Load(IDisk disk, string root, StorageOptions options)
    {
        string path = StorePaths.Identity(root);
        var identity = new IdentityFile(disk.Open(path, create: false));
        try
        {
            ulong first = identity.SequenceOf(0), second = identity.SequenceOf(1);
            if (first == 0 && second == 0) throw new StorageRefusal($"{path}: both copies of the identity are damaged; restore the file, or empty {options.DataDirectory} and let this member join anew");
            int newer = second > first ? 1 : 0;
            string? bad = identity.Parse(newer, options);
            if (bad is not null) throw new StorageRefusal($"{path}: {bad}");
            // 1. the newer one may stand in the page cache only (killed before its sync): make it durable while the other is still whole; 2. then the other may be overwritten.
            identity.WriteSlot(newer);
#if MUTANTS
            if (Mutants.On(Mutant.IdentityOneSlot)) return identity;
#endif
            identity.WriteSlot(1 - newer);
            return identity;
        }
        catch
        {
            identity.Dispose();
            throw;
        }
    }

    internal void RaiseRun(string bootId)
    {
        Run++;
        BootId = bootId;
        SaveBoth();
    }

    /// <summary>At level memory a run is random: nothing remembers the last one (DESIGN §3).</summary>
    internal void DrawRun(ISeed seed)
    {
        Span<byte> bytes = stackalloc byte[8];
        seed.Fill(bytes);
        Run = BitConverter.ToUInt64(bytes) >> 1;
        SaveBoth();
    }

    /// <summary>A new directory id and key: the old journal's votes and entries are this member's no more (§2.1, §5).</summary>
    internal void DrawAnew(ISeed seed)
    {
        Draw(seed);
        SaveBoth();
    }

    internal void MarkBegun()
    {
        if (Begun) return;
        Begun = true;
        SaveBoth();
    }

    private void Draw(ISeed seed)
    {
        Span<byte> bytes = stackalloc byte[8];
        do
        {
            seed.Fill(bytes);
            Directory = BitConverter.ToUInt64(bytes);
        }
        while (Directory == 0);
        seed.Fill(_key);
        Begun = false;
    }

    private void SaveBoth()
    {
        _sequence++;
        WriteSlot(0);
#if MUTANTS
        if (Mutants.On(Mutant.IdentityOneSlot)) return;
#endif
        WriteSlot(1);
    }

    private void WriteSlot(int slot)
    {
        var w = new ByteWriter(SlotBytes);
        w.UInt64(Magic);
        w.UInt16(FormatNumber);
        w.UInt64(_sequence);
        w.UInt64(Directory);
        w.Bytes(_key);
        w.UInt64(ClusterId);
        w.Byte(Self.Value);
        w.UInt64(Run);
        w.Byte((byte)Level);
        w.Bool(Formed);
        w.Bool(Begun);
        w.Text(BootId);
        w.Sized(_formation);
        _slot.AsSpan().Clear();
        w.Written.CopyTo(_slot);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(_slot.AsSpan(SlotBytes - 4), Crc32C.Of(_slot.AsSpan(0, SlotBytes - 4)));
        _file.Write((long)slot * SlotBytes, _slot);
        _file.Sync();
    }

    /// <summary>0 when the slot is not whole.</summary>
    private ulong SequenceOf(int slot)
    {
        if (!ReadSlot(slot)) return 0;
        var r = new ByteReader(_slot);
        if (r.UInt64() != Magic) return 0;
        r.UInt16();
        return r.UInt64();
    }

    private bool ReadSlot(int slot)
    {
        _slot.AsSpan().Clear();
        try
        {
            if (_file.Read((long)slot * SlotBytes, _slot) != SlotBytes) return false;
        }
        catch (DiskException e) when (e.Failure == DiskFailure.Broken)
        {
            return false; // an unreadable slot is a bad one
        }
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(_slot.AsSpan(SlotBytes - 4)) == Crc32C.Of(_slot.AsSpan(0, SlotBytes - 4));
    }

    private string? Parse(int slot, StorageOptions options)
    {
        ReadSlot(slot);
        var r = new ByteReader(_slot.AsSpan(0, SlotBytes - 4));
        r.UInt64();
        ushort format = r.UInt16();
        if (format > FormatNumber) return string.Create(CultureInfo.InvariantCulture, $"written by a newer version (format {format}, this version reads up to {FormatNumber})");
        _sequence = r.UInt64();
        Directory = r.UInt64();
        r.Bytes(16).CopyTo(_key);
        ClusterId = r.UInt64();
        Self = new ReplicaId(r.Byte());
        Run = r.UInt64();
        Level = (StorageLevel)r.Byte();
        Formed = r.Bool();
        Begun = r.Bool();
        BootId = r.Text();
        _formation = r.Sized().ToArray();
        if (r.Failed) return "the identity does not parse";
        if (Self != options.Self) return $"the directory belongs to member {Self.Value}, not to member {options.Self.Value}";
        return Level == options.Level ? null : $"the directory is of storage level {Level}, not {options.Level}";
    }
}
