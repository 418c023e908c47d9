//! The rules of a stream: they stand in its `StreamOpened` record and never change within a generation.

use serde::{Deserialize, Serialize};

use crate::core::word::{Partition, StreamId};

/// The version of decoding and folding that this program implements. A worker refuses a stream with another.
pub const FOLD_VERSION: u32 = 1;
/// How far past its own append time an event may have been measured, in milliseconds.
pub const FUTURE_LIMIT_MS: i64 = 15 * 60_000;
/// The acceptance window where none is stated, in milliseconds: 40 days.
pub const DEFAULT_ACCEPTANCE_WINDOW_MS: i64 = 40 * 86_400_000;

/// What a stream is and which rules decide on its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamRules {
    /// The topic under which it was opened first, and the generation: `usage-2`.
    pub stream: StreamId,
    /// The Kafka topic.
    pub topic: String,
    /// Counts up when the stream is opened again.
    pub generation: u32,
    /// How many partitions the topic has, for ever.
    pub partitions: u32,
    /// The provider it is bound to; none if it is shared.
    pub provider: Option<String>,
    /// How long after its instant an event is accepted, and how long identities are remembered, in milliseconds.
    pub acceptance_window_ms: i64,
    /// How far into the future of its append time an event may lie, in milliseconds.
    pub future_limit_ms: i64,
    /// Greatest event in bytes.
    pub max_event_bytes: u64,
    /// Most readings in an event.
    pub max_event_readings: u32,
    /// Longest id in bytes.
    pub max_id_bytes: u32,
    /// Version of decoder and fold.
    pub fold_version: u32,
}

impl StreamRules {
    /// The partition's label in messages: `usage-1/3`.
    #[must_use]
    pub fn label(&self, partition: Partition) -> String {
        format!("{}/{}", self.stream, partition.0)
    }
}
