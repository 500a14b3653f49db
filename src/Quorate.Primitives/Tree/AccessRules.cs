using System.Buffers.Text;

namespace Quorate.Primitives.Tree;

/// <summary>Which lists are valid, and whom they let pass (zookeeper.md §2.5).</summary>
internal static class AccessRules
{
    /// <summary>Makes of a requested list the one that is kept: duplicates dropped, <c>auth</c> replaced by the connection's ids. False: InvalidACL. Stops when the list grows over <paramref name="maxBytes"/>.</summary>
    public static bool Normalize(ReadOnlySpan<byte> requested, ReadOnlySpan<byte> identities, int maxBytes, ByteWriter into)
    {
        var list = new AclReader(requested);
        if (list.Count is 0 or > TreeRequests.MaxAclEntries) return false;
        int start = into.Length, count = 0;
        into.Int32(0);
        for (int i = 0; list.Next(); i++)
        {
            if (into.Length - start > maxBytes) return false;
            if (IsRepeated(requested, i, list)) continue;
            if (list.Scheme.SequenceEqual("auth"u8))
            {
                int added = AddAuthenticated(identities, list.Perms, start + maxBytes, into);
                if (added == 0) return false;
                count += added;
                continue;
            }
            if (!IsValid(list.Scheme, list.Id)) return false;
            TreeRequests.Acl(into, list.Perms, list.Scheme, list.Id);
            count++;
        }
        into.PatchInt32(start, count);
        return true;
    }

    /// <summary>One of these identities matches an entry that grants any of these permissions.</summary>
    public static bool Allows(ReadOnlySpan<byte> list, int perms, ReadOnlySpan<byte> identities)
    {
        var ids = Identities.Read(identities);
        while (ids.Next())
        {
            if (ids.Scheme.SequenceEqual("super"u8)) return true;
            var entries = new AclReader(list);
            while (entries.Next())
                if ((entries.Perms & perms) != 0 && entries.Scheme.SequenceEqual(ids.Scheme) && Matches(ids.Scheme, ids.Id, entries.Id)) return true;
        }
        return false;
    }

    private static bool Matches(ReadOnlySpan<byte> scheme, ReadOnlySpan<byte> id, ReadOnlySpan<byte> entry)
    {
        if (scheme.SequenceEqual("ip"u8)) return MatchesAddress(id, entry);
        if (scheme.SequenceEqual("sasl"u8) && id.SequenceEqual("super"u8)) return true;
        return id.SequenceEqual(entry);
    }

    private static bool IsRepeated(ReadOnlySpan<byte> requested, int index, AclReader entry)
    {
        var before = new AclReader(requested);
        for (int i = 0; i < index && before.Next(); i++)
            if (before.Perms == entry.Perms && before.Id.SequenceEqual(entry.Id) && before.Scheme.SequenceEqual(entry.Scheme)) return true;
        return false;
    }

    private static int AddAuthenticated(ReadOnlySpan<byte> identities, int perms, int end, ByteWriter into)
    {
        int added = 0;
        var ids = Identities.Read(identities);
        while (ids.Next() && into.Length <= end)
        {
            if (!ids.Scheme.SequenceEqual("digest"u8) && !ids.Scheme.SequenceEqual("sasl"u8) && !ids.Scheme.SequenceEqual("x509"u8)) continue;
            TreeRequests.Acl(into, perms, ids.Scheme, ids.Id);
            added++;
        }
        return added;
    }

    private static bool IsValid(ReadOnlySpan<byte> scheme, ReadOnlySpan<byte> id)
    {
        if (scheme.SequenceEqual("world"u8)) return id.SequenceEqual("anyone"u8);
        if (scheme.SequenceEqual("digest"u8)) return IsDigest(id);
        if (scheme.SequenceEqual("ip"u8)) return TryNet(id, out _, out _, out _);
        if (scheme.SequenceEqual("sasl"u8)) return IsPrincipal(id);
        return scheme.SequenceEqual("x509"u8) && IsSubject(id);
    }

    /// <summary>Java's split(":") gives two parts: parts that are empty at the end do not count, one at the beginning does.</summary>
    private static bool IsDigest(ReadOnlySpan<byte> id)
    {
        id = id.TrimEnd((byte)':');
        int colon = id.IndexOf((byte)':');
        return colon >= 0 && id[(colon + 1)..].IndexOf((byte)':') < 0;
    }

    /// <summary>KerberosName: a service name, or service[/host]@realm.</summary>
    private static bool IsPrincipal(ReadOnlySpan<byte> id)
    {
        int at = id.IndexOf((byte)'@');
        if (at < 0) return true;
        var realm = id[(at + 1)..];
        var name = id[..at];
        int slash = name.IndexOf((byte)'/');
        return realm.IndexOfAny((byte)'@', (byte)'/') < 0 && (slash < 0 || name[(slash + 1)..].IndexOf((byte)'/') < 0);
    }

    /// <summary>The form of RFC 2253: attribute=value, joined by commas or plus signs; which attributes exist is not looked up.</summary>
    private static bool IsSubject(ReadOnlySpan<byte> id)
    {
        bool quoted = false, hasEquals = false;
        int attribute = 0;
        for (int i = 0; i < id.Length; i++)
        {
            byte b = id[i];
            if (b == '\\') i++;
            else if (b == '"') quoted = !quoted;
            else if (quoted) continue;
            else if (b == '=' && !hasEquals)
            {
                if (attribute == 0) return false;
                hasEquals = true;
            }
            else if (b is (byte)',' or (byte)'+' or (byte)';')
            {
                if (!hasEquals) return false;
                hasEquals = false;
                attribute = 0;
            }
            else if (!hasEquals && b != ' ')
            {
                if (!char.IsAsciiLetterOrDigit((char)b) && b != '.') return false;
                attribute++;
            }
        }
        return !quoted && (hasEquals || id.IsEmpty);
    }

    private static bool MatchesAddress(ReadOnlySpan<byte> address, ReadOnlySpan<byte> entry)
    {
        if (!TryNet(entry, out var net, out int bytes, out int bits) || !TryAddress(address, out var mine, out int myBytes) || bytes != myBytes) return false;
        if (bits == 0) return true;
        int drop = bytes * 8 - bits;
        return net >> drop == mine >> drop;
    }

    /// <summary>ADDRESS or ADDRESS/BITS.</summary>
    private static bool TryNet(ReadOnlySpan<byte> text, out UInt128 address, out int bytes, out int bits)
    {
        int slash = text.IndexOf((byte)'/');
        bits = 0;
        if (!TryAddress(slash < 0 ? text : text[..slash], out address, out bytes)) return false;
        bits = bytes * 8;
        if (slash < 0) return true;
        return Utf8Parser.TryParse(text[(slash + 1)..], out bits, out int used) && used == text.Length - slash - 1 && bits >= 0 && bits <= bytes * 8;
    }

    private static bool TryAddress(ReadOnlySpan<byte> text, out UInt128 address, out int bytes)
    {
        bytes = 4;
        if (text.IndexOf((byte)':') < 0) return TryV4(text, out address);
        bytes = 16;
        return TryV6(text, out address);
    }

    private static bool TryV4(ReadOnlySpan<byte> text, out UInt128 address)
    {
        address = 0;
        for (int i = 0; i < 4; i++)
        {
            int dot = i < 3 ? text.IndexOf((byte)'.') : text.Length;
            if (dot is < 1 or > 9) return false;
            int value = 0;
            foreach (byte b in text[..dot])
            {
                if (b is < (byte)'0' or > (byte)'9') return false;
                value = value * 10 + b - '0';
            }
            if (value > 255) return false;
            address = address << 8 | (uint)value;
            text = i < 3 ? text[(dot + 1)..] : default;
        }
        return true;
    }

    /// <summary>Groups of up to four hexadecimal digits, one "::", and a dotted address at the end if it likes.</summary>
    private static bool TryV6(ReadOnlySpan<byte> text, out UInt128 address)
    {
        address = 0;
        UInt128 head = 0;
        int groups = 0, gap = -1;
        if (text.StartsWith("::"u8))
        {
            gap = 0;
            text = text[2..];
        }
        while (!text.IsEmpty)
        {
            int colon = text.IndexOf((byte)':');
            var group = colon < 0 ? text : text[..colon];
            if (colon < 0 && group.IndexOf((byte)'.') >= 0)
            {
                if (!TryV4(group, out var tail)) return false;
                head = head << 32 | tail;
                groups += 2;
                break;
            }
            if (group.Length is 0 or > 4 || !Utf8Parser.TryParse(group, out uint value, out int used, 'x') || used != group.Length) return false;
            head = head << 16 | value;
            if (++groups > 8) return false;
            if (colon < 0) break;
            text = text[(colon + 1)..];
            if (text.IsEmpty) return false;
            if (text[0] != ':') continue;
            if (gap >= 0) return false;
            gap = groups;
            text = text[1..];
        }
        if (gap < 0 ? groups != 8 : groups >= 8) return false;
        if (gap < 0)
        {
            address = head;
            return true;
        }
        int behind = (groups - gap) * 16;
        var low = behind == 0 ? 0 : head & (UInt128.One << behind) - 1;
        address = (behind == 128 ? 0 : head >> behind << 16 * (8 - gap) % 128) | low;
        if (gap == 0) address = low;
        return true;
    }
}
