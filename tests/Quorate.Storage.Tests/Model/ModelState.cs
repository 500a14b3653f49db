using System.Collections.Immutable;

namespace Quorate.Storage.Tests;

/// <summary>An entry as the model knows it. A configuration's text is its encoding.</summary>
internal readonly record struct ModelEntry(ulong Term, string Text, bool IsConfiguration);

/// <summary>
/// What a partition holds after one record that its core persisted: each kind of storage.md §1.4 in one line of plain meaning. Immutable, so that a world may keep every state that a crash could leave.
/// </summary>
internal sealed record ModelState(Promise Promise, long Begin, ImmutableSortedDictionary<long, ModelEntry> Log, ImmutableSortedDictionary<long, string> Configurations, ImmutableSortedDictionary<long, ModelEntry> Staged, ImmutableSortedSet<long> Lost)
{
    public static ModelState Empty { get; } = new(default, 0, ImmutableSortedDictionary<long, ModelEntry>.Empty, ImmutableSortedDictionary<long, string>.Empty, ImmutableSortedDictionary<long, ModelEntry>.Empty, []);

    public long Last => Begin + Log.Count;

    public ModelState Cut(long last)
    {
        if (last >= Last) return this with { Configurations = Above(Configurations, last), Lost = Lost.Except(Lost.Where(i => i > last)) };
        var log = Log;
        for (long i = Last; i > last; i--) log = log.Remove(i);
        return this with { Log = log, Configurations = Above(Configurations, last), Lost = Lost.Except(Lost.Where(i => i > last)) };
    }

    public ModelState Append(long index, in ModelEntry entry) => Cut(index - 1).Put(index, entry);

    public ModelState Put(long index, in ModelEntry entry)
    {
        var configurations = Configurations.Remove(index);
        return this with { Log = Log.SetItem(index, entry), Configurations = entry.IsConfiguration ? configurations.Add(index, entry.Text) : configurations, Lost = Lost.Remove(index) };
    }

    public ModelState Stamp(long first, long last, ulong term)
    {
        var log = Log;
        for (long i = first; i <= last; i++) log = log.SetItem(i, log[i] with { Term = term });
        return this with { Log = log };
    }

    public ModelState Stage(long index, in ModelEntry entry)
    {
        var staged = Staged;
        foreach (long i in Staged.Keys.Where(i => i >= index)) staged = staged.Remove(i);
        return this with { Staged = staged.Add(index, entry) };
    }

    /// <summary>Cut here, adopt the staged run.</summary>
    public ModelState Adopt()
    {
        var state = this;
        bool first = true;
        foreach (var (index, entry) in Staged)
        {
            if (index <= Begin) continue;
            state = first ? state.Append(index, entry) : state.Put(index, entry);
            first = false;
        }
        return state with { Staged = Staged.Clear() };
    }

    public ModelState BeginAt(long index)
    {
        if (index >= Last) return this with { Begin = index, Log = Log.Clear(), Lost = Lost.Except(Lost.Where(i => i <= index)) };
        var log = Log;
        for (long i = Begin + 1; i <= index; i++) log = log.Remove(i);
        return this with { Begin = index, Log = log, Lost = Lost.Except(Lost.Where(i => i <= index)) };
    }

    public ModelState Install(long index, bool keepTail) =>
        keepTail ? BeginAt(index) : this with { Begin = index, Log = Log.Clear(), Configurations = Configurations.Clear(), Lost = Lost.Clear() };

    private static ImmutableSortedDictionary<long, string> Above(ImmutableSortedDictionary<long, string> configurations, long last)
    {
        foreach (long i in configurations.Keys.Where(i => i > last)) configurations = configurations.Remove(i);
        return configurations;
    }
}
