using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Quorate.Primitives.Tree;

namespace Quorate.ZooKeeper;

/// <summary>
/// Who the client is: its address from the start, digest identities as it shows them (zookeeper.md §2.5). An auth waits for nothing and its reply jumps ahead; it counts for what is read behind it.
/// </summary>
public sealed partial class ZooKeeperConnection
{
    private byte[] _identities;
    private ushort _identityCount = 1;

    /// <summary>The identities that counted when a request was read: the pairs stand in the order in which they came, so an earlier set is the same blob with a smaller count.</summary>
    private bool Allowed(int access, int perms, ushort identities)
    {
        if (identities == _identityCount) return _face.Tree.Allows(access, perms, _identities);
        BinaryPrimitives.WriteUInt16LittleEndian(_identities, identities);
        bool allowed = _face.Tree.Allows(access, perms, _identities);
        BinaryPrimitives.WriteUInt16LittleEndian(_identities, _identityCount);
        return allowed;
    }

    private void Authenticate(int xid, ref JuteReader r)
    {
        _face.Scratch.Clear();
        r.Int();
        var scheme = r.String(_face.Scratch, out _);
        var proof = r.Buffer(out _);
        if (r.Failed)
        {
            End();
            return;
        }
        bool known = scheme.SequenceEqual("ip"u8);
        if (scheme.SequenceEqual("digest"u8))
        {
            known = true;
            ShowDigest(Encoding.UTF8.GetString(proof));
        }
        _connection.Output.HeaderFrame(xid, 0, known ? ErrorCode.Ok : ErrorCode.AuthFailed);
        _sent++;
        if (!known) End();
    }

    /// <summary>Nobody set up a login module: the token is answered with none and the session goes on (zookeeper.md, row 119). A null token closes.</summary>
    private void Sasl(int xid, ref JuteReader r)
    {
        r.Buffer(out bool isNull);
        if (isNull || r.Failed)
        {
            End();
            return;
        }
        var w = _connection.Output;
        int frame = w.BeginFrame();
        w.ReplyHeader(xid, 0, ErrorCode.Ok);
        w.JuteNull();
        w.EndFrame(frame);
        _sent++;
    }

    private void ShowDigest(string userAndPassword)
    {
        string digest = DigestOf(userAndPassword);
        if (_face.Options.SuperDigest.Length > 0 && digest == _face.Options.SuperDigest) Show("super", "");
        Show("digest", digest);
    }

    /// <summary>user:BASE64(SHA1(user:password)), the form that access lists hold.</summary>
    public static string DigestOf(string userAndPassword)
    {
        int colon = userAndPassword.IndexOf(':', StringComparison.Ordinal);
        string user = colon < 0 ? userAndPassword : userAndPassword[..colon];
#pragma warning disable CA5350 // the algorithm is ZooKeeper's: every digest in an access list is one of these
        return user + ":" + Convert.ToBase64String(SHA1.HashData(Encoding.UTF8.GetBytes(userAndPassword)));
#pragma warning restore CA5350
    }

    private void Show(string scheme, string id)
    {
        var pairs = new List<(string Scheme, string Id)>();
        var reader = Identities.Read(_identities);
        while (reader.Next()) pairs.Add((Encoding.UTF8.GetString(reader.Scheme), Encoding.UTF8.GetString(reader.Id)));
        if (pairs.Contains((scheme, id)) || pairs.Count >= Identities.MaxPairs) return;
        pairs.Add((scheme, id));
        _identities = Identities.Encode(pairs);
        _identityCount = (ushort)pairs.Count;
    }

    private void WhoAmI(int xid, ushort identities)
    {
        var w = _connection.Output;
        int frame = BeginReply(xid);
        w.JuteInt(identities);
        var reader = Identities.Read(_identities);
        for (int i = 0; i < identities && reader.Next(); i++)
        {
            w.JuteBuffer(reader.Scheme);
            int colon = reader.Scheme.SequenceEqual("digest"u8) ? reader.Id.IndexOf((byte)':') : -1;
            w.JuteBuffer(colon < 0 ? reader.Id : reader.Id[..colon]);
        }
        EndReply(frame);
    }
}
