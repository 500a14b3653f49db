using System.Text;

namespace Quorate.Simulation.Scenarios;

/// <summary>Disks that are slow, full, broken or rotten.</summary>
internal sealed partial class ScriptedWorld
{
    /// <summary><c>disk n1 stall 2s · takes 5ms · full [64KiB] · room · eio write|sync|read [PART OF A PATH] · flip log|snapshot TEXT · ruin log TEXT · ruin identity first [second]</c>.</summary>
    private bool DoWithDisks(string verb, Words words)
    {
        if (verb != "disk") return false;
        var member = MemberOf(words.Next("a member"));
        var disk = member.Disk;
        switch (words.Next("what happens to the disk"))
        {
            case "stall":
                disk.Stall(DiskQueue.Journal, Schedule.NowMicros + words.Micros());
                break;
            case "takes":
                long micros = words.Micros();
                disk.JournalMicros = (micros, micros);
                break;
            case "full":
                disk.Capacity = disk.UsedBytes + (words.AtEnd ? 0 : Words.BytesOf(words.Next()));
                break;
            case "room":
                disk.Capacity = long.MaxValue;
                break;
            case "eio":
                disk.FailOnce(words.Next("an operation") switch { "write" => SimDiskOp.Write, "sync" => SimDiskOp.Sync, "read" => SimDiskOp.Read, var other => throw new ScenarioException($"a disk does not {other}") }, 0, DiskFailure.Broken, words.AtEnd ? "" : words.Next());
                break;
            case "flip":
                Flip(disk, words.Next("log or snapshot"), words.Next("a text"));
                break;
            case "ruin" when words.Take("identity"):
                string path = disk.Paths.First(p => p.EndsWith("/identity", StringComparison.Ordinal));
                foreach (string slot in words.Rest()) disk.FlipBit(path, (slot == "first" ? 0 : Limits.BlockBytes) + 30, 2);
                break;
            case "ruin" when words.Take("log"):
                Ruin(disk, words.Next("a text"));
                break;
            default:
                throw new ScenarioException($"no such fault of a disk: {words.Line}");
        }
        return true;
    }

    /// <summary>Flips one bit of the last place in which the text stands.</summary>
    private static void Flip(SimDisk disk, string where, string text)
    {
        var (path, offset) = Find(disk, where, text);
        disk.FlipBit(path, offset);
    }

    /// <summary>Flips bits in every block near the text, so that neither header of its batch survives.</summary>
    private static void Ruin(SimDisk disk, string text)
    {
        var (path, offset) = Find(disk, "log", text);
        long block = offset / Limits.BlockBytes;
        for (long b = Math.Max(0, block - 1); b <= block + 1; b++)
            for (int sector = 0; sector < 8; sector++) disk.FlipBit(path, b * Limits.BlockBytes + sector * 512 + 20, 3);
    }

    private static (string Path, int Offset) Find(SimDisk disk, string where, string text)
    {
        string suffix = where == "log" ? ".segment" : where == "snapshot" ? ".snapshot" : throw new ScenarioException($"'{where}' is neither log nor snapshot");
        byte[] wanted = Encoding.UTF8.GetBytes(text);
        foreach (string path in disk.Paths.Reverse())
        {
            if (!path.EndsWith(suffix, StringComparison.Ordinal)) continue;
            int at = disk.Peek(path).AsSpan().LastIndexOf(wanted);
            if (at >= 0) return (path, at);
        }
        throw new ScenarioException($"no {where} holds '{text}'");
    }
}
