//! Rules of a stream for tests.

use super::rules::StreamRules;
use crate::core::word::StreamId;

/// The rules of a topic's first generation: one partition, shared, and limits of which no test asks more than that they are there.
pub fn rules(topic: &str) -> StreamRules {
    StreamRules {
        stream: StreamId(format!("{topic}-1")),
        topic: topic.to_owned(),
        generation: 1,
        partitions: 1,
        provider: None,
        acceptance_window_ms: 1,
        future_limit_ms: 1,
        max_event_bytes: 1,
        max_event_readings: 1,
        max_id_bytes: 1,
        fold_version: 1,
    }
}
