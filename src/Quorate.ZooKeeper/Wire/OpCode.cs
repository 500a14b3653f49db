namespace Quorate.ZooKeeper;

/// <summary>Operation codes of the client port (zookeeper.md §1.4).</summary>
public static class OpCode
{
    public const int Notification = 0;
    public const int Create = 1;
    public const int Delete = 2;
    public const int Exists = 3;
    public const int GetData = 4;
    public const int SetData = 5;
    public const int GetAcl = 6;
    public const int SetAcl = 7;
    public const int GetChildren = 8;
    public const int Sync = 9;
    public const int Ping = 11;
    public const int GetChildren2 = 12;
    public const int Check = 13;
    public const int Multi = 14;
    public const int Create2 = 15;
    public const int Reconfig = 16;
    public const int CheckWatches = 17;
    public const int RemoveWatches = 18;
    public const int CreateContainer = 19;
    public const int DeleteContainer = 20;
    public const int CreateTtl = 21;
    public const int MultiRead = 22;
    public const int Auth = 100;
    public const int SetWatches = 101;
    public const int Sasl = 102;
    public const int GetEphemerals = 103;
    public const int GetAllChildrenNumber = 104;
    public const int SetWatches2 = 105;
    public const int AddWatch = 106;
    public const int WhoAmI = 107;
    public const int CloseSession = -11;
    public const int Error = -1;

    /// <summary>The four letters that `cons` shows as a connection's last operation.</summary>
    public static string ShortName(int op) => op switch
    {
        Create or Create2 or CreateContainer or CreateTtl => "CREA",
        Delete or DeleteContainer => "DELE",
        Exists => "EXIS",
        GetData => "GETD",
        SetData => "SETD",
        GetAcl => "GETA",
        SetAcl => "SETA",
        GetChildren or GetChildren2 => "GETC",
        Sync => "SYNC",
        Ping => "PING",
        Multi => "MULT",
        MultiRead => "MLTR",
        SetWatches or SetWatches2 => "SETW",
        AddWatch => "ADDW",
        RemoveWatches => "REMW",
        CheckWatches => "CHKW",
        GetEphemerals => "GETE",
        GetAllChildrenNumber => "GETACN",
        WhoAmI => "HOMI",
        CloseSession => "CLOS",
        0 => "SESS",
        _ => "NA",
    };
}

/// <summary>Error codes as the wire has them (zookeeper.md §1.6).</summary>
public static class ErrorCode
{
    public const int Ok = 0;
    public const int SystemError = -1;
    public const int RuntimeInconsistency = -2;
    public const int ConnectionLoss = -4;
    public const int MarshallingError = -5;
    public const int Unimplemented = -6;
    public const int BadArguments = -8;
    public const int NoNode = -101;
    public const int NoAuth = -102;
    public const int BadVersion = -103;
    public const int NoChildrenForEphemerals = -108;
    public const int NodeExists = -110;
    public const int NotEmpty = -111;
    public const int SessionExpired = -112;
    public const int InvalidAcl = -114;
    public const int AuthFailed = -115;
    public const int NoWatcher = -121;
    public const int ReconfigDisabled = -123;
}

/// <summary>Kinds of watch event (zookeeper.md §1.7).</summary>
public static class WatchEvent
{
    public const int Created = 1;
    public const int Deleted = 2;
    public const int DataChanged = 3;
    public const int ChildrenChanged = 4;

    /// <summary>The only state that a server sends.</summary>
    public const int SyncConnected = 3;
}
