namespace Quorate.Protocols.Raft;
public sealed class RaftGlobalInvariants;
