#if MUTANTS
namespace Quorate.Kernel;

/// <summary>
/// Bugs planted on purpose, each named after the rule that it leaves out; the world must catch every one of them. Compiled only with -p:Mutants=true: no release assembly contains them.
/// At the mutated line: <c>#if MUTANTS if (Mutants.On(Mutant.X)) ... #endif</c>.
/// </summary>
public enum Mutant
{
    None,

    // Raft (raft.md §20, by its numbers)
    CountSelfAtAppend, AckUngated, VoteForgottenInTerm, StaleVoteCounted, StaleRejectionUsed, AckLastIndex, CommitPastVerified, TruncateUnconditionally,
    CommitOlderTermByCounting, DurableByIndexNotTicket, ConfigurationBeforeOwnTerm, ReadIndexBeforeOwnTerm, VoteRequestUngated, MatchKeptAcrossTerms, KeepTailOnInstall,

    // The mark, the dialogue that ends it early (storage.md §2.4, docs/decisions/0009), and a log that lost its base (§4.5)
    LossAnsweredUngated, LossAnswerForgetsPending, LossCountsItself, LossByBareQuorum, MarkIgnoredInVotes, MarkedStands, LostBaseForgotten, LostBaseUnfed,

    // storage.md
    AcknowledgeBeforeSync, RecoveryTrustsCache, NoOpeningAfterRecovery, SegmentFreedEarly, PromiseLeavesWithSegment, TornTakenForDamage, HeaderBehindLeftOut, SnapshotUsedUnread, NeededCountsOwnBatch, OpeningNamesTheTorn, FactsFromWhatGathers, WipedMemberVotes, OneChangeReplacement,
    SecondHeaderIgnored, HigherHeadersNotSearched, SparesNotSearched, KeyUnchecked, PreviousChecksumUnchecked, OldBatchesRead, HighestNotWrittenAgain, FailedSyncTriedAgain, DamageTakenForTorn, CutReadAgain,
    OpeningTakesTheCutNumber, OpeningOverTheCut, OpeningCountsItself, OpeningForgetsConfigurations, OpeningForgetsMark, OpeningForgetsBegin, EmptyBatchLeftOut, MovedUnderOldStamp, MovedStagedAsLog, AdoptionUnsaid,
    SegmentUsedUnnamed, FullDiskStops, LastSpareForAll, ReserveUngrown, ReserveAsLastSnapshot, SnapshotUnnamed, SnapshotNotReadBack, InstalledWithoutSwitch, SnapshotReplacedEarly, IdentityOneSlot,

    // sessions.md
    FenceUnchecked, StreamNumberTwice, ResendOnlyOnLeaderChange, EventAfterReply, AttachJudgedLocally, ExpireWithoutExtraSpan, ServeForever, PendingKeptAcrossTerms, StaleAttachmentServed, SyncAnsweredLocally,
    EmptiedAttachResentWhole, QueueKeptAcrossTerms, PreparedOverConfiguration, EpochBitFromConfiguration, PositionResetByRemoval, ServedWithoutBeingNamed,
    TouchBehindHandshake, TouchesSentOnce, OldReportEchoed, ReportEchoedByPart, ClaimKeptAcrossLeaders, SpanKeptAcrossLeaders, AttachDoesNotTouch, ExpireBeforeQueuedAttach, VerdictsLeftOut, VerdictOfWhoLags,
    ApplyLagIgnored, InstallWithConnectionsOpen, ParkedReadsAfterApply, ListChangesInTheMiddle, EventInsideList,
}

/// <summary>Which bug is planted on this thread.</summary>
public static class Mutants
{
    [ThreadStatic] private static Mutant t_planted;

    public static Mutant Planted { get => t_planted; set => t_planted = value; }

    public static bool On(Mutant mutant) => t_planted == mutant;
}
#endif
