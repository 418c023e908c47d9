//! What can stop a partition, retryable and permanent told apart by type.

use thiserror::Error;

use crate::core::word::StreamId;

/// The other side did not do it this time; the same step is taken again after a wait.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct Retryable(pub String);

/// Going on would break a promise; the process stops, and the message names the mend.
#[derive(Clone, Debug, Error)]
pub enum Permanent {
    /// The other side says that it will never do it.
    #[error("{0}")]
    Refused(String),
    /// The broker has no record at the offset that is due, and none behind it that follows.
    #[error(
        "{label}: the offset that is due is not in the log any more: the log is held against what was folded of it"
    )]
    OffsetGone {
        /// The partition.
        label: String,
    },
    /// Offsets did not rise.
    #[error(
        "{label}: offset {got} came where {expected} or later was due: restart the worker, it compares the log with what was folded and \
         names the mend"
    )]
    OffsetsFell {
        /// The partition.
        label: String,
        /// What was due.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// The topic lets producers set the time stamp.
    #[error(
        "{label}: the record at offset {offset} is stamped by its producer: set message.timestamp.type=LogAppendTime on the topic and open \
         a new generation: plimsoll stream reopen {stream} --at-checkpoints --reason WHY"
    )]
    NotAppendTime {
        /// The partition.
        label: String,
        /// Its stream.
        stream: StreamId,
        /// The record.
        offset: u64,
    },
    /// Identities and series take more memory than they may.
    #[error(
        "{label}: its identities and series take {bytes} bytes and may take {most}: raise run.state_max_mbytes, or open a new generation with more partitions"
    )]
    StateTooLarge {
        /// The partition.
        label: String,
        /// What they take.
        bytes: usize,
        /// What they may take.
        most: usize,
    },
    /// The log below the checkpoint is not the log that was folded.
    #[error(
        "{label}: the record at offset {offset} is not the one that was folded: the log was cut and refilled. Open a new generation: \
         plimsoll stream reopen {stream} --at-checkpoints --reason WHY; or go on with what the log has now from offset {to} on: plimsoll \
         stream lost {stream} --partition {partition} --from {from} --to {to} --reason WHY"
    )]
    LogChanged {
        /// The partition.
        label: String,
        /// Its stream.
        stream: StreamId,
        /// Its number.
        partition: u32,
        /// The first record that is another one.
        offset: u64,
        /// The checkpoint.
        from: u64,
        /// The first offset of which the ledger has no row.
        to: u64,
    },
    /// Records were deleted before they were folded.
    #[error(
        "{label}: the log starts at offset {first}, but {next} is due: {lost} offsets were deleted by retention before they were folded; to \
         go on without them: plimsoll stream lost {stream} --partition {partition} --from {next} --to {first} --reason WHY"
    )]
    OffsetsLost {
        /// The partition.
        label: String,
        /// Its stream.
        stream: StreamId,
        /// Its number.
        partition: u32,
        /// What was due.
        next: u64,
        /// What is there.
        first: u64,
        /// How many are gone.
        lost: u64,
    },
    /// The log ends before the checkpoint.
    #[error(
        "{label}: the log ends at offset {end}, but {next} was folded: the topic was cut or re-created; open a new generation: plimsoll \
         stream reopen {stream} --at-checkpoints --reason WHY"
    )]
    LogCut {
        /// The partition.
        label: String,
        /// Its stream.
        stream: StreamId,
        /// The checkpoint.
        next: u64,
        /// The log's end.
        end: u64,
    },
    /// An invariant of DESIGN §10 does not hold.
    #[error("{label}: invariant {invariant} does not hold: {detail}; stop and run an audit")]
    Invariant {
        /// The partition.
        label: String,
        /// Its name, such as I1.
        invariant: &'static str,
        /// What was found.
        detail: String,
    },
}

impl Permanent {
    /// Whether it stops this partition and no other (DESIGN §3): one producer's stamp says nothing against the other logs, nor does one partition's size. All else
    /// stops the process.
    #[must_use]
    pub fn is_of_one_partition(&self) -> bool {
        matches!(self, Permanent::NotAppendTime { .. } | Permanent::StateTooLarge { .. })
    }

    /// Whether the log is not what was folded of it, which a decision may mend.
    #[must_use]
    pub fn is_about_the_log(&self) -> bool {
        use Permanent::{LogChanged, LogCut, OffsetsLost};
        matches!(self, LogChanged { .. } | LogCut { .. } | OffsetsLost { .. })
    }
}

/// Either of the two.
#[derive(Clone, Debug, Error)]
pub enum SeamError {
    /// Worth another try.
    #[error(transparent)]
    Retryable(#[from] Retryable),
    /// Not worth another try.
    #[error(transparent)]
    Permanent(#[from] Permanent),
}

impl SeamError {
    /// A retryable error with this text.
    #[must_use]
    pub fn retryable(text: impl Into<String>) -> Self {
        SeamError::Retryable(Retryable(text.into()))
    }

    /// A refusal with this text.
    #[must_use]
    pub fn refused(text: impl Into<String>) -> Self {
        SeamError::Permanent(Permanent::Refused(text.into()))
    }
}
