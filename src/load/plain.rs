//! Plain load: arrays in turn, a poll each, at a step; for measurements and tests.

use std::fmt::Write as _;

use super::LoadEvent;
use super::random::hash;
use crate::core::word::Instant;

/// What plain load looks like.
#[derive(Clone, Debug)]
pub struct PlainLoad {
    /// Whose arrays.
    pub provider: String,
    /// How many arrays take turns.
    pub arrays: u64,
    /// Readings an event.
    pub readings: u32,
    /// When the first event was measured.
    pub start: Instant,
    /// Between two polls of an array, in milliseconds.
    pub step_ms: i64,
    /// Of names and values.
    pub seed: u64,
}

impl PlainLoad {
    /// Event number `number`.
    #[must_use]
    pub fn event(&self, number: u64) -> LoadEvent {
        let (array, poll) = (number % self.arrays, number / self.arrays);
        let time = self.start.plus_ms(poll as i64 * self.step_ms).rfc3339();
        let bits = hash(self.seed, array, 1);
        let key = format!("{:08x}-5d84-4e0b-9a6c-{:012x}", bits as u32, array);
        let mut text = String::with_capacity(256 + self.readings as usize * 130);
        let _ = write!(
            text,
            "{{\"specversion\":\"1.0\",\"id\":\"{key}/{time}\",\"source\":\"urn:plimsoll:array:{key}\",\"type\":\"dev.plimsoll.usage.v1\",\
             \"time\":\"{time}\",\"data\":{{\"provider\":\"{}\",\"array\":{{\"id\":\"{key}\",\"name\":\"load-{array}\",\"site\":\"HAM1\"}},\"readings\":[",
            self.provider
        );
        for reading in 0..u64::from(self.readings) {
            let comma = if reading == 0 { "" } else { "," };
            let value = (1 << 40) + hash(self.seed, number, reading) % (1 << 36);
            let customer = ["acme", "globex", "umbrella"][(reading % 3) as usize];
            let _ = write!(
                text,
                "{comma}{{\"resource\":\"vol-{reading:06}\",\"kind\":\"volume\",\"customer\":\"{customer}\",\"tier\":\"//Block - Premium\",\
                 \"meter\":\"effective_used\",\"value\":{value}}}"
            );
        }
        text.push_str("]}}");
        LoadEvent { key, value: text.into_bytes(), readings: self.readings }
    }
}
