//! What can go wrong, and how often it did at which step.

use std::collections::BTreeMap;

/// A fault that the simulator injects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// The process dies before a call of a seam.
    CrashBefore,
    /// It dies while an insert has reached one table or partition of several.
    CrashMidway,
    /// It dies after an insert, before it hears of it.
    CrashAfter,
    /// It dies, and its insert lands later.
    CrashInFlight,
    /// An insert fails and nothing is there.
    InsertFails,
    /// An insert fails and one partition of two is there.
    InsertHalf,
    /// An insert is there and its acknowledgement is not.
    AckLost,
    /// An insert times out and lands later.
    InsertLater,
    /// The store does not answer a read.
    StoreAway,
    /// The broker does not answer.
    BrokerAway,
    /// Other processes work between two calls of one step.
    Torn,
    /// A replica lacks the newest ledger rows.
    ReplicaLags,
    /// A replica lacks the newest checkpoints.
    ManifestLags,
    /// A replica shows a row other than it was written.
    RowDamaged,
    /// The offset is not committed.
    CommitLost,
    /// The group's offset is ahead of the checkpoint, or has expired.
    CommitWrong,
    /// A process stands still for hours and goes on.
    Pause,
    /// Partitions change hands.
    Rebalance,
    /// A process is stopped and started.
    Restart,
    /// The store is away while a partition is taken from its owner.
    RevokeInOutage,
    /// A record is appended later than those sent after it.
    AppendLate,
    /// A record is appended twice.
    AppendTwice,
    /// A record is never appended.
    AppendNever,
    /// The log is cut below the checkpoint and refilled.
    TailCut,
    /// The log is cut above the checkpoint, below rows that were flushed, and refilled.
    FlushedCut,
    /// The log is cut above all that anybody read, and refilled.
    TipCut,
    /// Records are deleted that were not folded yet.
    RecordsLost,
    /// The broker's clock jumps.
    BrokerClock,
    /// Old records are deleted.
    Retention,
    /// Offsets are skipped.
    Hole,
    /// Meters are defined.
    Catalog,
    /// A record is sent again under a decision.
    Resent,
    /// A decision is made that a record's header has named before.
    Foretold,
    /// Days pass.
    Days,
    /// The stream is opened again.
    Reopened,
    /// A producer goes on with the topic of a closed generation.
    OldTopic,
    /// Lost offsets are recorded.
    LossRecorded,
    /// A decision is appended and its closer does not hear of it.
    DecisionUnheard,
    /// A decision is not appended.
    DecisionNever,
    /// A decision is appended after its closer has given it up.
    DecisionLater,
    /// A decision is appended twice.
    DecisionTwice,
    /// A closer is shown a replica that lacks drafts, documents or checkpoints.
    CloserLags,
}

impl Fault {
    /// All of them, in the order of the report.
    pub(super) const ALL: [Fault; 42] = [
        Fault::CrashBefore,
        Fault::CrashMidway,
        Fault::CrashAfter,
        Fault::CrashInFlight,
        Fault::InsertFails,
        Fault::InsertHalf,
        Fault::AckLost,
        Fault::InsertLater,
        Fault::StoreAway,
        Fault::BrokerAway,
        Fault::Torn,
        Fault::ReplicaLags,
        Fault::ManifestLags,
        Fault::RowDamaged,
        Fault::CommitLost,
        Fault::CommitWrong,
        Fault::Pause,
        Fault::Rebalance,
        Fault::Restart,
        Fault::RevokeInOutage,
        Fault::AppendLate,
        Fault::AppendTwice,
        Fault::AppendNever,
        Fault::TailCut,
        Fault::FlushedCut,
        Fault::TipCut,
        Fault::RecordsLost,
        Fault::BrokerClock,
        Fault::Retention,
        Fault::Hole,
        Fault::Catalog,
        Fault::Resent,
        Fault::Foretold,
        Fault::Days,
        Fault::Reopened,
        Fault::OldTopic,
        Fault::LossRecorded,
        Fault::DecisionUnheard,
        Fault::DecisionNever,
        Fault::DecisionLater,
        Fault::DecisionTwice,
        Fault::CloserLags,
    ];

    /// The name that the report prints.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::CrashBefore => "crash before a call",
            Fault::CrashMidway => "crash in an insert",
            Fault::CrashAfter => "crash before the ack",
            Fault::CrashInFlight => "crash, insert lands later",
            Fault::InsertFails => "insert fails",
            Fault::InsertHalf => "insert half there",
            Fault::AckLost => "ack lost",
            Fault::InsertLater => "insert lands later",
            Fault::StoreAway => "store away",
            Fault::BrokerAway => "broker away",
            Fault::Torn => "others between two calls",
            Fault::ReplicaLags => "replica lags",
            Fault::ManifestLags => "checkpoints lag",
            Fault::RowDamaged => "row damaged",
            Fault::CommitLost => "commit lost",
            Fault::CommitWrong => "commit ahead or expired",
            Fault::Pause => "pause, then zombie",
            Fault::Rebalance => "rebalance",
            Fault::Restart => "restart",
            Fault::RevokeInOutage => "revoke in an outage",
            Fault::AppendLate => "append late",
            Fault::AppendTwice => "append twice",
            Fault::AppendNever => "append never",
            Fault::TailCut => "tail cut below checkpoint",
            Fault::FlushedCut => "tail cut in flushed rows",
            Fault::TipCut => "tail cut that nobody read",
            Fault::RecordsLost => "records lost to retention",
            Fault::BrokerClock => "broker clock",
            Fault::Retention => "retention",
            Fault::Hole => "hole in the offsets",
            Fault::Catalog => "meters defined",
            Fault::Resent => "retry or late accept",
            Fault::Foretold => "foretold decision",
            Fault::Days => "days pass",
            Fault::Reopened => "stream opened again",
            Fault::OldTopic => "record to the old topic",
            Fault::LossRecorded => "lost offsets recorded",
            Fault::DecisionUnheard => "decision, no ack",
            Fault::DecisionNever => "decision never there",
            Fault::DecisionLater => "decision lands later",
            Fault::DecisionTwice => "decision there twice",
            Fault::CloserLags => "closer's replica lags",
        }
    }
}

/// How often what was injected where. The step is "-" where no machine was at work.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage(pub(super) BTreeMap<(&'static str, Fault), u64>);

impl Coverage {
    pub(super) fn note(&mut self, step: &'static str, fault: Fault) {
        *self.0.entry((step, fault)).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Coverage) {
        for (place, count) in &other.0 {
            *self.0.entry(*place).or_default() += count;
        }
    }
}
