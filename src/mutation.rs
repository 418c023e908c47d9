//! Bugs that can be planted in the product, to prove that the simulator finds them (docs/TESTING.md has the table).
//!
//! A build without tests and without the feature `sim` has none of them: [`planted`] is a constant there.

/// A bug, named after what is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The fold starts where the group's offset may stand, a checkpoint behind its state.
    StartAtCommit,
    /// Buckets are taken for the state: the readings below the checkpoint are not loaded.
    BucketsAsState,
    /// Ledger rows at or above the checkpoint enter the set of identities.
    RowsAboveCheckpoint,
    /// Buckets count the record at their `as_of`.
    AsOfInclusive,
    /// The checkpoint becomes durable before its buckets.
    CheckpointBeforeBuckets,
    /// A disposition asks whether somebody has defined the meter.
    CatalogInDisposition,
    /// The acceptance window is held against the worker's clock.
    WallClockWindow,
    /// Log time is what producers say.
    CreateTimeTrusted,
    /// A change of customer leaves the old customer's area where it was.
    OldAttributionStays,
    /// An identity is forgotten by its event time alone.
    EvictByEventTime,
    /// An event that is let through late is accepted once more when it comes again.
    LateAcceptTwice,
    /// The last record below the checkpoint is not compared.
    TailCutUnnoticed,
    /// Any header that names a decision waives lateness.
    RetryWithoutDecision,
    /// A header names its decision by the offset alone, so one that is made later answers to it.
    DecisionByOffsetAlone,
    /// A replica that lacks rows is believed.
    LaggingReplicaTrusted,
    /// A revoke waits until everything is durable, however long that takes.
    RevokeBlocks,
    /// Of equal instants the one that arrives last counts, whatever its recorded time.
    EqualInstantsByArrival,
    /// The recorded time is not read.
    RecordedTimeIgnored,
    /// The built-in gauge is not kept.
    ObservedForgotten,
    /// Marked hours are metered after the checkpoint that promises them.
    MarksDroppedAtCrash,
    /// A gauge holds for its whole hold though a next reading came.
    HoldNotCutBack,
    /// A counter that was reset has grown by nothing.
    ResetCountsNothing,
    /// Of equal instants one delta counts.
    DeltaEqualInstants,
    /// The same identity with other content is accepted.
    ConflictAccepted,
    /// An event in the wrong partition is accepted.
    MisroutedAccepted,
    /// Decisions count as reflected before the past of their meters is metered.
    ControlAdvancedEarly,
    /// Rows are counted where their digest should be compared.
    DigestNotVerified,
    /// A late event is accepted.
    LateAccepted,
    /// An event of the future is accepted.
    FutureAccepted,
    /// Hours that have left memory are metered from what memory still has.
    MarksNotMade,
    /// A hold that reaches into the next hour is not looked for before it.
    PredecessorForgotten,
    /// A predecessor older than the hold counts for a counter.
    CounterHoldIgnored,
    /// Records that were taken from the log before trouble are not asked for again.
    NoSeekAfterTrouble,
    /// The offset is committed before the checkpoint.
    CommitBeforeCheckpoint,
    /// Log time falls with the broker's clock.
    LogTimeFalls,
    /// The marking of hours stops at the event's own hour.
    MarkOwnHourOnly,
    /// Marked hours are metered from whatever a replica shows.
    MarksFromLaggingReplica,
    /// An array without state here is taken for one without a past.
    LateAcceptFromMemory,
    /// A log that has no record any more at the last folded offset is taken for the same log.
    MissingRecordUnnoticed,
    /// Rows that were flushed above the checkpoint are not held against the log.
    FlushedRowsIgnored,
    /// A recorded hole is not passed over.
    HoleForgotten,
    /// A generation begins before the one before it is folded to its end.
    SuccessorHastens,
    /// Hours that void records touched are not metered again.
    VoidHoursStay,
    /// A closed generation is folded past its end.
    FoldsPastEnd,
    /// A generation does not load the identities of the ones before it.
    IdentitiesLeftBehind,
    /// Buckets that a closed generation wrote past its end stay unless void records touch them.
    BucketsPastEndStay,
    /// The headers of a close become durable before its rows.
    HeaderBeforeRows,
    /// A close counts for whoever appended it, without a look at what the log made of it.
    AckBelieved,
    /// A close is made of less of the log than its workers have read.
    ReadBehindAfter,
    /// A close counts whatever was decided since it read the log.
    AfterUnchecked,
    /// A discarded draft counts as issued.
    DiscardedCounts,
    /// A correction is the difference to the last document alone.
    LastDocumentOnly,
    /// The drafts of a close are whatever a replica shows of them.
    LaggingDraftsTrusted,
    /// A draft that is issued twice gets two numbers.
    IssuedTwice,
    /// The cut lies where the logs end, above the checkpoints.
    CutAboveCheckpoint,
    /// A close has read what the partition has that has read most.
    LeastReadForgotten,
    /// A log of which nothing is folded is taken for one to which nothing was sent.
    UnfoldedIsIdle,
    /// Whoever starts anew takes all issued documents for written.
    DocumentsForgotten,
    /// A correction is rated with the newest book.
    NewestBookCorrects,
    /// What other periods took off a credit is forgotten.
    CreditsNotUsedUp,
    /// A revision uses credits that were granted after the documents before it.
    LaterGrantsUsed,
    /// A re-pricing takes a new cut.
    RepricedAtNewCut,
    /// A re-pricing that alters nothing stays the next revision for ever.
    EmptyRepricingStays,
    /// What waits to be issued is corrected.
    WaitingCorrected,
    /// A period is closed when it ends.
    GraceForgotten,
    /// Records that were put aside keep no period open.
    HolesForgotten,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Mutation; 66] = [
        Mutation::StartAtCommit,
        Mutation::BucketsAsState,
        Mutation::RowsAboveCheckpoint,
        Mutation::AsOfInclusive,
        Mutation::CheckpointBeforeBuckets,
        Mutation::CatalogInDisposition,
        Mutation::WallClockWindow,
        Mutation::CreateTimeTrusted,
        Mutation::OldAttributionStays,
        Mutation::EvictByEventTime,
        Mutation::LateAcceptTwice,
        Mutation::TailCutUnnoticed,
        Mutation::RetryWithoutDecision,
        Mutation::DecisionByOffsetAlone,
        Mutation::LaggingReplicaTrusted,
        Mutation::RevokeBlocks,
        Mutation::EqualInstantsByArrival,
        Mutation::RecordedTimeIgnored,
        Mutation::ObservedForgotten,
        Mutation::MarksDroppedAtCrash,
        Mutation::HoldNotCutBack,
        Mutation::ResetCountsNothing,
        Mutation::DeltaEqualInstants,
        Mutation::ConflictAccepted,
        Mutation::MisroutedAccepted,
        Mutation::ControlAdvancedEarly,
        Mutation::DigestNotVerified,
        Mutation::LateAccepted,
        Mutation::FutureAccepted,
        Mutation::MarksNotMade,
        Mutation::PredecessorForgotten,
        Mutation::CounterHoldIgnored,
        Mutation::NoSeekAfterTrouble,
        Mutation::CommitBeforeCheckpoint,
        Mutation::LogTimeFalls,
        Mutation::MarkOwnHourOnly,
        Mutation::MarksFromLaggingReplica,
        Mutation::LateAcceptFromMemory,
        Mutation::MissingRecordUnnoticed,
        Mutation::FlushedRowsIgnored,
        Mutation::HoleForgotten,
        Mutation::SuccessorHastens,
        Mutation::VoidHoursStay,
        Mutation::FoldsPastEnd,
        Mutation::IdentitiesLeftBehind,
        Mutation::BucketsPastEndStay,
        Mutation::HeaderBeforeRows,
        Mutation::AckBelieved,
        Mutation::ReadBehindAfter,
        Mutation::AfterUnchecked,
        Mutation::DiscardedCounts,
        Mutation::LastDocumentOnly,
        Mutation::LaggingDraftsTrusted,
        Mutation::IssuedTwice,
        Mutation::CutAboveCheckpoint,
        Mutation::LeastReadForgotten,
        Mutation::UnfoldedIsIdle,
        Mutation::DocumentsForgotten,
        Mutation::NewestBookCorrects,
        Mutation::CreditsNotUsedUp,
        Mutation::LaterGrantsUsed,
        Mutation::RepricedAtNewCut,
        Mutation::EmptyRepricingStays,
        Mutation::WaitingCorrected,
        Mutation::GraceForgotten,
        Mutation::HolesForgotten,
    ];
}

/// Whether a bug is planted: never.
#[cfg(not(any(test, feature = "sim")))]
#[must_use]
pub const fn planted(_: Mutation) -> bool {
    false
}

#[cfg(any(test, feature = "sim"))]
pub use planting::{plant, planted};

#[cfg(any(test, feature = "sim"))]
mod planting {
    use std::cell::Cell;

    use super::Mutation;

    thread_local! {
        static PLANTED: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// Whether a bug is planted in this thread.
    #[must_use]
    pub fn planted(mutation: Mutation) -> bool {
        PLANTED.get() == Some(mutation)
    }

    /// Plants a bug in this thread, or none.
    pub fn plant(mutation: Option<Mutation>) {
        PLANTED.set(mutation);
    }
}
