using System.Security.Cryptography;
using System.Text;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>All rows, in the order of zookeeper.md §7. What is left out, and why, stands in the README of this folder.</summary>
internal static partial class Rows
{
    public static readonly Row[] All =
    [
        .. Handshake, .. Frames, .. Paths, .. CreateModes, .. Containers, .. Versions, .. Children, .. Multis, .. MultiReads, .. OneShots, .. Persistent, .. SetWatchesRows, .. AccessLists, .. Auths, .. Sessions, .. Words,
    ];

    public static Row Of(string id) => All.Single(r => r.Id == id);

    private static readonly byte[] None = [];

    private static byte[] Bytes(string s) => Encoding.UTF8.GetBytes(s);

    // SHA1 is what the digest scheme is made of (zookeeper.md §2.5); there is no choice.
#pragma warning disable CA5350
    private static string Digest(string user, string password) => user + ":" + Convert.ToBase64String(SHA1.HashData(Bytes(user + ":" + password)));
#pragma warning restore CA5350

    private static byte[] Joined(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    private static Row Shared(string id, string what, Action<Stage> script) => new(id, what, Venue.Shared, script);

    private static Row Slow(string id, string what, Action<Stage> script) => new(id, what, Venue.Slow, script);

    private static Row Fresh(string id, string what, Action<Stage> script) => new(id, what, Venue.Fresh, script);

    private static Row Quorum(string id, string what, Action<Stage> script) => new(id, what, Venue.Quorum, script);

    private static Row Own(string id, string what, Action<Stage> script) => new(id, what, Venue.Own, script);
}
