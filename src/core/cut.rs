//! The cut of a rating: up to where each log is in it, and which versions of the code computed it (DESIGN §7).

use serde::{Deserialize, Serialize};

use crate::core::word::{Instant, Offset, Partition, StreamId};

/// One partition's place in a cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutPoint {
    /// The stream.
    pub stream: StreamId,
    /// The partition.
    pub partition: Partition,
    /// The first offset that is not in it.
    pub offset: Offset,
}

/// Versions of the code that could alter an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Of metering.
    pub fold: u32,
    /// Of pricing.
    pub rate: u32,
}

/// Where one partition stands: its newest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Its place in the cut.
    pub point: CutPoint,
    /// The generation of its stream.
    pub generation: u32,
    /// Every decision below it is reflected in the buckets.
    pub control: Offset,
    /// The greatest append time below the point.
    pub log_time: Instant,
}
