//! What goes wrong between collectors and the log: events that are held up, sent twice, or no good at all.

use super::super::random::mix_all;

/// From one poll to the next.
pub const POLL_MS: i64 = 300_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Odd things that happen once, each to one array at a part of the month given in per mille of its polls.
pub mod once {
    /// Array and resource whose tag changes, the new tag, and when.
    pub const TAG_CHANGES: (usize, usize, &str, u64) = (0, 3, "globex", 503);
    /// Array and resource whose counter is set back, and when.
    pub const COUNTER_RESETS: (usize, usize, u64) = (1, 6, 400);
    /// Array that sends half an event, and when.
    pub const HALF: (usize, u64) = (2, 250);
    /// Array that sends a value of 1.5, and when.
    pub const FRACTION: (usize, u64) = (3, 333);
    /// Array that contradicts itself, and when.
    pub const CONTRADICTION: (usize, u64) = (0, 600);
    /// Array whose clock jumps to 2099 for one poll, and when.
    pub const FUTURE: (usize, u64) = (5, 667);
    /// Array that falls silent, and when.
    pub const SILENCE: (usize, u64) = (11, 870);
}

/// The way of one event to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// How long it is held up; others of its array overtake it.
    pub held_ms: i64,
    /// How long after that it comes again, byte for byte.
    pub again_ms: Option<i64>,
}

/// The way of an array's poll: one in 600 is held up for 5 to 20 minutes, one in 4000 for 2 to 6 hours, one in 500 comes twice.
#[must_use]
pub fn way(seed: u64, array: u64, poll: u64) -> Way {
    let chance = |what| mix_all(&[seed, array, poll, what]);
    let length = chance(10) >> 8;
    let held_ms = if chance(11).is_multiple_of(4000) {
        2 * HOUR_MS + (length % (4 * 60)) as i64 * MINUTE_MS
    } else if chance(12).is_multiple_of(600) {
        // half a minute more, so that the poll of that time comes first
        (1 + length % 4) as i64 * POLL_MS + MINUTE_MS / 2
    } else {
        0
    };
    let again_ms = chance(13).is_multiple_of(500).then_some((1 + (length >> 20) % 60) as i64 * MINUTE_MS);
    Way { held_ms, again_ms }
}
