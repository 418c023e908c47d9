//! A checkpoint as a block of its table.

use super::native::{Block, DATE_TIME_MS, table_ms};
use super::read::checkpoint::NO_OFFSET;
use crate::core::word::Instant;
use crate::fold::checkpoint::Checkpoint;

/// A checkpoint.
#[must_use]
pub fn checkpoint(checkpoint: &Checkpoint) -> Block {
    let mut block = Block::new(1, 200);
    let number = |value: u64| std::iter::once(value.to_le_bytes());
    block.constant("stream", &checkpoint.stream.0);
    block.numbers("generation", "UInt32", std::iter::once(checkpoint.generation.to_le_bytes()));
    block.numbers("partition", "UInt32", std::iter::once(checkpoint.partition.0.to_le_bytes()));
    block.numbers("from_offset", "UInt64", number(checkpoint.from.0));
    block.numbers("next_offset", "UInt64", number(checkpoint.next.0));
    block.numbers("control", "UInt64", number(checkpoint.control.0));
    let instant = |instant: Instant| std::iter::once(table_ms(instant).to_le_bytes());
    block.numbers("log_time", DATE_TIME_MS, instant(checkpoint.log_time));
    block.numbers("consumed", "UInt64", number(checkpoint.consumed));
    block.numbers("accepted", "UInt64", number(checkpoint.counts.accepted));
    block.numbers("duplicate", "UInt64", number(checkpoint.counts.duplicate));
    block.numbers("late", "UInt64", number(checkpoint.counts.late));
    block.numbers("quarantined", "UInt64", number(checkpoint.counts.quarantined));
    block.numbers("digest", "UInt128", std::iter::once(checkpoint.digest.to_le_bytes()));
    block.numbers("last_offset", "UInt64", number(checkpoint.last.map_or(NO_OFFSET, |last| last.offset.0)));
    let hash = checkpoint.last.map_or(0, |last| last.hash);
    block.numbers("last_hash", "UInt128", std::iter::once(hash.to_le_bytes()));
    block.numbers("first_append_time", DATE_TIME_MS, instant(checkpoint.first_append_time));
    block
}
