using System.Text;

namespace Quorate.ZooKeeper.Tests;

/// <summary>The watch table against a naive one that says the same in sets.</summary>
public sealed class WatchTableTests
{
    private sealed class Naive
    {
        public readonly List<(int Owner, string Path, WatchModes Modes)> Rows = [];

        public void Add(int owner, string path, WatchModes modes)
        {
            int i = Rows.FindIndex(r => r.Owner == owner && r.Path == path);
            if (i < 0) Rows.Add((owner, path, modes));
            else Rows[i] = (owner, path, Rows[i].Modes | modes);
        }

        public bool Remove(int owner, string path, WatchModes modes)
        {
            int i = Rows.FindIndex(r => r.Owner == owner && r.Path == path);
            if (i < 0 || (Rows[i].Modes & modes) == 0) return false;
            Rows[i] = (owner, path, Rows[i].Modes & ~modes);
            if (Rows[i].Modes == 0) Rows.RemoveAt(i);
            return true;
        }

        public List<int> Fire(int type, string path)
        {
            var hit = new List<int>();
            var own = type == 4 ? WatchModes.Child | WatchModes.Persistent : type == 2 ? WatchModes.Any : WatchModes.Data | WatchModes.Persistent | WatchModes.Recursive;
            foreach (var row in Rows.ToList())
            {
                if (row.Path != path || (row.Modes & own) == 0) continue;
                hit.Add(row.Owner);
                Remove(row.Owner, path, own & (WatchModes.Data | WatchModes.Child));
            }
            for (string at = path; type != 4 && at.Length > 1;)
            {
                at = at[..Math.Max(1, at.LastIndexOf('/'))];
                foreach (var row in Rows)
                    if (row.Path == at && (row.Modes & WatchModes.Recursive) != 0 && !hit.Contains(row.Owner)) hit.Add(row.Owner);
            }
            return hit;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_says_what_a_naive_one_says(ulong seed)
    {
        var prng = new Prng(seed);
        var table = new WatchTable();
        var naive = new Naive();
        string[] paths = [.. Enumerable.Range(0, 40).Select(i => i == 0 ? "/" : "/" + new string((char)('a' + i % 5), 1 + i) + (i % 3 == 0 ? "/x" : "") + (i % 6 == 0 ? "/y" : "")), "/" + new string('l', 70_000)];
        for (int step = 0; step < 20_000; step++)
        {
            int owner = (int)prng.Below(30);
            string path = paths[prng.Below(paths.Length)];
            byte[] bytes = Encoding.UTF8.GetBytes(path);
            var modes = (WatchModes)(1 << (int)prng.Below(4));
            switch (prng.Below(8))
            {
                case < 4:
                    table.Add(owner, bytes, modes);
                    naive.Add(owner, path, modes);
                    break;
                case 4:
                    if (prng.Chance(0.3)) modes = WatchModes.Any;
                    Assert.Equal(naive.Remove(owner, path, modes), table.Remove(owner, bytes, modes));
                    break;
                case 5 when prng.Chance(0.2):
                    table.RemoveOwner(owner);
                    naive.Rows.RemoveAll(r => r.Owner == owner);
                    break;
                default:
                    int type = (int)prng.Between(1, 5);
                    Assert.Equal(naive.Fire(type, path), table.Fire(type, bytes).ToArray());
                    break;
            }
            Assert.Equal(naive.Rows.Count, table.Count);
            Assert.Equal(naive.Rows.FirstOrDefault(r => r.Owner == owner && r.Path == path).Modes, table.ModesOf(owner, bytes));
        }
        Assert.Equal(naive.Rows.Select(r => r.Path).Distinct().Count(), table.PathCount);
        Assert.Equal(naive.Rows.Select(r => r.Owner).Distinct().Count(), table.OwnerCount);
    }
}
