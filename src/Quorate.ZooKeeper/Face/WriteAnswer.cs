using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper;

/// <summary>Turns the tree's result record into the wire's answer (zookeeper.md §1.4, §1.5).</summary>
internal static class WriteAnswer
{
    public static void Write(ByteWriter w, int xid, long zxid, ReadOnlySpan<byte> record)
    {
        var result = new TreeResult(record);
        int frame = w.BeginFrame();
        w.ReplyHeader(xid, zxid, result.IsMulti ? ErrorCode.Ok : result.Error);
        if (result.IsMulti)
        {
            while (result.Next()) Entry(w, in result);
            w.MultiHeader(-1, true, -1);
        }
        else if (result.Error == ErrorCode.Ok)
        {
            Body(w, in result);
        }
        w.EndFrame(frame);
    }

    private static void Entry(ByteWriter w, in TreeResult result)
    {
        if (result.Failed)
        {
            w.MultiHeader(-1, false, result.Error);
            w.JuteInt(result.Error);
            return;
        }
        // Containers and TTL nodes answer as create2 does.
        int type = result.Op is TreeOp.CreateContainer or TreeOp.CreateTtl ? OpCode.Create2 : (int)result.Op;
        w.MultiHeader(type, false, 0);
        Body(w, in result);
    }

    private static void Body(ByteWriter w, in TreeResult result)
    {
        if (result.Op is TreeOp.Create or TreeOp.Create2 or TreeOp.CreateContainer or TreeOp.CreateTtl) w.JuteBuffer(result.Path);
        if (result.HasStat) result.Stat.WriteBigEndian(w.Take(TreeStat.Size));
    }
}
