namespace Quorate.Kernel;

/// <summary>The door of chance: seeds, directory ids, passwords.</summary>
public interface ISeed
{
    void Fill(Span<byte> bytes);
}

public enum DiskQueue : byte
{
    /// <summary>The journal's own: one work at a time, nothing else delays it.</summary>
    Journal,

    /// <summary>Segments made ahead, snapshots, reserve.</summary>
    Background,

    /// <summary>What a serving member reads: old entries, bodies. They wait for no snapshot that is being written.</summary>
    Reads,
}

/// <summary>A piece of disk work: run by the door, off the strand, in its queue's order. It may touch only its own fields and the disk.</summary>
public abstract class DiskWork
{
    /// <summary>Why it failed; null when it succeeded. Set before it is handed back.</summary>
    public DiskException? Failure { get; set; }

    /// <summary>Does the work with the disk's synchronous calls; throws <see cref="DiskException"/>.</summary>
    public abstract void Run(IDisk disk);
}

public enum DiskFailure : byte
{
    /// <summary>ENOSPC.</summary>
    Full,

    /// <summary>EIO and everything that is not named here.</summary>
    Broken,
    NotFound,
    Denied,

    /// <summary>Another process holds the directory.</summary>
    Locked,
}

/// <summary>The disk said no.</summary>
public sealed class DiskException(DiskFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public DiskFailure Failure { get; } = failure;
}

/// <summary>
/// The door of files. The synchronous calls are for start-up and inside <see cref="DiskWork.Run"/>; while a member serves, its strand only submits and completes.
/// Paths are full. A file's bytes are durable after its Sync, its name after SyncDirectory. Everything throws <see cref="DiskException"/>.
/// </summary>
public interface IDisk
{
    /// <summary>File names (no directories) in a directory, sorted ordinally; empty when it does not exist.</summary>
    string[] List(string directory);

    /// <summary>Directory names in a directory, sorted ordinally.</summary>
    string[] ListDirectories(string directory);

    void CreateDirectory(string directory);
    bool Exists(string path);

    /// <summary>Opens for reading and writing; creates it when asked, else NotFound.</summary>
    IDiskFile Open(string path, bool create);

    void Rename(string from, string to);
    void Delete(string path);
    void SyncDirectory(string directory);

    /// <summary>Keeps every other process out of the directory until disposed; throws Locked.</summary>
    IDisposable Lock(string directory);

    /// <summary>Changes when the machine boots (storage.md §5); empty where unknown.</summary>
    string BootId { get; }

    void Submit(DiskQueue queue, DiskWork work);

    /// <summary>Hands finished work back, in any order between queues, in order within one.</summary>
    bool TryComplete(out DiskWork work);
}

public interface IDiskFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads up to the span's length; fewer at the end of the file.</summary>
    int Read(long offset, Span<byte> into);

    /// <summary>Reads past the page cache where the platform can; offset and length are multiples of 4096.</summary>
    int ReadPastCache(long offset, Span<byte> into);

    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Makes written bytes durable.</summary>
    void Sync();

    /// <summary>Reserves room up to a length; Full when there is none. Does not write.</summary>
    void Allocate(long length);

    void Truncate(long length);
}

/// <summary>A stream of bytes with a peer or a client, as its door hands it out. Used on the strand only.</summary>
public abstract class Connection
{
    /// <summary>Unique in a run of this member, from 1.</summary>
    public long Number { get; init; }

    /// <summary>ADDRESS:PORT of the other end.</summary>
    public string RemoteAddress { get; init; } = "";

    /// <summary>Who hears of it.</summary>
    public IConnectionOwner? Owner { get; set; }

    /// <summary>Bytes to send: append, then <see cref="Flush"/>; the door sends once at the end of the turn and drops what it sent.</summary>
    public ByteWriter Output { get; } = new();

    /// <summary>Bytes of Output that the door has not handed on yet; what limits of unsent bytes are counted against.</summary>
    public virtual int Unsent => Output.Length;

    /// <summary>Carries frames between members: <see cref="INetwork.FlushPeers"/> sends it before the turn's end.</summary>
    public bool Urgent { get; set; }

    /// <summary>Marks that Output has bytes, so that the door sends them at the end of this turn.</summary>
    public abstract void Flush();

    /// <summary>While false the door reads nothing more from it (back-pressure).</summary>
    public abstract bool Reading { get; set; }

    /// <summary>Asks that OnBytes be called again next turn with what was left unconsumed, though nothing new arrived (a turn's budget was used up).</summary>
    public abstract void Again();

    /// <summary>Closes after what is in Output was sent. OnClosed is not called for an own close.</summary>
    public abstract void Close();

    /// <summary>Closes at once, dropping what was not sent.</summary>
    public abstract void Abort();
}

/// <summary>Hears of a connection. Called on the strand, inside a turn.</summary>
public interface IConnectionOwner
{
    /// <summary>An outgoing connection stands.</summary>
    void OnConnected(Connection connection);

    /// <summary>Everything received and not yet consumed, contiguous. Returns how many bytes were consumed; the rest comes again with the next ones.</summary>
    int OnBytes(Connection connection, ReadOnlySpan<byte> bytes);

    /// <summary>The other end closed or it broke (reset, refused).</summary>
    void OnClosed(Connection connection, string reason);
}

/// <summary>The doors of peers and of clients: byte streams.</summary>
public interface INetwork
{
    /// <summary>Begins to connect to HOST:PORT; the owner hears OnConnected or OnClosed later.</summary>
    Connection Connect(string address, IConnectionOwner owner);

    /// <summary>Listens; <paramref name="accept"/> names the owner of each new connection, or null to close it. Returns the bound ADDRESS:PORT. Throws <see cref="NetworkException"/> when it cannot.</summary>
    string Listen(string address, Func<Connection, IConnectionOwner?> accept);

    /// <summary>Sends now what urgent connections hold: called between stepping the cores and the journal, so that members receive before the own disk works (DESIGN §4). What is left goes at the turn's end.</summary>
    void FlushPeers() { }
}

/// <summary>An address that cannot be bound or parsed.</summary>
public sealed class NetworkException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Where the strand puts its notes; a shell makes log lines and metrics of them. Never blocks, may drop.</summary>
public interface INotes
{
    /// <summary>A fact of the member: level 0 debug, 1 information, 2 warning, 3 error.</summary>
    void Note(int level, string text);
}
