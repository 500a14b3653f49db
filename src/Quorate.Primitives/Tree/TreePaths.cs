using System.Buffers;
using System.Text;

namespace Quorate.Primitives.Tree;

/// <summary>The rules of paths (zookeeper.md §2.1). A path is UTF-8 as received; what is no UTF-8 counts as U+FFFD, which no path may hold.</summary>
internal static class TreePaths
{
    /// <summary>The hash of the root; a child's is made of its parent's and its name, so that a row's hash can be had without its path.</summary>
    public const ulong RootHash = 0x5175_6F72_6174_6521;

    public static ulong ChildHash(ulong parent, ReadOnlySpan<byte> name) => Hash64.Of(name, parent);

    /// <summary>False for a string that can be no node's path: no slash before it, an empty component. "" and "/" are the root.</summary>
    public static bool TryHash(ReadOnlySpan<byte> path, out ulong hash)
    {
        hash = RootHash;
        if (IsRoot(path)) return true;
        if (path[0] != '/') return false;
        var rest = path[1..];
        while (true)
        {
            int slash = rest.IndexOf((byte)'/');
            var name = slash < 0 ? rest : rest[..slash];
            if (name.IsEmpty) return false;
            hash = ChildHash(hash, name);
            if (slash < 0) return true;
            rest = rest[(slash + 1)..];
        }
    }

    public static bool IsRoot(ReadOnlySpan<byte> path) => path.Length == 0 || (path.Length == 1 && path[0] == '/');

    /// <summary>Everything before the last slash; empty for a child of the root.</summary>
    public static ReadOnlySpan<byte> Parent(ReadOnlySpan<byte> path) => path[..path.LastIndexOf((byte)'/')];

    /// <summary>The parent's path as events show it.</summary>
    public static ReadOnlySpan<byte> ShownParent(ReadOnlySpan<byte> path)
    {
        int slash = path.LastIndexOf((byte)'/');
        return slash == 0 ? path[..1] : path[..slash];
    }

    public static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> path) => path[(path.LastIndexOf((byte)'/') + 1)..];

    /// <summary>Nodes that nobody may delete.</summary>
    public static bool IsSpecial(ReadOnlySpan<byte> path) =>
        path.SequenceEqual("/"u8) || path.SequenceEqual("/zookeeper"u8) || path.SequenceEqual("/zookeeper/quota"u8) || path.SequenceEqual("/zookeeper/config"u8);

    /// <summary>PathUtils.validatePath.</summary>
    public static bool IsValid(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty || path[0] != '/') return false;
        if (path.Length == 1) return true;
        int start = 1;
        for (int i = 1; i < path.Length; i++)
        {
            byte b = path[i];
            if (b == '/')
            {
                if (!IsComponent(path[start..i])) return false;
                start = i + 1;
            }
            else if (b is < 0x20 or 0x7f) return false;
            else if (b >= 0x80)
            {
                if (Rune.DecodeFromUtf8(path[i..], out var rune, out int used) != OperationStatus.Done || !IsAllowed(rune.Value)) return false;
                i += used - 1;
            }
        }
        return IsComponent(path[start..]);
    }

    private static bool IsComponent(ReadOnlySpan<byte> name) => !name.IsEmpty && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8);

    // Above the BMP Java sees two surrogates, and refuses them.
    private static bool IsAllowed(int c) => c is > 0x9f and < 0xd800 or > 0xf8ff and < 0xfff0;
}
