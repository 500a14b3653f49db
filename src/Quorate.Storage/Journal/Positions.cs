namespace Quorate.Storage;

/// <summary>Where an entry's record stands: the low half of its batch's number, and the offset in the batch's region.</summary>
internal readonly record struct Position(uint Batch, uint Offset)
{
    /// <summary>Its bytes are lost; only its header survived (storage.md §2.4).</summary>
    public static Position Damaged { get; } = new(0, uint.MaxValue);

    public bool IsDamaged => Offset == uint.MaxValue;
}

/// <summary>The positions of a log's entries from <see cref="First"/> on: pages of 2,048, so that growing never copies and what goes at the front is reused at the back.</summary>
internal sealed class Positions
{
    private const int PageBits = 11, PageSize = 1 << PageBits;
    private readonly Stack<Position[]> _free = new();
    private Position[][] _pages = new Position[8][];
    private int _firstPage, _pageCount; // a window of _pages
    private int _skip;                  // slots of the first page that are gone

    public long First { get; private set; } = 1;
    public long Count { get; private set; }

    public void Reset(long first)
    {
        while (_pageCount > 0) DropPage();
        First = first;
        Count = 0;
        _skip = 0;
    }

    public Position this[long index]
    {
        get
        {
            long at = index - First + _skip;
            return _pages[_firstPage + (int)(at >> PageBits)][at & (PageSize - 1)];
        }
        set
        {
            long at = index - First + _skip;
            _pages[_firstPage + (int)(at >> PageBits)][at & (PageSize - 1)] = value;
        }
    }

    public void Append(Position position)
    {
        long at = Count + _skip;
        if (at >> PageBits == _pageCount)
        {
            if (_firstPage + _pageCount == _pages.Length) MakeRoom();
            _pages[_firstPage + _pageCount++] = _free.Count > 0 ? _free.Pop() : new Position[PageSize];
        }
        _pages[_firstPage + (int)(at >> PageBits)][at & (PageSize - 1)] = position;
        Count++;
    }

    /// <summary>Forgets the last entries.</summary>
    public void DropLast(long count) => Count -= count;

    /// <summary>Forgets the first entries.</summary>
    public void DropFirst(long count)
    {
        First += count;
        Count -= count;
        long skip = _skip + count;
        while (skip >= PageSize)
        {
            skip -= PageSize;
            if (_pageCount > 0) DropPage();
        }
        _skip = (int)skip;
    }

    private void DropPage()
    {
        if (_free.Count < 64) _free.Push(_pages[_firstPage]);
        _pages[_firstPage++] = null!;
        if (--_pageCount == 0) _firstPage = 0;
    }

    private void MakeRoom()
    {
        var target = _firstPage > _pages.Length / 2 ? _pages : new Position[_pages.Length * 2][];
        Array.Copy(_pages, _firstPage, target, 0, _pageCount);
        if (ReferenceEquals(target, _pages)) Array.Clear(_pages, _pageCount, _pages.Length - _pageCount);
        _pages = target;
        _firstPage = 0;
    }
}
