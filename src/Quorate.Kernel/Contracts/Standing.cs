namespace Quorate.Kernel;

public enum Role : byte { Follower, PreCandidate, Candidate, Leader, Learner }

/// <summary>What a core offers now (DESIGN §3). The host acts on this, never on a Note.</summary>
/// <param name="Role">Its role.</param>
/// <param name="Term">Its term (the whole ballot, epoch, view).</param>
/// <param name="Leader">The leader that it follows, or none.</param>
/// <param name="MayPropose">Bytes of commands that it would take now without refusing; 0 when it may not propose.</param>
/// <param name="MayServeUntilMicros">Monotone micros up to which this member may serve clients: ServeWithoutLeader after it sent what a quorum-confirmed leader's proof echoes (sessions.md §6.2).</param>
/// <param name="Commit">The newest index that is known to be committed.</param>
/// <param name="ProvenCommit">The newest commit index that a quorum-confirmed leader named.</param>
/// <param name="ConfigurationIndex">The index of the latest configuration in the log; prepare waits while it is not applied (sessions.md §2.4).</param>
/// <param name="Marked">Damaged entries that are left in its mark (storage.md §2.4); 0 in a healthy replica.</param>
/// <param name="MarkedHighest">The highest of them; 0 for none.</param>
/// <param name="WantsSnapshot">A leader's: somebody needs a snapshot above the one that is stored, so one is made whether it is due or not (storage.md §4.5).</param>
public readonly record struct Standing(Role Role, ulong Term, ReplicaId Leader, int MayPropose, long MayServeUntilMicros, long Commit, long ProvenCommit, long ConfigurationIndex, int Marked = 0, long MarkedHighest = 0, bool WantsSnapshot = false);
