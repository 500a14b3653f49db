using System.Text;
using Quorate.Storage;

namespace Quorate.Storage.Tests;

/// <summary>The kinds of record that Raft does not use (storage.md §1.4): put, stamp, stage, switch to a staged run.</summary>
public sealed partial class ModelWorld
{
    private void OtherKind(int p, Model m)
    {
        switch (_chance.Below(6))
        {
            case 0 when m.Now.Last > m.Commit:
                long first = _chance.Between(m.Commit + 1, m.Now.Last + 2);
                var (entries, models) = Entries(p, m, first);
                Gather(p, m, new Verb { Persist = PersistKind.Put, First = first, Term = m.Term }, entries);
                for (int i = 0; i < entries.Length; i++) m.Steps.Add((m.Box.LastTicket, m.Now.Put(first + i, models[i])));
                break;
            case 1 when m.Now.Last > m.Commit:
                long from = _chance.Between(m.Commit + 1, m.Now.Last + 1), to = _chance.Between(from, m.Now.Last + 1);
                ulong term = m.Term + (ulong)_chance.Below(2);
                Gather(p, m, new Verb { Persist = PersistKind.Stamp, First = from, Last = to, Term = term }, []);
                m.Steps.Add((m.Box.LastTicket, m.Now.Stamp(from, to, term)));
                break;
            case 2 or 3:
                Stage(p, m);
                break;
            case 4 or 5 when m.Now.Staged.Count > 0 && m.Now.Staged.Keys.First() is var at && at > m.Commit && at <= m.Now.Last + 1 && !m.BaseLost:
                Gather(p, m, new Verb { Persist = PersistKind.Switch }, []);
                m.Steps.Add((m.Box.LastTicket, m.Now.Adopt()));
                Adoptions++;
                break;
        }
    }

    /// <summary>Behind what is staged, or in its place from some index on, or anew.</summary>
    private void Stage(int p, Model m)
    {
        var staged = m.Now.Staged;
        long first = staged.Count > 0 && _chance.Chance(0.7) ? _chance.Chance(0.7) ? staged.Keys.Last() + 1 : _chance.Between(staged.Keys.First(), staged.Keys.Last() + 2) : _chance.Between(m.Commit + 1, m.Now.Last + 2);
        if (staged.Count > 0 && first > staged.Keys.Last() + 1) return;
        var (entries, models) = Entries(p, m, first);
        Gather(p, m, new Verb { Persist = PersistKind.Stage, First = first, Term = m.Term }, entries);
        for (int i = 0; i < entries.Length; i++) m.Steps.Add((m.Box.LastTicket, m.Now.Stage(first + i, models[i])));
    }

    /// <summary>A peer sent the lost entry again.</summary>
    private void Repair(int p, Model m)
    {
        long index = m.Now.Lost[(int)_chance.Below(m.Now.Lost.Count)];
        var e = m.Now.Log[index];
        var entry = e.IsConfiguration ? new Entry(EntryKind.Configuration, Payload.Of(Convert.FromHexString(e.Text))) : new Entry(EntryKind.Command, Payload.Of(Encoding.UTF8.GetBytes(e.Text)));
        Gather(p, m, new Verb { Persist = PersistKind.Put, First = index, Term = e.Term }, [entry]);
        m.Steps.Add((m.Box.LastTicket, m.Now.Put(index, e)));
    }

    private void Gather(int p, Model m, Verb verb, ReadOnlySpan<Entry> entries)
    {
        m.Box.LastTicket = new Ticket(m.Box.LastTicket.Value + 1);
        verb.Kind = VerbKind.Persist;
        verb.Ticket = m.Box.LastTicket;
        LogOf(p).Gather(verb, entries);
    }
}
