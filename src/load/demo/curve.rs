//! How usage moves: growth over the month, a rhythm over the day, surges on some days. In millionths and whole numbers, so that
//! it is the same on every machine.

use crate::core::word::Instant;

/// One, in millionths.
pub const ONE: i64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;

/// What surges add at noon of each day; straight lines in between. Days 10 to 13 and 22 to 24 go over a commitment of 100 TiB, day
/// 12 by more than 20 %, so that both bands of its overage are used.
const SURGE: [i64; 32] = [
    0, 0, 0, 0, 0, 0, 0, 0, 20_000, 90_000, 190_000, 340_000, 220_000, 60_000, 0, 0, //
    0, 0, 0, 0, 20_000, 90_000, 130_000, 100_000, 20_000, 0, 0, 0, 0, 0, 0, 0,
];

/// The time that a curve runs over.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    start: Instant,
    length_ms: i64,
}

impl Curve {
    /// The curve over [start, end).
    #[must_use]
    pub fn new(start: Instant, end: Instant) -> Self {
        Self { start, length_ms: (end.0 - start.0).max(1) }
    }

    /// The part of the time that has gone by, in millionths.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> i64 {
        ((i128::from(now.0 - self.start.0) * i128::from(ONE)) / i128::from(self.length_ms)) as i64
    }

    /// What the sizes are multiplied with: 0.93 at the beginning, 1 at the end, a little more in the afternoon.
    #[must_use]
    pub fn level(&self, now: Instant, surges: bool) -> u64 {
        let growth = 930_000 + self.elapsed(now) * 70_000 / ONE;
        let surge = if surges { self.surge(now) } else { 0 };
        (growth + rhythm(now) * 12_000 / ONE + surge).max(0) as u64
    }

    fn surge(&self, now: Instant) -> i64 {
        let since_noon = (now.0 - self.start.0 + DAY_MS / 2).max(0);
        let (day, into) = ((since_noon / DAY_MS) as usize, since_noon % DAY_MS);
        // the first element is the noon before the beginning
        let at = |day: usize| day.checked_sub(1).map_or(0, |day| SURGE[day % SURGE.len()]);
        at(day) + (at(day + 1) - at(day)) * into / DAY_MS
    }
}

/// The time of day from -1 at 2:00 UTC to +1 at 14:00 UTC in straight lines, in millionths.
#[must_use]
pub fn rhythm(now: Instant) -> i64 {
    let since_low = (now.0 - 2 * 3_600_000).rem_euclid(DAY_MS);
    let from_low = since_low.min(DAY_MS - since_low);
    from_low * 2 * ONE / (DAY_MS / 2) - ONE
}

/// A quantity times so many millionths.
#[must_use]
pub fn scaled(quantity: u64, millionths: u64) -> u64 {
    (u128::from(quantity) * u128::from(millionths) / ONE as u128) as u64
}
