using Quorate.Interop.Tests.Ground;
using Xunit.Abstractions;

namespace Quorate.Interop.Tests.Kills;

/// <summary>Kill -9 and SIGSTOP of members under load: what clients were told against what stands in the tree.</summary>
public sealed class KillsTests(Storm storm, ITestOutputHelper output) : IClassFixture<Storm>
{
    [InteropFact(Needs.Ensemble)]
    public void Service_comes_back_after_each_fault()
    {
        var s = storm.Played;
        var text = string.Join('\n', s.History.Faults.Select(f => $"{f.At,6:0.0} s  {f.What,-28} next acknowledgement after {f.BackAfter * 1000:0} ms"));
        output.WriteLine(text);
        output.WriteLine($"registers {s.History.Registers.Count}, counter {s.History.Counter.Count}, log {s.History.Log.Count}, locks {s.History.Lock.Count}; in doubt {s.History.Unknown}, sessions resumed {s.History.Resumed}, sessions lost {s.History.Lost}");
        Assert.Equal(7, s.History.Faults.Count);
        Assert.All(s.History.Faults, f => Assert.True(f.BackAfter < 30, text));
    }

    [InteropFact(Needs.Ensemble)]
    public void No_client_saw_what_may_not_be() => Assert.True(storm.Played.History.Breaches.IsEmpty, string.Join('\n', storm.Played.History.Breaches.Take(30)));

    [InteropFact(Needs.Ensemble)]
    public void Nothing_acknowledged_is_lost()
    {
        var s = storm.Played;
        Assert.True(s.History.Registers.Count > 100, "too few writes to say anything: " + s.History.Registers.Count);
        foreach (var register in s.History.Registers.GroupBy(w => w.Path))
        {
            var last = register.MaxBy(w => w.Version)!;
            var (version, data) = s.Finally[register.Key];
            Assert.True(version >= last.Version, $"{register.Key}: acknowledged up to {last.Version}, found {version}");
            if (version == last.Version) Assert.Equal(last.Value, data);
        }
        Assert.DoesNotContain(s.History.Log, n => !s.LogFinally.Contains(n));
    }

    [InteropFact(Needs.Ensemble)]
    public void Versions_and_zxids_are_one_line()
    {
        foreach (var line in storm.Played.History.Registers.Concat(storm.Played.History.Counter).GroupBy(w => w.Path))
        {
            var sorted = line.OrderBy(w => w.Version).ToList();
            foreach (var (a, b) in sorted.Zip(sorted.Skip(1)))
            {
                Assert.True(a.Version != b.Version, $"{line.Key}: version {a.Version} was acknowledged twice");
                Assert.True(a.Zxid < b.Zxid, $"{line.Key}: version {a.Version} has zxid {a.Zxid:x}, version {b.Version} has {b.Zxid:x}");
            }
        }
        var all = storm.Played.History.Registers.Concat(storm.Played.History.Counter).Select(w => w.Zxid).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
    }

    [InteropFact(Needs.Ensemble)]
    public void The_counter_is_exact()
    {
        var s = storm.Played;
        var (version, data) = s.Finally["/counter"];
        Assert.Equal(version.ToString(System.Globalization.CultureInfo.InvariantCulture), data);
        Assert.InRange(version, s.History.Counter.Count, s.History.Counter.Count + s.History.Unknown);
    }

    [InteropFact(Needs.Ensemble)]
    public void The_log_gave_each_name_once() => Assert.Equal(storm.Played.History.Log.Count, storm.Played.History.Log.Distinct().Count());

    [InteropFact(Needs.Ensemble)]
    public void The_lock_had_one_holder_at_a_time()
    {
        var held = storm.Played.History.Lock.Where(h => h.To > h.From).OrderBy(h => h.From).ToList();
        Assert.True(held.Count > 20, "too few to say anything: " + held.Count);
        foreach (var (a, b) in held.Zip(held.Skip(1)))
        {
            Assert.True(a.To <= b.From, $"client {a.Client} held from {a.From:0.000} to {a.To:0.000}, client {b.Client} from {b.From:0.000} to {b.To:0.000}");
            Assert.True(a.Czxid < b.Czxid || (a.Czxid == b.Czxid && a.Client == b.Client), "an older lock was given later");
        }
    }

    [InteropFact(Needs.Ensemble)]
    public void Ephemerals_went_with_their_sessions() => Assert.Empty(storm.Played.EphemeralsFinally);

    [InteropFact(Needs.Ensemble)]
    public void All_members_end_with_the_same_tree() => Assert.Empty(storm.Played.DifferencesFinally);
}
