using System.Globalization;

namespace Quorate;

/// <summary>HOST:PORT; an IPv6 host stands in brackets.</summary>
public readonly record struct Address(string Host, int Port)
{
    /// <summary>Null and a reason when the text is no address.</summary>
    public static Address? Parse(string text, out string reason)
    {
        reason = "";
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? text : text[..colon], port = colon < 0 ? "" : text[(colon + 1)..];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal)) reason = "an IPv6 address stands in brackets";
        if (colon < 0 || port.Length == 0) reason = "the port is missing";
        else if (host.Length == 0) reason = "the host is missing";
        else if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number > 65535) reason = "the port is not a number from 0 to 65535";
        else if (Uri.CheckHostName(host) == UriHostNameType.Unknown) reason = "the host is not a name or an address";
        else if (reason.Length == 0) return new Address(host, number);
        return null;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
