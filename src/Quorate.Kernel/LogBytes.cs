namespace Quorate.Kernel;

/// <summary>
/// Payload bytes of a log's entries up to each index, four bytes an entry: pages of 512 (so that their sums, of 4 MiB entries too, fit), each with the sum before it. Growing never copies what stands, and pages that go at the front are used again at the back.
/// </summary>
internal sealed class LogBytes
{
    private const int PageBits = 9, PageSize = 1 << PageBits;
    private readonly Stack<uint[]> _free = new();
    private uint[][] _pages = new uint[8][];
    private long[] _before = new long[8]; // the sum before each page's first entry
    private int _firstPage, _pageCount;   // a window of _pages
    private int _skip;                    // slots of the first page that are gone

    /// <summary>Entries that stand.</summary>
    public long Count { get; private set; }

    /// <summary>The sum up to and including the entry at this place.</summary>
    public long this[long at]
    {
        get
        {
            long slot = at + _skip;
            int page = _firstPage + (int)(slot >> PageBits);
            return _before[page] + _pages[page][slot & (PageSize - 1)];
        }
    }

    /// <summary>One more entry, the sum before it and its own bytes.</summary>
    public void Append(long before, int bytes)
    {
        long slot = Count + _skip;
        int page = _firstPage + (int)(slot >> PageBits);
        if (page == _firstPage + _pageCount)
        {
            page = AddPage();
            _before[page] = before;
        }
        else if ((slot & (PageSize - 1)) == 0) _before[page] = before; // the page of entries that were cut
        int at = (int)(slot & (PageSize - 1));
        if (at >= _pages[page].Length) Array.Resize(ref _pages[page], Math.Min(PageSize, Math.Max(16, 2 * at))); // a copy's last page is as long as what it held
        _pages[page][at] = checked((uint)(before + bytes - _before[page]));
        Count++;
    }

    /// <summary>Forgets all but the first so many.</summary>
    public void Truncate(long count) => Count = count;

    public void DropFirst(long count)
    {
        Count -= count;
        long skip = _skip + count;
        for (; skip >= PageSize; skip -= PageSize) DropPage();
        _skip = (int)skip;
    }

    public void Clear()
    {
        while (_pageCount > 0) DropPage();
        Count = 0;
        _skip = 0;
    }

    public LogBytes Copy()
    {
        var copy = new LogBytes { _pages = new uint[Math.Max(8, _pageCount)][], _before = new long[Math.Max(8, _pageCount)], _pageCount = _pageCount, _skip = _skip, Count = Count };
        for (int i = 0; i < _pageCount; i++) copy._pages[i] = _pages[_firstPage + i].AsSpan(0, (int)Math.Clamp(Count + _skip - ((long)i << PageBits), 0, _pages[_firstPage + i].Length)).ToArray();
        Array.Copy(_before, _firstPage, copy._before, 0, _pageCount);
        return copy;
    }

    private int AddPage()
    {
        if (_firstPage + _pageCount == _pages.Length) MakeRoom();
        _pages[_firstPage + _pageCount] = _free.Count > 0 ? _free.Pop() : new uint[PageSize];
        return _firstPage + _pageCount++;
    }

    private void DropPage()
    {
        // What is dropped may lie above the cut end, where no page is any more.
        if (_pageCount == 0) return;
        if (_free.Count < 512) _free.Push(_pages[_firstPage]);
        _pages[_firstPage++] = null!;
        if (--_pageCount == 0) _firstPage = 0;
    }

    private void MakeRoom()
    {
        bool fits = _firstPage > _pages.Length / 2;
        var (pages, before) = fits ? (_pages, _before) : (new uint[_pages.Length * 2][], new long[_pages.Length * 2]);
        Array.Copy(_pages, _firstPage, pages, 0, _pageCount);
        Array.Copy(_before, _firstPage, before, 0, _pageCount);
        if (fits) Array.Clear(pages, _pageCount, pages.Length - _pageCount);
        (_pages, _before, _firstPage) = (pages, before, 0);
    }
}
