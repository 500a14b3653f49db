namespace Quorate.Transport;

/// <summary>Says a thing once, not at every redial: remembers what was noted about whom until the peer's link stands again.</summary>
internal sealed class RepeatedNotes(INotes notes)
{
    private const int Remembered = 128;
    private readonly List<(string About, string What)> _said = [];

    /// <summary>Notes it unless it was the case already. <paramref name="what"/> is compared, so it holds no number that changes at each attempt.</summary>
    public bool Say(int level, string about, string what)
    {
        foreach (var said in _said)
            if (said.About == about && said.What == what) return false;
        if (_said.Count == Remembered) _said.RemoveAt(0);
        _said.Add((about, what));
        notes.Note(level, $"{about}: {what}");
        return true;
    }

    public void Forget(string about)
    {
        for (int i = _said.Count - 1; i >= 0; i--)
            if (_said[i].About == about) _said.RemoveAt(i);
    }
}
