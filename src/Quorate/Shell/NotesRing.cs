using System.Threading.Channels;

namespace Quorate.Shell;

/// <summary>A note, and when it was made.</summary>
internal readonly record struct TimedNote(DateTimeOffset At, int Level, string Text);

/// <summary>Where the strand puts its notes: bounded, never blocking. When nobody keeps up the newest are dropped and counted.</summary>
internal sealed class NotesRing : INotes
{
    public const int Capacity = 4096;
    private readonly Channel<TimedNote> _notes;
    private long _dropped;

    public NotesRing() => _notes = Channel.CreateBounded<TimedNote>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }, _ => Interlocked.Increment(ref _dropped));

    public long Dropped => Interlocked.Read(ref _dropped);

    public ChannelReader<TimedNote> Reader => _notes.Reader;

    public void Note(int level, string text) => _notes.Writer.TryWrite(new TimedNote(DateTimeOffset.UtcNow, level, text));

    public void End() => _notes.Writer.TryComplete();
}
