using System.Globalization;
using System.Text;
using Quorate.Interop.Tests.Wire;

namespace Quorate.Interop.Tests.Conformance;

/// <summary>Tells the body of a reply field by field, masked as the end of zookeeper.md §7 says.</summary>
internal static class Answer
{
    public static void Tell(Stage stage, Step s, int op, byte[] body)
    {
        var r = new JuteReader(body);
        try
        {
            Fields(stage, s, op, r);
            if (r.Left > 0) s.Add("rest", Convert.ToHexStringLower(r.Rest()));
        }
        catch (InvalidDataException e)
        {
            s.Add("undecodable", e.Message + " in " + Convert.ToHexStringLower(body));
        }
    }

    public static string Text(byte[]? data) => data is null ? "null" : data.Length > 64 ? data.Length + " bytes" : "'" + Encoding.UTF8.GetString(data) + "'";

    public static void Stat(Stage stage, Step s, string prefix, Stat v)
    {
        s.Add(prefix + "czxid", stage.Zxid(v.Czxid)).Add(prefix + "mzxid", stage.Zxid(v.Mzxid)).Add(prefix + "ctime", Stage.Time(v.Ctime)).Add(prefix + "mtime", Stage.Time(v.Mtime));
        s.Add(prefix + "version", v.Version).Add(prefix + "cversion", v.Cversion).Add(prefix + "aversion", v.Aversion).Add(prefix + "ephemeralOwner", stage.Owner(v.EphemeralOwner));
        s.Add(prefix + "dataLength", v.DataLength).Add(prefix + "numChildren", v.NumChildren).Add(prefix + "pzxid", stage.Zxid(v.Pzxid));
    }

    public static string Acls(Acl[] acls) => string.Join(' ', acls.Select(a => a.Scheme + ":" + a.Id + ":" + a.Perms.ToString(CultureInfo.InvariantCulture)));

    // Names come in the order of a hash table there and sorted here: order is masked.
    private static string Names(string?[] names) => names.Length > 40 ? names.Length + " names" : string.Join(' ', names.Order(StringComparer.Ordinal));

    private static void Fields(Stage stage, Step s, int op, JuteReader r)
    {
        switch (op)
        {
            case Op.Create or Op.Sync:
                s.Add("path", r.String());
                break;
            case Op.Create2 or Op.CreateContainer or Op.CreateTtl:
                s.Add("path", r.String());
                Stat(stage, s, "stat.", r.Stat());
                break;
            case Op.Exists or Op.SetData or Op.SetAcl:
                Stat(stage, s, "stat.", r.Stat());
                break;
            case Op.GetData:
                s.Add("data", Text(r.Buffer()));
                Stat(stage, s, "stat.", r.Stat());
                break;
            case Op.GetAcl:
                s.Add("acl", Acls(r.Acls()));
                Stat(stage, s, "stat.", r.Stat());
                break;
            case Op.GetChildren or Op.GetEphemerals:
                s.Add("names", Names(r.Strings()));
                break;
            case Op.GetChildren2:
                s.Add("names", Names(r.Strings()));
                Stat(stage, s, "stat.", r.Stat());
                break;
            case Op.AllChildren or Op.AddWatch:
                s.Add("number", r.Int());
                break;
            case Op.WhoAmI:
                var n = r.Int();
                s.Add("ids", string.Join(' ', Enumerable.Range(0, n).Select(_ => r.String() + ":" + r.String()).Order(StringComparer.Ordinal)));
                break;
            case Op.Multi or Op.MultiRead:
                Multi(stage, s, r, op == Op.MultiRead);
                break;
        }
    }

    private static void Multi(Stage stage, Step s, JuteReader r, bool reads)
    {
        for (var i = 0; ; i++)
        {
            var (type, done, err) = (r.Int(), r.Bool(), r.Int());
            if (done)
            {
                s.Add("count", i).Add("end", type + " " + err);
                return;
            }
            var p = i.ToString(CultureInfo.InvariantCulture) + ".";
            s.Add(p + "type", type).Add(p + "err", err);
            switch (type)
            {
                case -1: s.Add(p + "code", r.Int()); break;
                case Op.Create: s.Add(p + "path", r.String()); break;
                case Op.Create2:
                    s.Add(p + "path", r.String());
                    Stat(stage, s, p + "stat.", r.Stat());
                    break;
                case Op.SetData: Stat(stage, s, p + "stat.", r.Stat()); break;
                case Op.GetData when reads:
                    s.Add(p + "data", Text(r.Buffer()));
                    Stat(stage, s, p + "stat.", r.Stat());
                    break;
                case Op.GetChildren when reads: s.Add(p + "names", Names(r.Strings())); break;
                case Op.Delete or Op.Check: break;
                default: throw new InvalidDataException("multi result of type " + type);
            }
        }
    }
}
